"""`state: absent`: takes away what gostead made and puts back what it replaced.

Only what the registry names is touched. A file that somebody edited since is left, and reported.
"""

from __future__ import annotations

import functools
from collections.abc import Generator, Iterator
from typing import Any

from pyinfra.api.operation import operation
from pyinfra.context import ctx_host

from gostead.declaration import GoSetup
from gostead.facts.host_state import HostState
from gostead.facts.toolchains import Registered
from gostead.operations import blocks, daemons, launchd, runner_services, slice_files
from gostead.operations.change import Change, Finding, Plan, Script
from gostead.operations.context import options
from gostead.operations.converge import converge
from gostead.operations.go_env import KINDS as SETTINGS_KINDS
from gostead.operations.go_env import take_back as take_settings_back
from gostead.operations.guard import check_host
from gostead.operations.home_files import take_back
from gostead.operations.links import unlink
from gostead.operations.registry import digest, file_script
from gostead.operations.schedule import take_back as unschedule
from gostead.operations.trimming import KINDS as TIMER_KINDS
from gostead.operations.trimming import take_back as take_timer_back

SUBJECT = "removal"


def plan(declared: GoSetup, state: HostState, purge: bool = False) -> Plan:
    """What removal would take away; with `purge` the caches below directories of ours, too. Raises
    PlanError where that is not ours to decide."""
    check_host(declared, state)
    if declared.state == "present":
        return Plan()
    root = state.toolchains.root
    aside = f"{root.path.rpartition('/')[0]}/.gostead.new"
    remains = next(
        (entry for path, entry in state.toolchains.entries.items()
         if path.startswith(aside) and entry.kind == "directory"),
        state.toolchains.entry(aside),
    )  # fmt: skip
    changes: list[Change] = []
    findings: list[Finding] = []
    left: list[str] = []
    for item in sorted(state.toolchains.registry, key=lambda r: (r.kind, r.path)):
        if item.kind == "cache" and purge:
            script = Script("change/purge", {"root": state.system.root, "path": item.path})
            found: list[Change | Finding] = [
                Change(SUBJECT, item.path, f"the cache of {item.detail}", "absent", "--purge",
                       "state", script)
            ]  # fmt: skip
        else:
            found = [*_item(state, item), *_in_home(state, item)]
        changes += [one for one in found if isinstance(one, Change)]
        findings += [one for one in found if isinstance(one, Finding)]
        if _left(state, item, found):
            left.append(f"{item.kind}\t{item.path}")
    for home in state.shells.homes:
        for runner in sorted({r.path.rpartition("/")[0] for r in state.toolchains.registry
                              if r.kind == f"runner@{home.name}"}):  # fmt: skip
            changes += runner_services.restart(state, home, runner, SUBJECT, "state", moved=True)
    units = any(item.kind in ("unit", "reload") for item in state.toolchains.registry)
    if units and state.slices.systemd == "running":
        changes.append(slice_files.reload(state, SUBJECT))
    for one in unschedule(state, SUBJECT, "state is absent", "state"):
        (changes if isinstance(one, Change) else findings).append(one)  # type: ignore[arg-type]
    if root.kind == "directory" or remains.kind == "directory":
        present = root if root.kind == "directory" else remains
        changes.append(
            Change(SUBJECT, present.path, "present", "absent", "state is absent", "state",
                   Script("change/remove", {"root": root.path, "gone": left}))
        )  # fmt: skip
    return Plan(tuple(changes), tuple(findings))


def _item(state: HostState, item: Registered) -> Iterator[Change | Finding]:
    entry = state.shells.entry(item.path)
    if item.path.startswith(f"{state.system.root}/"):
        return  # it goes with the root
    if item.kind == "unit":
        yield from slice_files.take_back(state, item.path, item.detail, SUBJECT, "state is absent",
                                    "state")  # fmt: skip
    elif item.kind == "link" and item.path.endswith("/go-slice"):
        yield slice_files.unlink(state, SUBJECT, "state is absent", "state")
    elif item.kind == "link":
        link = state.toolchains.entry(item.path)
        target = f"{state.system.root}/current/bin/{item.path.rpartition('/')[2]}"
        if link.kind != "absent" and link.target != target:
            yield Finding(SUBJECT, item.path, "warning", f"changed since ({link.describe()}): left",
                          "it is not gostead's any more; remove it if nobody needs it")  # fmt: skip
        yield from unlink(state, item.path, "state is absent")
    elif item.kind == "file" and entry.kind != "absent":
        if entry.content is None or digest(entry.content) != item.detail:
            yield Finding(SUBJECT, item.path, "warning", "edited since gostead wrote it: left",
                          "remove it if nobody needs it")  # fmt: skip
            return
        yield _unfile(state, item, entry.content)
    elif item.kind == launchd.DAEMON:
        yield from daemons.take_back(state, item, SUBJECT, "state is absent", "state")
    elif item.kind == "cache":
        yield Finding(SUBJECT, item.path, "note", f"the cache of {item.detail} stays",
                      "rm -rf it, or gostead remove --purge before")  # fmt: skip
    elif item.kind == "block" and entry.content is not None:
        after = blocks.take(entry.content, item.detail)
        if item.detail == "created" and not after:
            yield _unfile(state, item, entry.content)
        elif after != entry.content:
            owner = "" if entry.uid == state.system.uid else f"{entry.uid}:{entry.gid}"
            yield Change(
                SUBJECT, item.path, "with a block", "without", "state is absent", "state",
                file_script(state, entry, after, "stripped", entry.mode or "644", detail="",
                            owner=owner),
            )  # fmt: skip


def _left(state: HostState, item: Registered, found: list[Change | Finding]) -> bool:
    """Whether nothing more can be done about an item of a user: it is gone, or theirs by now. A
    home that cannot be read today may be tomorrow."""
    _, at, name = item.kind.partition("@")
    home = next((home for home in state.shells.homes if home.name == name), None)
    later = home is not None and home.error and home.entry(home.home).kind != "absent"
    return bool(at) and not later and not any(isinstance(one, Change) for one in found)


def _in_home(state: HostState, item: Registered) -> Iterator[Change | Finding]:
    kind, at, name = item.kind.partition("@")
    if not at or kind in ("dir", "restart"):
        return
    home = next((home for home in state.shells.homes if home.name == name), None)
    if home is None or home.error:
        yield Finding(SUBJECT, item.path, "warning",
                      home.error if home else f"user {name} is gone: left",
                      "remove it if it is still there", user=name)  # fmt: skip
        return
    undo = take_back
    if kind in SETTINGS_KINDS:
        undo = take_settings_back
    elif kind in TIMER_KINDS:
        undo = take_timer_back
    yield from undo(state, home, item, SUBJECT, "state is absent", "state")


def _unfile(state: HostState, item: Registered, content: bytes) -> Change:
    return Change(
        SUBJECT, item.path, "file of gostead's", "absent", "state is absent", "state",
        Script("change/unfile", {"root": state.system.root, "path": item.path, "kind": item.kind,
                                 "before": digest(content),}),
    )  # fmt: skip


@operation()
def removal(directory: str | None = None) -> Generator[Any, None, None]:
    """
    Takes away what gostead made, where ``state: absent`` is declared.

    + directory: where the declaration's YAML files are; default ``group_data``
    """
    purge = options(ctx_host.get()).purge
    yield from converge(SUBJECT, functools.partial(plan, purge=purge), directory)
