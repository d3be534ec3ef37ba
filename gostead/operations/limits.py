"""Part of the subject slices: what Go is told of a budget that it cannot see by itself.

GOMAXPROCS knows the quota of the process's own cgroup alone (since Go 1.25), not one that stands on
a slice above; nothing in Go knows a memory limit of cgroups. GOMEMLIMIT is soft, counts the memory
of one process's Go runtime, and each of go build's compilers takes it for itself: so it is the
budget divided by how many of them run at once. go build's -p is GOMAXPROCS where nobody sets it.
"""

from __future__ import annotations

from dataclasses import dataclass

from gostead.declaration.sizes import written
from gostead.declaration.slices import Budget, memory_bytes

#: What a compiler or linker needs to get on without collecting garbage all the time: the compiler
#: on the largest packages of the standard library takes 0.3 to 0.5 GiB.
EACH = 512 * 1024 * 1024
#: The rest is what the runtime does not count: its own binary, C code, file pages, the go command.
SHARE = 0.8
MAX_TO_HIGH = 0.9  # where only a hard limit is declared, builds are to stay below it


@dataclass(frozen=True)
class Limits:
    """GOMAXPROCS and GOMEMLIMIT (bytes; None: no budget of memory), and how they came about."""

    processes: int
    memory: int | None
    why: str

    def variables(self) -> dict[str, str]:
        """As environment variables; GOMEMLIMIT in MiB, rounded down."""
        found = {"GOMAXPROCS": str(self.processes)}
        if self.memory is not None:
            found["GOMEMLIMIT"] = f"{max(self.memory // 2**20, 16)}MiB"
        return found


def limits(budget: Budget, memory: int, processors: int) -> Limits:
    """The rule, for a host of that many bytes and processors."""
    cores, said = processors, f"{processors} processor{'s'[: processors > 1]}"
    if budget.cpu_quota:
        cores = min(processors, max(1, int(budget.cpu_quota[:-1]) // 100))
        said += f", of which cpu_quota leaves {cores}"
    room = _room(budget, memory)
    if room is None:
        return Limits(cores, None, said)
    processes = max(1, min(cores, room // EACH))
    each = int(room * SHARE) // processes
    plural = "s" if processes > 1 else ""
    said += f"; {written(room)} is enough for {processes} compiler{plural} of {written(EACH)}"
    return Limits(processes, each, f"{said}; GOMEMLIMIT is {SHARE:.0%} of it for each of them")


def _room(budget: Budget, memory: int) -> int | None:
    found = []
    if budget.memory_high:
        found.append(memory_bytes(budget.memory_high, memory))
    if budget.memory_max:
        found.append(int(memory_bytes(budget.memory_max, memory) * MAX_TO_HIGH))
    return min(found) if found else None
