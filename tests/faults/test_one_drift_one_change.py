"""Scorecard: one item is changed by hand: exactly one change is made, and it mends the host."""

from __future__ import annotations

import pytest

from tests.support.faults import DRIFTS, NEW, ROOT_DRIFTS, Ground, changes

#: In a home the same code runs with another owner: one drift of each kind of item.
IN_A_HOME = (
    "a file's mode", "an edited file", "the whole tree", "no link", "trees open to all",
    "env.sh open to all",
)  # fmt: skip
CASES = [("root", drift) for drift in (*DRIFTS, *ROOT_DRIFTS)]
CASES += [("ann", drift) for drift in IN_A_HOME]


@pytest.mark.parametrize(("converged", "drift"), CASES, indirect=["converged"])
def test_it_is_mended_alone(drift: str, converged: Ground) -> None:
    before = converged.sandbox.digest(exclude=[f"{converged.root}/state"])
    item = converged.cause(drift)
    assert changes(converged.converge()) == {item: "changed"}
    after = converged.sandbox.digest(exclude=[f"{converged.root}/state"])
    assert before.changes(after) == []
    converged.assert_converged(NEW)
