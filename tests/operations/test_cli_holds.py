"""Hold, release and rollback."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from tests.support.report_schema import check_report
from tests.support.root import Mount
from tests.support.sandbox import Sandbox
from tests.support.site import Site, changes

Run = Callable[..., subprocess.CompletedProcess[str]]
CURRENT = "/opt/gostead/current"


@pytest.fixture
def ground(site: Site, begin: Callable[..., Sandbox]) -> Sandbox:
    """1.26.8 is active, 1.27.3 was before it."""

    def do(root: Sandbox) -> None:
        for version in ("1.27.3", "1.26.8"):
            site.declare({"default": version})
            assert site.apply(root)["exit"] == 0

    root = begin("switched", do, mounts=[Mount(site.directory)])
    site.declare({"default": "1.26.8"})
    return root


def active(ground: Sandbox) -> str:
    return ground.run("bash -lc 'go version'").stdout.split(" ")[2]


def test_rollback_goes_back_and_apply_obeys_the_hold(ground: Sandbox, run: Run) -> None:
    assert run("rollback", "--why", "broken").returncode == 0
    assert active(ground) == "go1.27.3"
    done = run("apply", "-y")
    assert done.returncode == 0
    assert "held at go1.27.3" in done.stdout
    assert "broken" in done.stdout
    assert active(ground) == "go1.27.3"


def test_a_released_host_follows_its_declaration_again(ground: Sandbox, run: Run) -> None:
    run("rollback")
    assert run("release").returncode == 0
    assert run("apply", "-y").returncode == 0
    assert active(ground) == "go1.26.8"


def test_a_second_rollback_goes_forth_again(ground: Sandbox, run: Run) -> None:
    run("rollback")
    run("rollback")
    assert active(ground) == "go1.26.8"


def test_rollback_fetches_nothing(ground: Sandbox, run: Run, site: Site) -> None:
    for archive in site.mirror.iterdir():
        archive.unlink()
    ground.run("rm -rf /root/.cache", check=True)
    assert run("rollback").returncode == 0
    assert active(ground) == "go1.27.3"


def test_rollback_to_an_absent_version_installs_it(ground: Sandbox, site: Site, run: Run) -> None:
    report = site.ask(ground, "rollback", "--to", "1.25.14")
    check_report(report)
    assert report["exit"] == 0
    assert changes(report)[CURRENT] == "changed"
    assert report["hosts"]["@local"]["held"]["version"] == "1.25.14"
    assert active(ground) == "go1.25.14"
    assert run("plan").returncode == 0


def test_rollback_without_a_previous_version_says_so(
    site: Site, converged: Callable[[], Sandbox]
) -> None:
    declaration = ("--declaration", str(site.declaration))
    done = converged().gostead("rollback", "@local", *declaration, cwd="/")
    assert done.returncode == 1
    assert "there is no previous version to go back to" in done.stdout


def test_a_hold_says_who_why_and_until(ground: Sandbox, site: Site) -> None:
    site.ask(ground, "hold", "--why", "release week", "--until", "2h")
    held = site.plan(ground)["hosts"]["@local"]["held"]
    assert held["why"] == "release week"
    assert held["who"].startswith("root@")
    assert held["until"].startswith("20")


def test_a_hold_that_has_ended_holds_nothing(ground: Sandbox, site: Site, run: Run) -> None:
    run("hold", "--until", "2020-01-01")
    site.declare({"default": "1.27.3"})
    run("apply", "-y")
    assert active(ground) == "go1.27.3"
    assert not (ground.path / "opt/gostead/state/hold").exists()


def test_a_time_that_is_none_is_refused(run: Run) -> None:
    done = run("hold", "--until", "soon")
    assert done.returncode == 1
    assert "--until soon is no time" in done.stderr


def test_a_held_version_is_never_pruned(ground: Sandbox, site: Site, run: Run) -> None:
    run("rollback")
    site.declare({"default": "1.26.8", "keep": 0})
    run("apply", "-y")
    assert active(ground) == "go1.27.3"
