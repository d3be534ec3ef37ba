"""Scorecard: links planted at names that gostead uses: what they lead to is untouched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.faults import NEW, OLD, Ground

VICTIM = "mkdir -p /srv/victim && echo theirs >/srv/victim/file && chown -R {} /srv/victim"
#: Names on the way, below {root}, {bin}, {above} the root and beside start-up files.
PLANTED = [
    "{bin}/.gostead-new-go", "{profile}", "{root}/state/staging", "{root}/state/lock.steal",
    "{root}/toolchains/.standby.x.1",
]  # fmt: skip


@pytest.mark.parametrize("target", ["/srv/victim", "/srv/victim/file", "/srv/victim/absent"])
@pytest.mark.parametrize("user", ["root", "ann"])
def test_what_they_lead_to_is_untouched(
    user: str, target: str, make_ground: Callable[..., Ground]
) -> None:
    ground = make_ground(user)
    ground.site.declare({"default": OLD})
    ground.converge()
    ground.run(VICTIM.format(user), user="root")
    beside = "/etc/profile.d/.gostead-new-gostead.sh"
    if user != "root":
        beside = "/home/ann/.gostead-new-.profile"
    for name in PLANTED:
        path = name.format(root=ground.root, bin=ground.bin, profile=beside)
        ground.run(f"rm -rf {path}; ln -s {target} {path}")
    ground.cause("no link")
    undo = "rm -f /etc/profile.d/gostead.sh" if user == "root" else "sed -i /gostead/d ~/.profile"
    ground.run(undo)
    before = ground.run("find /srv -ls")
    ground.site.declare({"default": NEW})
    ground.converge()
    assert ground.go_version() == NEW
    assert ground.run("find /srv -ls; cat /srv/victim/file") == before + "theirs\n"


@pytest.mark.parametrize("name", [".gostead.new"])
def test_a_link_instead_of_the_new_root_is_refused(name: str, ground: Ground) -> None:
    ground.run(VICTIM.format("root") + f"; ln -s /srv/victim /opt/{name}")
    report = ground.apply()
    assert report["exit"] == 1
    assert "is a link" in str(report)
    assert ground.run("ls -A /srv/victim") == "file\n"
