"""The timer and what belongs to it: written, enabled, mended, taken back; in images, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.root import Mount
from tests.support.sandbox import Sandbox
from tests.support.site import Site, changes
from tests.support.upstream import ABLE, GIT, HERE, RUNNER

UNITS = "/etc/systemd/system"
ENABLED = f"{UNITS}/timers.target.wants/gostead-converge.timer"
SCHEDULE = {"every": "1h", "source": "https://git.example.com/x.git", "ref": "0" * 40}
SIGNER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDY0WvraA9wEv0JY6J536YDFW6pWWQ65IXUOTbIZSnB4 ann"
#: Not the subject's: what the stand-in keeps, and the scratch of the last change.
EXCLUDED = ["/srv/told", "/run", "/root", "/opt/gostead/state/staging"]
#: systemctl of a systemd that runs, as far as gostead asks it: it writes down what it was told.
SYSTEMCTL = """\
#!/bin/sh
cd /run/systemd/system || exit 1
case $1 in
show)
  for unit in gosteadconverge.slice gostead-converge.service gostead-converge.timer; do
    echo "Id=$unit"
    if [ -e "active-$unit" ]; then echo ActiveState=active; else echo ActiveState=inactive; fi
    if [ -e "$OLDPWD/etc/systemd/system/$unit" ] && [ "/etc/systemd/system/$unit" -nt loaded ]; then
      echo NeedDaemonReload=yes; else echo NeedDaemonReload=no; fi
    echo
  done ;;
daemon-reload) echo "$*" >>/srv/told; touch loaded ;;
start | restart) echo "$*" >>/srv/told; touch "active-$2" ;;
stop) echo "$*" >>/srv/told; shift; for unit; do rm -f "active-$unit"; done ;;
esac
"""


def older_git(version: str) -> str:
    """A script that puts a git of that version before the real one."""
    says = f"'#!/bin/sh\\necho git version {version}\\n'"
    return f"printf {says} >/usr/sbin/git; chmod 755 /usr/sbin/git"


@pytest.fixture
def image(site: Site, make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A root with git in which systemd is installed, and does not run."""
    sandbox = make_sandbox(mounts=[Mount(site.directory), *GIT])
    sandbox.run(ABLE, check=True)
    return sandbox


@pytest.fixture
def booted(image: Sandbox) -> Sandbox:
    """The same, with a systemctl that says what a running systemd would."""
    boot(image)
    return image


def boot(root: Sandbox) -> None:
    """Puts the stand-in for systemctl there."""
    root.run("mkdir -p /run/systemd/system", check=True)
    (root.path / "usr/bin/systemctl").write_text(SYSTEMCTL)
    (root.path / "usr/bin/systemctl").chmod(0o755)


@pytest.fixture
def scheduled(site: Site, begin: Callable[..., Sandbox]) -> Sandbox:
    """A booted root that was brought to SCHEDULE; its timer is active."""

    def do(root: Sandbox) -> None:
        root.run(ABLE, check=True)
        boot(root)
        report = site.apply(root)
        assert report["exit"] == 0, report
        told(root)

    site.declare(users=["ann"], schedule=SCHEDULE)
    root = begin("a schedule", do, mounts=[Mount(site.directory), *GIT])
    boot(root)
    root.run("touch /run/systemd/system/loaded /run/systemd/system/active-gostead-converge.timer")
    return root


def told(root: Sandbox) -> list[str]:
    """What systemctl was told since the last time."""
    file = root.path / "srv/told"
    lines = file.read_text().splitlines() if file.exists() else []
    file.unlink(missing_ok=True)
    return lines


def findings(report: dict[str, Any], host: str = "@local") -> list[str]:
    found = report["hosts"][host]["findings"]
    return [f["what"] for f in found if f["subject"] == "schedule"]


def test_declared_it_is_there_and_once_more_nothing_is_to_do(site: Site, booted: Sandbox) -> None:
    site.declare(users=["ann"], schedule=SCHEDULE)
    report = site.apply(booted)
    assert report["exit"] == 0, report
    assert changes(report)["gostead-converge.timer"] == "changed"
    assert told(booted) == ["daemon-reload", "restart gostead-converge.timer"]
    listed = booted.run(
        f"stat -c '%n %U:%G %a' {UNITS}/gostead* {HERE} {HERE}/* {RUNNER}"
    ).stdout.splitlines()
    assert listed == [
        f"{UNITS}/gostead-converge.service root:root 644",
        f"{UNITS}/gostead-converge.timer root:root 644",
        f"{UNITS}/gosteadconverge.slice root:root 644",
        f"{HERE} root:root 700",
        f"{HERE}/allowed_signers root:root 644",
        f"{HERE}/network root:root 600",
        f"{RUNNER} root:root 755",
    ]
    assert booted.run(["readlink", "-f", ENABLED]).stdout == f"{UNITS}/gostead-converge.timer\n"
    again = site.apply(booted)
    assert (again["exit"], changes(again), told(booted)) == (0, {}, [])


