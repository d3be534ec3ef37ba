"""A real build that needs more memory than its guest has, on one release: Go itself is the same.

How long it takes and how sshd fares is measured by `python -m tests.bench.hungry_build`.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.support.vm.accelerator import need_guests
from tests.support.vm.guest import Guest
from tests.support.vm.hungry import MEMORY, PROCESSORS, Hungry


@pytest.mark.parametrize("release", ["trixie"])
def test_a_hungry_build_is_killed_by_its_budget_and_succeeds_with_limits_for_go(
    release: str, tmp_path: Path
) -> None:
    need_guests()
    tmp_path.chmod(0o755)
    with Guest(release, memory=MEMORY, cpus=PROCESSORS, name="small") as guest:
        hungry = Hungry(guest, tmp_path)

        alone = hungry.build("memory_max alone")
        assert (alone.built, alone.stalled) == (False, False), alone
        assert alone.kills >= 1
        assert alone.all_kills == alone.kills  # and nothing else of the guest

        whole = hungry.build("the whole set")
        assert whole.built, whole
        assert (whole.kills, whole.all_kills) == (0, 0)
        assert whole.high > 0  # it was slowed down, not ended
        assert math.isfinite(whole.banner)  # and whoever wants to log in can, all along

        # Without a budget the kernel kills what it likes, or the guest stands still.
        none = hungry.build("no slice", seconds=150)
        assert not none.built, none
        assert none.stalled or none.all_kills >= 1
