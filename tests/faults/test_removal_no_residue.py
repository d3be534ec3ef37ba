"""Scorecard: removal leaves the host as it was; what was edited since is reported, and stays."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.faults import NEW, OLD, Ground, told


def test_file_for_file(any_ground: Ground) -> None:
    before = any_ground.sandbox.digest()
    any_ground.site.declare({"versions": [OLD]})
    any_ground.converge()
    any_ground.site.declare({"default": OLD})
    any_ground.converge()
    any_ground.site.declare(state="absent")
    any_ground.converge()
    assert before.changes(any_ground.sandbox.digest()) == []
    assert any_ground.plan()["exit"] == 0


def test_directories_that_were_made_on_the_way_go_too(ground: Ground) -> None:
    ground.run("rm -rf /usr/local/bin /opt")
    before = ground.sandbox.digest()
    ground.converge()
    assert ground.go_version() == NEW
    ground.site.declare(state="absent")
    ground.converge()
    assert before.changes(ground.sandbox.digest()) == []


def test_a_directory_that_others_use_by_now_stays(ground: Ground) -> None:
    ground.run("rm -rf /usr/local/bin")
    ground.converge()
    ground.run("echo mine >/usr/local/bin/mine")
    ground.site.declare(state="absent")
    ground.converge()
    assert ground.run("ls /usr/local/bin") == "mine\n"


def test_an_edited_file_is_left_and_reported(ground: Ground) -> None:
    before = ground.sandbox.digest()
    ground.converge()
    ground.run("echo '# mine' >>/etc/profile.d/gostead.sh; echo '# mine' >>/etc/zsh/zshenv")
    ground.site.declare(state="absent")
    assert "/etc/profile.d/gostead.sh: edited since" in told(ground.converge())
    left = {line.split()[1].rstrip(":") for line in before.changes(ground.sandbox.digest())}
    assert left == {"etc/profile.d/gostead.sh", "etc/zsh/zshenv"}
    assert ground.run("grep -c . /etc/zsh/zshenv; tail -n 1 /etc/zsh/zshenv").endswith("# mine\n")
    assert "gostead" not in ground.run("cat /etc/zsh/zshenv")


def test_a_link_that_was_taken_over_comes_back(ground: Ground) -> None:
    ground.run("ln -s ../lib/go-elsewhere/bin/go /usr/local/bin/go")
    before = ground.sandbox.digest()
    ground.site.declare({"links": "force"})
    ground.converge()
    assert ground.go_version() == NEW
    ground.site.declare({"links": "force"}, state="absent")
    ground.converge()
    assert before.changes(ground.sandbox.digest()) == []


def test_a_file_of_the_user_s_own_keeps_owner_mode_and_every_byte(
    make_ground: Callable[..., Ground],
) -> None:
    ground = make_ground("ann")
    ground.run("printf 'export A=\\351\\r\\nlast' >~/.profile; chmod 400 ~/.profile")
    ground.run("mkdir dots; mv .profile dots/; ln -s dots/.profile .profile", cwd="/home/ann")
    before = ground.sandbox.digest()
    ground.converge()
    assert before.changes(ground.sandbox.digest()) != []
    ground.site.declare(state="absent")
    ground.converge()
    assert before.changes(ground.sandbox.digest()) == []
