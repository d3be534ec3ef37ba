"""Scorecard: something else stands where gostead would write: refused, named and untouched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.faults import NEW, OLD, Ground, told
from tests.support.stand_in_systemd import BOOTED, BUDGET

KINDS = {
    "fifo": ("mkfifo {}", "neither file, directory nor link"),
    "file": ("echo theirs >{}", "file, mode"),
    "directory": ("mkdir {0} && echo theirs >{0}/file", "directory, mode"),
    "link": ("ln -s /srv {}", "-> /srv"),
}


def assert_refused(ground: Ground, path: str, kind: str, *, exit_code: int = 1) -> None:
    """Nothing that stands at the path is changed, and the report names it and what it is."""
    ground.run(KINDS[kind][0].format(path))
    look = f"ls -ldn --time-style=full-iso {path}; find {path} -type f -exec cat {{}} +"
    before = ground.run(look)
    report = ground.apply()
    assert report["exit"] == exit_code, report
    assert path in told(report)
    assert KINDS[kind][1] in told(report)
    assert ground.run(look) == before
    assert ground.run("ls -A /srv") == ""


@pytest.mark.parametrize("kind", ["fifo", "file", "link"])
def test_the_root(kind: str, ground: Ground) -> None:
    assert_refused(ground, "/opt/gostead", kind)


def test_a_root_that_gostead_did_not_make(ground: Ground) -> None:
    ground.run("mkdir -p /opt/gostead/toolchains/go1.27.3; echo theirs >/opt/gostead/file")
    report = ground.apply()
    assert report["exit"] == 1
    assert "gostead did not make it" in told(report)
    assert ground.run("cd /opt/gostead && find . | sort") == (
        ".\n./file\n./toolchains\n./toolchains/go1.27.3\n"
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("item", ["toolchains/go1.27.3", "current", "profiles/go1.27.3"])
def test_below_the_root(item: str, kind: str, begin_ground: Callable[..., Ground]) -> None:
    ground = begin_ground("root", {"default": OLD})
    ground.site.declare({"default": NEW})
    if item == "current":
        if kind == "link":
            pytest.skip("a link there is a link of ours that leads elsewhere: that is drift")
        ground.run("rm /opt/gostead/current")
    if (item, kind) == ("profiles/go1.27.3", "directory"):
        pytest.skip("a directory is what it must be; what it holds is not taken away")
    if (item, kind) == ("toolchains/go1.27.3", "directory"):
        ground.run("mkdir /opt/gostead/toolchains/go1.27.3")
        assert "did not make it" in told(ground.apply())
        return
    assert_refused(ground, f"/opt/gostead/{item}", kind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_link_on_every_path(kind: str, ground: Ground) -> None:
    assert_refused(ground, "/usr/local/bin/go", kind, exit_code=0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_start_up_file(kind: str, ground: Ground) -> None:
    if kind == "file":
        pytest.skip("said in other words: it is a file, but not ours")
    path = "/etc/profile.d/gostead.sh"
    ground.run(KINDS[kind][0].format(path))
    before = ground.run(f"ls -ldn --time-style=full-iso {path}; ls -A /srv")
    report = ground.apply()
    assert f"{path}: expected a file or nothing, found: {KINDS[kind][1]}" in told(report)
    assert ground.run(f"ls -ldn --time-style=full-iso {path}; ls -A /srv") == before


def test_a_foreign_file_is_not_ours(ground: Ground) -> None:
    path = "/etc/profile.d/gostead.sh"
    ground.run(f"echo theirs >{path}")
    assert f"{path}: exists and gostead did not write it" in told(ground.apply())
    assert ground.run(f"cat {path}") == "theirs\n"


@pytest.mark.parametrize(
    ("unit", "kind"),
    [
        ("system/gobuilds.slice", "fifo"), ("system/gobuilds.slice", "directory"),
        ("system/gobuilds.slice", "link"), ("user/gobuilds.slice", "fifo"),
        ("system/slices.target.d/gostead.conf", "directory"),
        ("system/r.service.d/gostead.conf", "link"),
    ],
)  # fmt: skip
def test_a_unit_file(unit: str, kind: str, ground: Ground) -> None:
    path = f"/etc/systemd/{unit}"
    ground.run(f"{BOOTED}\nmkdir -p {path.rpartition('/')[0]}")
    ground.site.declare(**BUDGET)
    assert_refused(ground, path, kind)
