"""Homes that cannot be served: each fails for its user alone, and nothing of it is harmed."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from gostead.trace import Person, survey
from tests.support.sandbox import Sandbox
from tests.support.site import Site, changes

SECRET = "a secret of root's"  # noqa: S105


def of(report: dict[str, Any], user: str) -> dict[str, Any]:
    host = report["hosts"]["@local"]
    return {
        "findings": [f for f in host["findings"] if f["user"] == user],
        "failed": [c for c in host["changes"] if c["user"] == user and c["result"] == "failed"],
        "changed": [c for c in host["changes"] if c["user"] == user and c["result"] == "changed"],
    }


def both(site: Site, ground: Sandbox, **shells: Any) -> dict[str, Any]:
    """Ann's home is broken, zed's is well: zed is served."""
    site.declare(users=["ann", "zed"], shells=shells)
    report = site.apply(ground)
    assert len(of(report, "zed")["changed"]) == 4
    assert ground.run("su - zed -c 'command -v go'").stdout == "/opt/gostead/current/bin/go\n"
    return report


def test_a_user_that_does_not_exist(site: Site, ground: Sandbox) -> None:
    site.declare(users=["ghost", "zed"])
    report = site.apply(ground)
    assert report["exit"] == 1
    assert [f["what"] for f in of(report, "ghost")["findings"]] == ["no such user on this host"]
    assert len(of(report, "zed")["changed"]) == 4


def test_a_home_that_is_missing(site: Site, ground: Sandbox) -> None:
    ground.run("mv /home/ann /home/gone")
    report = both(site, ground)
    assert report["exit"] == 1
    assert "the home /home/ann is absent" in of(report, "ann")["findings"][0]["what"]


def test_a_read_only_home(site: Site, ground: Sandbox) -> None:
    ground.run("mount --bind /home/ann /home/ann && mount -o remount,ro,bind /home/ann", check=True)
    report = both(site, ground)
    assert report["exit"] == 1
    assert len(of(report, "ann")["failed"]) == 4
    assert "Read-only file system" in of(report, "ann")["failed"][0]["error"]


def test_a_full_home(site: Site, ground: Sandbox) -> None:
    ground.run(
        "cp -a /home/ann /srv/ann; mount -t tmpfs -o size=64k,mode=755 none /home/ann;"
        "cp -a /srv/ann/. /home/ann; chown ann: /home/ann;"
        "su ann -c 'dd if=/dev/zero of=/home/ann/full bs=1k' 2>/dev/null; true",
        check=True,
    )
    before = ground.run("cat /home/ann/.bashrc").stdout
    report = both(site, ground)
    assert report["exit"] == 1
    errors = [c["error"] for c in of(report, "ann")["failed"]]
    assert errors
    assert all("/home/ann" in error for error in errors)
    assert ground.run("cat /home/ann/.bashrc").stdout == before
    assert ".gostead-new" not in ground.run("ls -A /home/ann").stdout


def test_an_immutable_file(site: Site, ground: Sandbox) -> None:
    if ground.run("chattr +i /home/ann/.bashrc").returncode:
        pytest.skip("this filesystem has no immutable files")
    try:
        report = both(site, ground)
        assert report["exit"] == 1
        (failed,) = of(report, "ann")["failed"]
        assert failed["item"] == "/home/ann/.bashrc"
        assert "is it immutable?" in failed["error"]
        assert len(of(report, "ann")["changed"]) == 3
    finally:
        ground.run("chattr -i /home/ann/.bashrc", check=True)


def test_a_file_under_two_names(site: Site, ground: Sandbox) -> None:
    ground.run("ln /home/ann/.bashrc /home/ann/also")
    before = ground.run("stat -c '%i %h %Y' /home/ann/.bashrc").stdout
    report = both(site, ground)
    assert report["exit"] == 1
    (found,) = of(report, "ann")["findings"]
    assert "one file under 2 names" in found["what"]
    assert ground.run("stat -c '%i %h %Y' /home/ann/.bashrc").stdout == before


def test_a_link_that_leads_nowhere(site: Site, ground: Sandbox) -> None:
    ground.run("ln -sf /home/ann/dots/bashrc /home/ann/.bashrc")
    report = both(site, ground)
    assert "leads nowhere" in of(report, "ann")["findings"][0]["what"]


def test_root_follows_no_planted_link(site: Site, ground: Sandbox) -> None:
    ground.run(
        f"printf '%s\\n' \"{SECRET}\" >/root/secret; chmod 600 /root/secret;"
        "cp /root/secret /srv/secret; chmod 600 /srv/secret;"
        "ln -sf /root/secret /home/ann/.bashrc; ln -s /srv/secret /home/ann/.zshenv;"
        "mkdir /home/ann/.config; ln -s /root /home/ann/.config/fish; chown -hR ann: /home/ann"
    )
    report = both(site, ground)
    assert SECRET not in str(report)
    assert SECRET not in ground.run("cat /opt/gostead/state/traces/*").stdout
    assert ground.run("cat /root/secret /srv/secret").stdout == f"{SECRET}\n" * 2
    assert {f["item"] for f in of(report, "ann")["findings"]} >= {"/srv/secret"}


def test_bytes_outside_the_block_are_kept(site: Site, ground: Sandbox) -> None:
    odd = "caf\\351\\r\\nx=1\\r\\n# end\\\\"
    ground.run(
        f"printf '{odd}' >/home/ann/.profile; chown ann: /home/ann/.profile;"
        "chmod 0400 /home/ann/.profile"
    )
    profile = ground.path / "home/ann/.profile"
    os.setxattr(profile, "user.mine", b"kept")
    before = ground.digest(exclude=["/opt", "/etc", "/usr/local/bin", "/root", "/tmp"])
    both(site, ground)
    assert ground.run("stat -c '%a %U' /home/ann/.profile").stdout == "400 ann\n"
    assert os.getxattr(profile, "user.mine") == b"kept"
    assert ground.gostead(
        "remove", "@local", "-y", "--declaration", str(site.declaration)
    ).returncode == 0  # fmt: skip
    after = ground.digest(exclude=["/opt", "/etc", "/usr/local/bin", "/root", "/tmp"])
    assert before.changes(after) == []


@pytest.mark.parametrize(
    ("line", "status"),
    [("sleep 1000 & sleep 1000", "timeout"), ("exit 3", "failed"), ("exec sleep 1000", "timeout")],
)
def test_a_start_up_file_that_hangs_or_exits_spoils_no_other(
    site: Site, ground: Sandbox, line: str, status: str
) -> None:
    ground.run(f"sed -i '1i {line}' /home/ann/.profile")
    started = time.monotonic()
    both(site, ground)
    report = site.ask(ground, "audit")
    assert time.monotonic() - started < 120
    cells = report["hosts"]["@local"]["matrix"]
    ann = {(c["shell"], c["mode"]): c["status"] for c in cells if c["user"] == "ann"}
    assert ann["bash", "login"] == status
    assert ann["bash", "interactive"] == "asked"
    (named,) = [f for f in of(report, "ann")["findings"] if f["where"] == "/home/ann/.profile:1"]
    assert line.rpartition("& ")[2] in named["what"]
    assert named["mend"] == "mend that line"
    assert {c["verdict"] for c in cells if c["user"] == "zed" and c["mode"] != "cron"} <= {
        "good", "not-applicable",
    }  # fmt: skip
    assert ground.run("pgrep -u ann -x sleep").stdout == ""
    assert ground.run("ls /tmp | grep gostead-trace").stdout == ""


def test_a_start_up_file_that_prints_is_told_apart(site: Site, ground: Sandbox) -> None:
    ground.run("echo 'printf \"\\033[31mgostead-answer:00:\\n\"' >>/home/ann/.bashrc")
    both(site, ground)
    cells = site.ask(ground, "audit")["hosts"]["@local"]["matrix"]
    ann = {(c["shell"], c["mode"]): c for c in cells if c["user"] == "ann"}
    assert ann["bash", "interactive"]["go"] == "/opt/gostead/current/bin/go"
    assert "\033" not in str(cells)


def test_edited_since_planned(site: Site, ground: Sandbox) -> None:
    """What somebody writes between the plan and the change is not overwritten."""
    site.declare(users=["ann"])
    ground.run("printf '#!/bin/sh\\necho x >>/home/ann/.zshenv; exec /bin/cat \"$@\"\\n' >/srv/cat")
    report = site.apply(ground)
    assert changes(report)["/home/ann/.bashrc"] == "changed"
    ground.run("sed -i 1,3d /home/ann/.bashrc; echo mine >>/home/ann/.bashrc")
    assert site.apply(ground)["exit"] == 0
    text = ground.run("cat /home/ann/.bashrc").stdout
    assert text.endswith("mine\n")
    assert text.count(">>> gostead >>>") == 1


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("mkfifo /home/ann/.bashrc", "neither file, directory nor link"),
        ("mkdir /home/ann/.bashrc", "directory, mode"),
        ("echo x >/home/ann/.bashrc; chmod 000 /home/ann/.bashrc", "cannot be read by ann"),
        ("echo x >/home/ann/.bashrc; chown root: /home/ann/.bashrc", "belongs to uid 0"),
        ("head -c 300000 /dev/zero >/home/ann/.bashrc", "cannot be read by ann"),
    ],
    ids=["fifo", "directory", "unreadable", "of somebody else", "huge"],
)
def test_what_is_no_start_up_file_of_theirs_is_refused(
    site: Site, ground: Sandbox, made: str, said: str
) -> None:
    owner = "" if "chown" in made else "; chown ann: /home/ann/.bashrc"
    ground.run(f"rm /home/ann/.bashrc; {made}{owner}", check=True)
    before = ground.run("stat -c '%F %a %U %i' /home/ann/.bashrc").stdout
    report = both(site, ground)
    assert report["exit"] == 1
    found = [f["what"] for f in of(report, "ann")["findings"] if f["severity"] == "error"]
    assert len(found) == 1
    assert said in found[0]
    assert ground.run("stat -c '%F %a %U %i' /home/ann/.bashrc").stdout == before


def test_a_file_that_is_not_ours_is_not_adopted(site: Site, ground: Sandbox) -> None:
    ground.run("rm -rf /etc/fish; mkdir -p /home/ann/.config/fish/conf.d;"
               "echo mine >/home/ann/.config/fish/conf.d/gostead.fish;"
               "chown -R ann: /home/ann")  # fmt: skip
    site.declare(users=["ann"])
    report = site.apply(ground)
    (found,) = [f for f in of(report, "ann")["findings"] if f["severity"] == "error"]
    assert "gostead did not write it" in found["what"]
    assert ground.run("cat /home/ann/.config/fish/conf.d/gostead.fish").stdout == "mine\n"


def test_what_cannot_be_taken_back_is_not_forgotten(site: Site, ground: Sandbox) -> None:
    ground.run("mkdir -p /root/.cache")
    site.declare(users=["ann"])
    before = ground.digest()
    assert site.apply(ground)["exit"] == 0
    ground.run("mount --bind /home/ann /home/ann && mount -o remount,ro,bind /home/ann", check=True)
    remove = ("remove", "@local", "-y", "--declaration", str(site.declaration))
    done = ground.gostead(*remove)
    assert done.returncode == 1
    assert "left nothing" not in done.stdout
    assert "not taken back yet: block@ann /home/ann/.bashrc" in done.stdout
    assert "block@ann" in ground.run("cat /opt/gostead/state/registry").stdout
    ground.run("umount /home/ann", check=True)
    assert ground.gostead(*remove).returncode == 0
    assert before.changes(ground.digest()) == []


def test_what_the_user_made_theirs_does_not_hold_the_removal_up(
    site: Site, ground: Sandbox
) -> None:
    ground.run("rm -rf /etc/fish")
    site.declare(users=["ann"], shells={"kinds": ["fish"]})
    assert site.apply(ground)["exit"] == 0
    ground.run("echo '# mine' >>/home/ann/.config/fish/conf.d/gostead.fish")
    site.declare(state="absent")
    report = site.apply(ground)
    assert report["exit"] == 0
    assert [f["what"] for f in of(report, "ann")["findings"]] == [
        "edited since gostead wrote it: left"
    ]
    assert ground.run("ls /opt").stdout == ""


def test_who_asks_is_not_ended_where_a_variable_quotes_the_script(
    site: Site, ground: Sandbox
) -> None:
    """sudo 1.9.16 leaves all of a command in SUDO_COMMAND, our mark with it."""
    site.declare(users=["ann"])
    assert site.apply(ground)["exit"] == 0

    def run(script: str) -> bytes:
        above = 'sh -c "$SUDO_COMMAND"; code=$?; echo alive; exit "$code"'
        done = ground.run(["sh", "-c", above], env={"SUDO_COMMAND": script})
        assert done.stdout.endswith("alive\n"), done
        return done.stdout.encode()

    ann = Person("ann", 1002, 1002, "/home/ann", "/bin/bash")
    cells = survey(run, [ann], "/opt/gostead/current/bin", shells=["bash"], modes=["login"])
    assert [cell.go for cell in cells] == ["/opt/gostead/current/bin/go"]
