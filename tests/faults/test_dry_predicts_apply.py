"""Scorecard: what apply changes is what plan said, for drifts put together at random."""

from __future__ import annotations

import random

import pytest

from tests.support.faults import DRIFTS, NEW, OLD, ROOT_DRIFTS, Ground, changes

#: These would fail after another one has taken away what they change.
ALONE = {"the whole tree", "no profile"}


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 8))]
)
@pytest.mark.parametrize("converged", ["root"], indirect=True)
def test_the_planned_set_is_the_changed_set(seed: int, converged: Ground) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same drifts in each run
    names = sorted((DRIFTS | ROOT_DRIFTS).keys() - ALONE)
    for drift in chance.sample(names, 4):
        command = (DRIFTS | ROOT_DRIFTS)[drift][0]
        converged.run(command.format(root=converged.root, bin=converged.bin), check=False)
    converged.site.declare({"versions": chance.choice([[], [OLD]]), "keep": chance.choice([0, 1])})
    planned = changes(converged.plan())
    applied = changes(converged.converge())
    assert applied == dict.fromkeys(planned, "changed") != {}
    converged.assert_converged(NEW)
