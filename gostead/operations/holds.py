"""Hold, release and rollback: what a person says about the active version of one host."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from gostead.declaration import GoSetup
from gostead.facts import host_state
from gostead.facts.host_state import HostState
from gostead.operations import trees
from gostead.operations.change import Change, Outcome, PlanError, Script
from gostead.operations.context import current
from gostead.operations.execute import ChangedSincePlanned, ChangeFailed, execute
from gostead.operations.guard import check_host, check_platform
from gostead.transport import TransportError

if TYPE_CHECKING:
    from pyinfra.api.host import Host


def plan_hold(state: HostState, who: str, why: str, until: str) -> list[Change]:
    """Keeps the version that is active now. Raises PlanError where none is."""
    active = state.toolchains.active().removeprefix("go")
    if not active:
        raise PlanError("no version is active here, so none can be held: `gostead apply` first")
    hold = [active, who, why, until]
    return [_hold_change(state, hold, f"held by {who}")]


def plan_release(state: HostState) -> list[Change]:
    """Ends a hold, if there is one."""
    if state.toolchains.hold is None:
        return []
    return [_hold_change(state, None, "released: apply follows the declaration again")]


def _hold_change(state: HostState, hold: list[str] | None, why: str) -> Change:
    known = state.toolchains.hold
    return Change(
        trees.SUBJECT, f"{state.system.state}/hold", f"go{known.version}" if known else "absent",
        f"go{hold[0]}" if hold else "absent", why, "toolchains.default",
        Script("change/hold", {"root": state.system.root, "hold": hold}),
    )  # fmt: skip


def plan_rollback(declared: GoSetup, state: HostState, to: str, who: str, why: str) -> list[Change]:
    """The previous version, or `to`, becomes the active one and is held. An installed version needs
    no download; `to` an absent one is installed first. Raises PlanError."""
    check_host(declared, state)
    check_platform(state)
    found = state.toolchains
    target = f"go{to}" if to else found.previous()
    if not target:
        raise PlanError(
            "there is no previous version to go back to: nothing was switched here yet. "
            "Name one: `gostead rollback --to VERSION`"
        )
    version = target.removeprefix("go")
    changes: list[Change] = []
    if found.entry(f"{state.system.root}/profiles/{target}").kind == "absent":
        if not to:
            raise PlanError(
                f"the previous version {target} is gone: name one that is wanted (--to)"
            )
        only = declared.toolchains.model_copy(update={"default": version, "versions": ()})
        wanted = declared.model_copy(update={"toolchains": only})
        changes += [*trees.layout(state), *trees.trees(wanted, state)]
        changes += trees.profiles(wanted, state)
    reason = why or f"rolled back from {found.active() or 'nothing'}"
    hold = [version, who, reason, ""]
    if found.active() == target:
        return [*changes, _hold_change(state, hold, reason)]
    for change in trees.switch(state, target, reason, "toolchains.default"):
        script = Script("change/switch", {**change.script.values, "hold": hold})
        changes.append(dataclasses.replace(change, script=script))
    return changes


def carry_out(host: Host, changes: list[Change]) -> list[Outcome]:
    """Makes the changes one after the other and reads the host again: a version counts as active,
    and a hold as set, when the host says so. A failed change ends it."""
    outcomes: list[Outcome] = []
    for change in changes:
        try:
            detail = execute(host, change, *current(host))
            outcomes.append(Outcome(change, "changed", None, detail))
        except (ChangeFailed, ChangedSincePlanned, TransportError) as error:
            outcomes.append(Outcome(change, "failed", str(error)))
            break
    host_state.forget(host)
    if not outcomes or outcomes[-1].result == "failed":
        return outcomes
    _, state = current(host)
    last = outcomes[-1].change
    active, hold = state.toolchains.active(), state.toolchains.hold
    wanted = last.script.values.get("hold")
    taken = (hold.version if hold else None) == (wanted[0] if wanted else None)
    if last.script.template == "change/switch":
        taken = taken and active == last.after
    if not taken:
        outcomes[-1] = Outcome(last, "failed", "it did not take: read back, the host is as before")
    return outcomes
