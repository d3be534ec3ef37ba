"""Scorecard: files that somebody put at names which gostead uses on its way are never adopted."""

from __future__ import annotations

from tests.support.faults import NEW, Ground


def test_of_the_links_and_start_up_files(any_ground: Ground) -> None:
    ground = any_ground
    system = ground.user == "root"
    beside = "/etc/profile.d/.gostead-new-gostead.sh" if system else "~/.gostead-new-.profile"
    ground.run(
        f"mkdir -p {ground.bin}; echo evil >{ground.bin}/.gostead-new-go; echo evil >{beside}"
    )
    if system:
        ground.run(f"chown ann {beside} {ground.bin}/.gostead-new-go; chmod 666 {beside}")
    ground.converge()
    ground.assert_converged(NEW)
    owner = ground.run("id -u").strip()
    written = "/etc/profile.d/gostead.sh" if system else "~/.profile"
    assert ground.run(f"stat -c '%u %a' {written}") == f"{owner} 644\n"
    assert "evil" not in ground.run(f"cat {written}")


def test_of_the_staged_tree(ground: Ground) -> None:
    ground.converge()
    ground.run("mkdir -p /opt/gostead/state/staging/x.1/tree/bin; cd /opt/gostead/state/staging;"
               "echo evil >x.1/tree/bin/go; chown -R ann .")  # fmt: skip
    ground.cause("an edited file")
    ground.converge()
    ground.assert_converged(NEW)


def test_of_the_new_root(ground: Ground) -> None:
    made = "/opt/.gostead.new"
    ground.run(f"mkdir -p {made}/state {made}/toolchains/go1.27.3; echo 1 >{made}/state/format;"
               f"chown -R ann {made}")  # fmt: skip
    ground.converge()
    assert ground.go_version() == NEW
    assert ground.run("find /opt/gostead -user ann") == ""