@pytest.mark.parametrize(
    ("spoil", "tells"),
    [
        (f"echo '#' >>{UNITS}/gostead-converge.timer", ["daemon-reload", "restart"]),
        (f"rm {UNITS}/gosteadconverge.slice", ["daemon-reload", "restart"]),
        (f"chmod 666 {UNITS}/gostead-converge.service", ["daemon-reload", "restart"]),
        (f"rm {ENABLED}", ["daemon-reload", "restart"]),
        (f"echo 'x' >>{RUNNER}", ["start"]),
        (f"chown ann {RUNNER}", ["start"]),
        (f"echo '* ssh-ed25519 AAAA' >>{HERE}/allowed_signers", ["start"]),
        (f"chmod 755 {HERE}", ["start"]),
        (f"echo https_proxy=http://eve >>{HERE}/network", ["start"]),
        ("rm /run/systemd/system/active-gostead-converge.timer", ["start"]),
        (f"sleep 1.1; touch {UNITS}/gostead-converge.service", ["daemon-reload", "restart"]),
    ],
)
def test_one_drift_is_one_change(
    site: Site, scheduled: Sandbox, spoil: str, tells: list[str]
) -> None:
    before = scheduled.digest(exclude=EXCLUDED)
    scheduled.run(spoil, check=True)
    report = site.apply(scheduled)
    assert report["exit"] == 0, report
    assert changes(report) == {"gostead-converge.timer": "changed"}
    assert [line.split()[0] for line in told(scheduled)] == tells
    assert before.changes(scheduled.digest(exclude=EXCLUDED)) == []
    assert site.plan(scheduled)["exit"] == 0


def test_what_somebody_else_wrote_is_left(site: Site, booted: Sandbox) -> None:
    booted.run(f"mkdir -p {UNITS}; echo mine >{UNITS}/gostead-converge.service", check=True)
    site.declare(users=["ann"], schedule=SCHEDULE)
    report = site.apply(booted)
    assert report["exit"] == 1
    assert any("gostead did not write it" in what for what in findings(report))
    assert (
        booted.run(f"cat {UNITS}/gostead-converge.service; ls {UNITS}/*.timer").stdout == "mine\n"
    )


@pytest.mark.parametrize("how", ["undeclared", "remove"])
def test_it_goes_without_a_trace(site: Site, booted: Sandbox, how: str) -> None:
    site.declare(users=["ann"])
    if how == "undeclared":
        site.apply(booted)
    before = booted.digest(exclude=["/srv/told", "/run", "/root", "/opt/gostead/state"])
    site.declare(users=["ann"], schedule=SCHEDULE)
    site.apply(booted)
    booted.run(f"mkdir -p {HERE}/releases/x; echo '{{}}' >/opt/gostead/state/schedule.json")
    told(booted)
    if how == "undeclared":
        site.declare(users=["ann"])
        report = site.apply(booted)
    else:
        report = site.ask(booted, "remove", "-y")
    assert report["exit"] == 0, report
    assert changes(report)[HERE] == "changed"
    assert told(booted) == [
        "stop gostead-converge.timer",
        "stop gostead-converge.service gosteadconverge.slice",
        "daemon-reload",
    ]
    after = booted.digest(exclude=["/srv/told", "/run", "/root", "/opt/gostead/state"])
    left = [line for line in before.changes(after) if "timers.target.wants" not in line]
    assert left == []
    assert booted.run("ls /opt/gostead/state/schedule.json").returncode != 0


