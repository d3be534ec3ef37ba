"""Budgets for builds: gobuilds.slice, the slices of users, services moved into it, and go-slice.

systemd reads its files anew once for all of them, and only where one was changed; what the kernel
then holds is read from the cgroup files, not from systemd.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

from pyinfra.api.command import FunctionCommand
from pyinfra.api.operation import operation
from pyinfra.context import ctx_host

from gostead.declaration import GoSetup
from gostead.declaration.sizes import written
from gostead.declaration.slices import PROPERTIES, Budget, memory_bytes
from gostead.facts.host_state import HostState
from gostead.operations import pressure
from gostead.operations.change import Change, Finding, Plan, PlanError
from gostead.operations.context import current, options, record
from gostead.operations.converge import REFUSALS, converge
from gostead.operations.execute import ChangedSincePlanned, ChangeFailed
from gostead.operations.guard import check_host
from gostead.operations.held_budgets import differences, managers, together
from gostead.operations.limits import limits
from gostead.operations.moved_services import services
from gostead.operations.slice_files import (
    pending,
    reload,
    undeclared,
    unit_changes,
    wrapper_changes,
)
from gostead.operations.unit_files import SLICE
from gostead.transport import TransportError

if TYPE_CHECKING:
    from pyinfra.api.host import Host
    from pyinfra.api.state import State

SUBJECT = "slices"
ON_A_MAC = (
    "nothing in macOS holds a budget for several processes: go-slice puts builds behind what "
    "people do, and tells Go of the budget"
)


def plan(declared: GoSetup, state: HostState) -> Plan:
    """What the subject would change. Raises PlanError where this host cannot be converged."""
    check_host(declared, state)
    if declared.state == "absent":
        return Plan()
    budget = declared.slices.builds
    if budget is None:
        return Plan.of(undeclared(declared, state))
    host = state.slices
    image = host.systemd == "installed"
    auto = declared.slices.go_limits and not image
    go = limits(budget, host.memory, host.processors) if auto else None
    if state.system.name == "darwin" and declared.slices.when == "auto":
        return dataclasses.replace(Plan.of(wrapper_changes(state, go)), not_applicable=ON_A_MAC)
    if why := why_not(state, budget):
        if declared.slices.when == "required":
            raise PlanError(f"slices: a budget is required, and cannot be held here: {why}")
        return Plan(not_applicable=why)
    found = [*unit_changes(declared, state, go), *undeclared(declared, state, go)]
    moved = any(isinstance(one, Change) for one in found)
    found += wrapper_changes(state, go)
    if image:
        return Plan.of([*found, *services(declared, state), _later(declared)])
    found += _reload(state, budget, moved)
    found += services(declared, state)
    found += managers(state.slices, budget)
    found += together(state.slices, budget)
    found += pressure.findings(declared, state.slices)
    news = pressure.kept(state.slices) != dict(state.slices.seen)
    return Plan.of(found, news=news)


def why_not(state: HostState, budget: Budget) -> str:
    """Why nothing here could hold that budget; empty: it can be held."""
    slices = state.slices
    if state.system.name != "linux":
        return "slices are systemd's: there is none on this system"
    if state.system.scope != "system":
        return "limits on slices are root's to set: scope is user"
    if slices.systemd == "none":
        return "systemd is not what runs here (a container, or another init)"
    if slices.systemd == "installed":
        return ""  # what boots from it shows what it can hold
    if slices.cgroup != "v2":
        what = "cgroup v1" if slices.cgroup == "v1" else "no cgroups"
        return f"{what} here: limits need cgroup v2 (systemd.unified_cgroup_hierarchy=1 at boot)"
    needed = {PROPERTIES[key][2] for key in budget.limits()}
    if lacking := sorted(needed - set(slices.controllers)):
        return f"the kernel offers no controller for {', '.join(lacking)} here"
    if budget.io_weight is not None and not slices.weights:
        return "the kernel has no io.weight here (CONFIG_BLK_CGROUP_IOCOST): leave io_weight out"
    high, most = budget.memory_high, budget.memory_max
    if high and most and memory_bytes(high, slices.memory) > memory_bytes(most, slices.memory):
        raise PlanError(
            f"slices.builds: memory_high ({high}) is more than memory_max ({most}) on a host of "
            f"{written(slices.memory)}: builds are to be slowed down before one is killed"
        )
    return ""


def _later(declared: GoSetup) -> Finding:
    """What is to be known of an image: memory and processors are those of what boots from it."""
    told = declared.slices.go_limits
    return Finding(SUBJECT, SLICE, "note", "systemd does not run here: the budget holds once it "
                   f"does{'; Go is told of it by the first apply then' if told else ''}",
                   "")  # fmt: skip


def _reload(state: HostState, budget: Budget, moved: bool) -> Iterator[Change | Finding]:
    slices = state.slices
    stale = [u.name for u in slices.units.values() if u.stale]
    group = slices.groups.get(f"/{SLICE}")
    wrong = "" if moved else "; ".join(differences(state.slices, budget))
    if moved or stale or pending(state) or group is None:
        yield reload(state, SUBJECT, budget)
        return
    if not wrong:
        return
    others = [path for unit in slices.units.values() for path in unit.drop_ins
              if unit.name.endswith(".slice") and not path.endswith("/gostead.conf")
              and "/user-.slice.d/" not in path]  # fmt: skip
    if others:
        yield Finding(SUBJECT, SLICE, "error", f"another file overrides the budget: {wrong}",
                      "take it away, or declare what it says", others[0])  # fmt: skip
    else:
        yield reload(state, SUBJECT, budget, why=wrong)


def _note(state: State, host: Host, directory: str | None) -> bool:  # noqa: ARG001
    """Keeps what the kernel has counted so far, and writes each kill to the journal."""
    try:
        _, now = current(host, directory)
    except REFUSALS:
        return True  # the operation before it said so
    try:
        pressure.note(host, now)
    except (ChangedSincePlanned, ChangeFailed, TransportError) as error:
        record(host).error = f"what the budget did could not be noted: {error}"
        return False
    return True


@operation()
def slices(directory: str | None = None) -> Generator[Any, None, None]:
    """
    Holds builds within a budget of memory and processors, by systemd's slices.

    + directory: where the declaration's YAML files are; default ``group_data``
    """
    yield from converge(SUBJECT, plan, directory)
    host: Host = ctx_host.get()
    wanted = options(host).subjects
    if not wanted or SUBJECT in wanted:
        try:
            news = plan(*current(host, directory)).news
        except REFUSALS:
            return
        if news:
            yield FunctionCommand(_note, [directory], {})
