"""The probe's look at cgroups, in real shells: counters, and which cgroup of that name it is."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from gostead.facts.slices import Counted, Group, parse_group
from gostead.templates import host_script

SHELLS = [["dash"], ["busybox", "ash"], ["bash", "--posix"]]
FILES = {
    "memory.high": "734003200\n",
    "memory.peak": "740294656\n",
    "memory.events": "low 0\nhigh 44\nmax 2\noom 1\noom_kill 1\noom_group_kill 0\n",
    "memory.events.local": "low 0\nhigh 41\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n",
    "cpu.stat": "usage_usec 9\nnr_periods 20\nnr_throttled 12\nthrottled_usec 3400000\n",
    "memory.pressure": "some avg10=1.00 avg60=2.50 avg300=40.25 total=312000001\n"
                       "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
}  # fmt: skip


def make(path: Path) -> None:
    """A cgroup's files as Linux 6.1 has them."""
    path.mkdir()
    for name, said in FILES.items():
        (path / name).write_text(said)


def look(shell: list[str], *paths: Path) -> list[Group]:
    """What the probe finds there."""
    script = (
        'emit() { printf \'%s\\0\' "$#" "$@"; }\nboot_id() { boot=b0; }\n'
        f'set -eu\n{host_script("lib/slice_group")}\nslice_groups "$@"\n'
    )
    done = subprocess.run([*shell, "-s", *map(str, paths)], input=script.encode(),
                          capture_output=True, check=False)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    fields = done.stdout.split(b"\0")[:-1]
    records = [tuple(fields[at : at + 5]) for at in range(0, len(fields), 5)]
    assert all(record[:2] == (b"4", b"cgroup") for record in records)
    return [parse_group(record[2:]) for record in records]


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_counters_are_read_and_a_cgroup_made_anew_is_another(
    shell: list[str], tmp_path: Path
) -> None:
    one, two = tmp_path / r"a\x2db.service", tmp_path / "b c.scope"
    make(one)
    make(two)
    found = look(shell, two, tmp_path / "*", one, tmp_path / "gone.scope")
    assert [group.path for group in found] == [str(two), str(one)]
    assert found[1].counted() == Counted(41, 0, 1, 12, 3, 312)
    assert found[1].peak() == 740294656
    assert found[1].limits["memory.high"] == "734003200"
    assert found[1].counters["memory.pressure some avg300"] == 40.25
    assert found[1].made == f"b0:{one.stat().st_ino}"
    one.rename(tmp_path / "kept")  # or its number may be given to the next one here
    make(one)
    [anew] = look(shell, one)
    assert anew.counted() == found[1].counted()
    assert anew.made != found[1].made
    shutil.rmtree(two)
    assert look(shell, two) == []


def test_a_kernel_before_5_2_counts_what_is_below_as_well() -> None:
    said = b"memory.events: high 3\nmemory.events: max 2\nmemory.events: oom_kill 1\n"
    assert parse_group((b"/x", said, b"b:1")).counted() == Counted(3, 2, 1)