def test_an_edited_unit_is_left_and_said(site: Site, scheduled: Sandbox) -> None:
    scheduled.run(f"echo '# mine' >>{UNITS}/gostead-converge.service", check=True)
    report = site.ask(scheduled, "remove", "-y")
    said = [f["what"] for f in report["hosts"]["@local"]["findings"]]
    assert "edited since gostead wrote it: left" in said
    assert scheduled.run(f"tail -n 1 {UNITS}/gostead-converge.service").stdout == "# mine\n"
    assert scheduled.run(["test", "-e", f"{UNITS}/gostead-converge.timer"]).returncode == 1


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ("rm /usr/lib/systemd/systemd", "there is no systemd here"),
        ("mv /usr/bin/ssh-keygen /srv", "is not there: a scheduled run verifies with it"),
        ("rm /usr/bin/python3", "there is no Python 3.11 or newer"),
        ("ln -sf /bin/false /usr/bin/python3", "there is no Python 3.11 or newer"),
        (older_git("2.30.2"), "is older than 2.34"),
        (older_git("1.99.0"), "is older than 2.34"),
    ],
)
def test_a_host_that_cannot_is_said(site: Site, image: Sandbox, spoil: str, said: str) -> None:
    image.run(spoil, check=True)
    site.declare(users=["ann"], schedule={**SCHEDULE, "ref": "main", "signers": [SIGNER]})
    report = site.apply(image)
    assert report["exit"] == 1
    assert said in " ".join(findings(report))
    assert image.run(["test", "-e", UNITS + "/gostead-converge.timer"]).returncode == 1


def test_the_last_failed_run_is_said(site: Site, scheduled: Sandbox) -> None:
    for content in ('{"when": "W", "commit": "c", "result": "refused", "error": "moved\\u001b"}',
                    "cut"):  # fmt: skip
        (scheduled.path / "opt/gostead/state/schedule.json").write_text(content)
        report = site.plan(scheduled)
        assert report["exit"] == 0
        (what,) = [w for w in findings(report) if "the last scheduled run" in w]
        assert ("refused: moved" in what) or ("cannot be read" in what)


def test_self_is_said_to_be_another_user_there(site: Site, image: Sandbox) -> None:
    site.declare(schedule=SCHEDULE)
    assert not any("`self` is root" in what for what in findings(site.plan(image)))
    report = site.plan(image, env={"SUDO_USER": "ann"})
    assert any("`self` is root in a scheduled run, and ann" in what for what in findings(report))


def test_nothing_declared_asks_nothing(site: Site, booted: Sandbox) -> None:
    """A host without a schedule starts no process more for it."""
    site.declare(users=["ann"])
    site.apply(booted)
    (booted.path / "usr/bin/systemctl").write_text("#!/bin/sh\necho asked >>/srv/told\n")
    assert site.plan(booted)["exit"] == 0
    assert told(booted) == []


def test_an_image_is_converged_offline_and_its_copies_need_nothing(
    site: Site, image: Sandbox
) -> None:
    """`gostead apply @chroot/DIR`: units are written and enabled; no tree is built again."""
    image.run(
        "mkdir -p /srv/image && cd / && tar -cf - --one-file-system --exclude=./srv "
        "--exclude=./proc --exclude=./sys --exclude=./root . 2>/dev/null | tar -xf - -C /srv/image;"
        "cp /usr/bin/git /srv/image/usr/bin/; mkdir -p /srv/image/root /srv/image/proc",
        timeout=120,
    )  # fmt: skip
    image.run("mkdir -p /srv/image/dev; mount --rbind /dev /srv/image/dev")
    site.declare(users=["ann"], schedule=SCHEDULE)
    report = site.apply(image, inventory="@chroot//srv/image")
    (name,) = report["hosts"]
    assert report["exit"] == 0, str(report["hosts"][name]["error"]) + str(findings(report, name))
    assert changes(report, name)["gostead-converge.timer"] == "changed"
    assert image.run(["readlink", f"/srv/image{ENABLED}"]).stdout == "../gostead-converge.timer\n"
    assert image.run(["test", "-e", "/opt/gostead"]).returncode == 1, "the machine is left alone"
    image.run("umount -R /srv/image/dev; cp -a /srv/image /srv/copy;"
              "mount --rbind /dev /srv/copy/dev",
              check=True, timeout=120)  # fmt: skip
    stat = "find /srv/copy/opt/gostead/toolchains -printf '%i %C@ %p\\n'"
    before = image.run(stat).stdout
    assert "go1.27.3" in before
    copied = site.apply(image, inventory="@chroot//srv/copy")
    (name,) = copied["hosts"]
    assert copied["exit"] == 0, copied
    # Times of change are others in a copy: its tree is hashed, found good, and stamped anew.
    assert changes(copied, name) == {"/opt/gostead/state/stamps/go1.27.3": "changed"}
    assert image.run(stat).stdout == before
    assert changes(site.apply(image, inventory="@chroot//srv/copy"), name) == {}
