"""Scorecard: one item is changed by hand: exactly one change is made, and it mends the host."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.faults import DRIFTS, NEW, ROOT_DRIFTS, Ground, changes, open_ground
from tests.support.requirements import need_hosts
from tests.support.stand_in_systemd import BOOTED, BUDGET

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


#: Each file of budgets, and each way to spoil one: systemd reads its own files again, once.
UNITS = "/etc/systemd/system"
SLICES = [
    (f"echo TasksMax=9 >>{UNITS}/gobuilds.slice", f"{UNITS}/gobuilds.slice", True),
    (f"rm {UNITS}/gobuilds.slice", f"{UNITS}/gobuilds.slice", True),
    (f"chmod 666 {UNITS}/gobuilds.slice", f"{UNITS}/gobuilds.slice", True),
    (f"chown ann {UNITS}/gobuilds.slice", f"{UNITS}/gobuilds.slice", True),
    ("rm /etc/systemd/user/gobuilds.slice", "/etc/systemd/user/gobuilds.slice", True),
    (f"rm -r {UNITS}/slices.target.d", f"{UNITS}/slices.target.d/gostead.conf", True),
    (f"echo >{UNITS}/r.service.d/gostead.conf", f"{UNITS}/r.service.d/gostead.conf", True),
    (f"rm {UNITS}/user-*.slice.d/gostead.conf", f"{UNITS}/user-1002.slice.d/gostead.conf", True),
    ("chmod 644 /opt/gostead/libexec/go-slice", "/opt/gostead/libexec/go-slice", False),
    ("echo >/opt/gostead/libexec/go-slice", "/opt/gostead/libexec/go-slice", False),
    ("rm /usr/local/bin/go-slice", "/usr/local/bin/go-slice", False),
    ("ln -sfn /bin/true /usr/local/bin/go-slice", "/usr/local/bin/go-slice", False),
    ("echo 7 >/sys/fs/cgroup/gobuilds.slice/pids.max", "systemd", False),
]


@pytest.fixture(scope="module")
def budgeted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A root with budgets for builds, for all of these tests: each puts it right again."""
    need_hosts()
    with open_ground(tmp_path_factory.mktemp("budgeted")) as ground:
        ground.run(BOOTED)
        ground.site.declare(**BUDGET)
        ground.converge()
        yield ground


@pytest.mark.parametrize(("spoil", "item", "read"), SLICES)
def test_a_file_of_a_budget_is_mended_alone(
    spoil: str, item: str, read: bool, budgeted: Ground
) -> None:
    before = budgeted.sandbox.digest(exclude=["/opt/gostead/state"])
    budgeted.run(spoil)
    wanted = [item, *["systemd"] * read]
    assert changes(budgeted.converge()) == dict.fromkeys(wanted, "changed")
    after = budgeted.sandbox.digest(exclude=["/opt/gostead/state"])
    assert before.changes(after) == []
    assert budgeted.run("cat /sys/fs/cgroup/gobuilds.slice/pids.max") == "99\n"
    budgeted.assert_converged(NEW)
