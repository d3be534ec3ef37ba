"""What Go is told of a budget: the rule, at its corners."""

from __future__ import annotations

import pytest

from gostead.declaration.slices import Budget
from gostead.operations.limits import EACH, limits

GIB = 2**30


@pytest.mark.parametrize(
    ("budget", "memory", "processors", "expected"),
    [
        # Memory is what is short: 2.8 GiB are five compilers, and 80% of it for the five.
        ({"memory_high": "70%"}, 4 * GIB, 16, {"GOMAXPROCS": "5", "GOMEMLIMIT": "458MiB"}),
        # Processors are what is short.
        ({"memory_high": "70%"}, 64 * GIB, 4, {"GOMAXPROCS": "4", "GOMEMLIMIT": "9175MiB"}),
        # A quota that Go does not see; a part of a processor is not rounded up.
        ({"cpu_quota": "250%"}, 64 * GIB, 8, {"GOMAXPROCS": "2"}),
        ({"cpu_quota": "50%"}, 64 * GIB, 8, {"GOMAXPROCS": "1"}),
        ({"cpu_quota": "1600%"}, 64 * GIB, 8, {"GOMAXPROCS": "8"}),
        # A hard limit alone: builds are to stay a tenth below it.
        ({"memory_max": "2GiB"}, 8 * GIB, 2, {"GOMAXPROCS": "2", "GOMEMLIMIT": "737MiB"}),
        # The lower of both counts.
        ({"memory_high": "6GiB", "memory_max": "2GiB"}, 8 * GIB, 2,
         {"GOMAXPROCS": "2", "GOMEMLIMIT": "737MiB"}),
        # Less than one compiler needs: one, and as much as there is.
        ({"memory_high": "200MiB"}, 1 * GIB, 4, {"GOMAXPROCS": "1", "GOMEMLIMIT": "160MiB"}),
        ({"tasks_max": 64}, 8 * GIB, 4, {"GOMAXPROCS": "4"}),
    ],
)  # fmt: skip
def test_the_rule(
    budget: dict[str, str], memory: int, processors: int, expected: dict[str, str]
) -> None:
    found = limits(Budget.model_validate(budget), memory, processors)
    assert found.variables() == expected
    assert str(found.processes) in found.why


@pytest.mark.parametrize("processors", [1, 2, 3, 8, 96])
@pytest.mark.parametrize("high", ["256MiB", "1GiB", "3GiB", "40GiB"])
def test_all_compilers_together_stay_within_the_budget(high: str, processors: int) -> None:
    budget = Budget(memory_high=high)
    found = limits(budget, 64 * GIB, processors)
    room = {"256MiB": GIB // 4, "1GiB": GIB, "3GiB": 3 * GIB, "40GiB": 40 * GIB}[high]
    assert found.memory is not None
    assert found.processes * found.memory <= room * 0.8
    assert found.processes == 1 or found.processes * EACH <= room
    assert 1 <= found.processes <= processors
