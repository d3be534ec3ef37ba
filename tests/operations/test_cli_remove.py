"""gostead remove leaves what was there before, and nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from tests.support.sandbox import Sandbox

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_nothing_is_left_the_downloads_included(run: Run, ground: Sandbox) -> None:
    ground.run("mkdir -p /root/.cache", check=True)
    before = ground.digest()
    run("apply", "-y")
    assert (ground.path / "root/.cache/gostead").is_dir()
    done = run("remove", "-y")
    assert done.returncode == 0
    assert "/root/.cache/gostead: downloads -> absent" in done.stdout
    assert before.changes(ground.digest()) == []


def test_removing_twice_is_removing_once(run: Run) -> None:
    run("apply", "-y")
    run("remove", "-y")
    done = run("remove", "-y")
    assert (done.returncode, "as declared" in done.stdout) == (0, True)


def test_it_asks_as_well(run: Run, ground: Sandbox) -> None:
    run("apply", "-y")
    assert run("remove").returncode == 1
    assert (ground.path / "opt/gostead").is_dir()
