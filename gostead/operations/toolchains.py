"""The declared Go toolchains: complete, verified, one of them active, the rest beside it."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from datetime import datetime
from typing import Any

from pyinfra.api.operation import operation

from gostead.declaration import GoSetup
from gostead.facts.host_state import HostState
from gostead.operations import trees
from gostead.operations.change import Change, Finding, Plan, Script
from gostead.operations.converge import converge
from gostead.operations.guard import check_host, check_platform
from gostead.operations.links import links
from gostead.operations.tools import tools_of

SUBJECT = trees.SUBJECT


def plan(declared: GoSetup, state: HostState, now: datetime | None = None) -> Plan:
    """What the subject would change. Raises PlanError where this host cannot be converged."""
    check_host(declared, state)
    if declared.state == "absent":
        return Plan()
    check_platform(state)
    held = trees.held_version(state.toolchains, now)
    target = f"go{held or declared.toolchains.default}"
    changes: list[Change] = [
        *trees.layout(state),
        *trees.directories(state),
        *trees.trees(declared, state, held),
        *trees.profiles(declared, state),
    ]
    if held and state.toolchains.active() != target:
        held = ""  # the version to keep is gone: nothing is left to hold
        target = f"go{declared.toolchains.default}"
    if not held:
        why = f"default is {declared.toolchains.default}"
        if state.toolchains.active() not in ("", target):
            changes += tools_of(declared, state, target)  # there when the switch takes them along
        changes += trees.switch(state, target, why, "toolchains.default")
    changes += _expired_hold(state, held)
    findings: list[Finding] = []
    for found in links(declared, state):
        (changes if isinstance(found, Change) else findings).append(found)  # type: ignore[arg-type]
    changes += _pruned(declared, state, target)
    changes += _leftovers(state)
    if held and held != declared.toolchains.default:
        findings.append(_held_finding(declared, state))
    return Plan(tuple(changes), tuple(findings), held or None)


def _expired_hold(state: HostState, held: str) -> Iterator[Change]:
    hold = state.toolchains.hold
    if hold and not held:
        before = f"{hold.version} until {hold.until or 'released'}"
        yield Change(
            SUBJECT, f"{state.system.state}/hold", before, "absent", "the hold has ended",
            "toolchains.default",
            Script("change/hold", {"root": state.system.root, "hold": None}),
        )  # fmt: skip


def _held_finding(declared: GoSetup, state: HostState) -> Finding:
    hold = state.toolchains.hold
    assert hold is not None  # noqa: S101 - the caller saw it
    until = f" until {hold.until}" if hold.until else ""
    return Finding(
        SUBJECT, f"{state.system.root}/current", "note",
        f"held at go{hold.version} by {hold.who}{until} ({hold.why or 'no reason given'}): "
        f"the declared default {declared.toolchains.default} is not switched to",
        "gostead release",
    )  # fmt: skip


def _pruned(declared: GoSetup, state: HostState, target: str) -> Iterator[Change]:
    """Undeclared versions of ours beyond `keep`; first kept is the one that rollback goes to."""
    found = state.toolchains
    ours = {r.path.rpartition("/")[2] for r in found.registry if r.kind in ("toolchain", "profile")}
    declared_names = {f"go{version}" for version in declared.toolchains.all_versions}
    active = found.active()
    previous = active if active and active != target else found.previous()
    undeclared = sorted(
        ours - declared_names - {target},
        key=lambda name: (name == previous, _order(name)),
        reverse=True,
    )
    for name in undeclared[declared.toolchains.keep :]:
        yield Change(
            SUBJECT, f"{state.system.root}/toolchains/{name}", name, "absent",
            f"not declared, and keep is {declared.toolchains.keep}", "toolchains.keep",
            Script("change/prune", {"root": state.system.root, "name": name}),
        )  # fmt: skip


def _order(name: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", name))


def _leftovers(state: HostState) -> Iterator[Change]:
    if state.toolchains.staging:
        yield Change(
            SUBJECT, f"{state.system.state}/staging", ", ".join(state.toolchains.staging), "absent",
            "left by a run that was killed", "toolchains",
            Script("change/tidy", {"root": state.system.root}),
        )  # fmt: skip


@operation()
def toolchains(directory: str | None = None) -> Generator[Any, None, None]:
    """
    Brings the host's Go toolchains to what is declared in ``group_data``.

    + directory: where the declaration's YAML files are; default ``group_data``

    Every tree is verified against its pin on the host before it has its name; one rename switches.
    """
    yield from converge(SUBJECT, plan, directory)
