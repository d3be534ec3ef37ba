"""Part of the subject slices: the files that tell systemd of a budget, and the wrapper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gostead.declaration import GoSetup
from gostead.declaration.slices import PROPERTIES, Budget, memory_bytes, stands_on
from gostead.facts.entries import Entry
from gostead.facts.slices import SlicesState
from gostead.facts.systemd import UNITS
from gostead.operations.limits import Limits
from gostead.templates import render

SLICE = "gobuilds.slice"
USER_UNITS = "/etc/systemd/user"
HEAD = "# Written by gostead, which writes it again: change its declaration.\n"


def properties(budget: Budget) -> str:
    """The lines of [Slice] (systemd.resource-control(5)). systemd works a share of the memory out
    again at each boot; of units it knows K, M and G, and drops a line that says MiB: bytes."""
    lines = []
    for key, value in budget.limits().items():
        share = str(value).endswith("%") or not key.startswith("memory")
        said = value if share else expected(key, value, 0)
        lines.append(f"{PROPERTIES[key][0]}={said}\n")
    return "[Slice]\n" + "".join(lines)


def own(budget: Budget) -> Budget:
    """What a user's own manager holds builds to: the same, but disks are not its to divide."""
    return budget.model_copy(update={"io_weight": None})


def movable(state: SlicesState) -> tuple[str, ...]:
    """The services that match a pattern, without those that the host itself stands on."""
    return tuple(name for name in state.matched if not stands_on(name))


def files(declared: GoSetup, state: SlicesState, go: Limits | None) -> Iterator[tuple[str, str]]:
    """Path and text of every unit file, the slice that others name first."""
    budget = declared.slices.builds
    if budget is None:
        return
    about = "[Unit]\nDescription=Builds of Go, within the budget that is declared for them\n\n"
    yield f"{UNITS}/{SLICE}", HEAD + about + properties(budget)
    yield f"{USER_UNITS}/{SLICE}", HEAD + about + properties(own(budget))
    # There from boot on, so that its limits and counters are.
    yield f"{UNITS}/slices.target.d/gostead.conf", f"{HEAD}[Unit]\nWants={SLICE}\n"
    for name in declared.slices.users:
        uid = state.users.get(name)
        if uid is not None:
            yield f"{UNITS}/user-{uid}.slice.d/gostead.conf", HEAD + properties(budget)
    variables = go.variables() if go else {}
    for unit in movable(state):
        yield f"{UNITS}/{unit}.d/gostead.conf", HEAD + _service(variables)


def _service(variables: Mapping[str, str]) -> str:
    # Without KillMode a runner's default (process) leaves what it started behind.
    lines = f"[Service]\nSlice={SLICE}\nKillMode=control-group\n"
    return lines + "".join(f"Environment={name}={value}\n" for name, value in variables.items())


def wrapper(go: Limits | None, *, mac: bool) -> str:
    """The program go-slice."""
    variables = sorted((go.variables() if go else {}).items())
    return render("go_slice.sh.j2", variables=variables, mac=mac)


def expected(key: str, value: str | int, memory: int) -> str:
    """What the kernel's file says where the limit is in force, in the kernel's units."""
    if key == "memory_swap_max" and value in ("0", 0):
        return "0"
    if key.startswith("memory"):
        return str(memory_bytes(str(value), memory))
    if key == "cpu_quota":
        return f"{int(str(value)[:-1]) * 1000} 100000"
    if key == "io_weight":
        return f"default {value}"
    return str(value)


def agrees(key: str, wanted: str, found: str) -> bool:
    """Whether the kernel holds that limit: memory to a thousandth, since pages round it, and
    systemd counts the machine's pages and not the kernel's."""
    if key.startswith("memory") and wanted.isdigit() and found.isdigit():
        return abs(int(wanted) - int(found)) <= max(int(wanted) // 1000, 65536)
    return wanted == found


def in_the_way(entry: Entry) -> str:
    """Why a file of ours cannot stand there; empty: it can."""
    if entry.kind in ("absent", "file"):
        return ""
    return f"expected a file or nothing, found: {entry.describe()}"
