"""A host converges itself, by a systemd of its own: timer, limits, signatures, packages by pip."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.cache import PROJECT, built_once, recipe_key
from tests.support.controller import Controller
from tests.support.site import Site
from tests.support.upstream import Upstream
from tests.support.vm.accelerator import need_guests
from tests.support.vm.audit import audited
from tests.support.vm.guest import Guest

OLD, NEW = "1.26.8", "1.27.3"
SERVICE, TIMER = "gostead-converge.service", "gostead-converge.timer"
PYTHON = {"bookworm": "3.11", "trixie": "3.13"}


@pytest.fixture(scope="module", params=PYTHON)
def release(request: pytest.FixtureRequest) -> str:
    """A release whose guest is asked for."""
    need_guests()
    return str(request.param)


def wheels(version: str) -> Path:
    """What requirements/run.txt names, for that Python: a guest has no network."""
    wanted = PROJECT / "requirements/run.txt"

    def fetch(directory: Path) -> None:
        directory.mkdir(exist_ok=True)
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary", ":all:",
             "--python-version", version, "--require-hashes", "-r", str(wanted), "-d",
             str(directory)], check=True,
        )  # fmt: skip

    return built_once(f"wheels-{version}-{recipe_key(wanted.read_text())}", fetch)


def send(guest: Guest, source: Path, target: str, scratch: Path) -> None:
    """A directory, as root's, in place of what was there."""
    with tarfile.open(scratch / "tree.tar", "w") as tar:
        tar.add(source, ".")
    guest.put(scratch / "tree.tar", "/srv/tree.tar")
    guest.run(f"rm -rf {target}; mkdir -p {target}; chmod 755 {target};"
              f"tar -xof /srv/tree.tar -C {target}")  # fmt: skip


@pytest.fixture
def scheduled(
    guest: Guest, release: str, control_guest: Callable[..., Controller], tmp_path: Path
) -> tuple[Guest, Upstream, Controller, Callable[[], None]]:
    """A guest that was converged once from here, and `publish`, which it fetches from."""
    controller = control_guest(guest)
    upstream = Upstream(controller.site, installs=True)
    send(guest, wheels(PYTHON[release]), "/srv/wheels", tmp_path)
    guest.run("printf '[global]\\nno-index = true\\nfind-links = /srv/wheels\\n' >/etc/pip.conf")
    send(guest, controller.site.mirror, str(controller.site.mirror), tmp_path)

    def publish() -> None:
        send(guest, upstream.path / ".git", f"{upstream.path}/.git", tmp_path)

    # Not the default of minutes, which would be waited for.
    upstream.declare(OLD, jitter="2s")
    upstream.commit()
    publish()
    report = controller.converge()
    assert controller.changes(report)[TIMER] == "changed"
    return guest, upstream, controller, publish


def result(guest: Guest) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(guest.run("cat /opt/gostead/state/schedule.json").stdout)
    return told


def test_the_timer_brings_a_signed_commit_and_no_other(
    scheduled: tuple[Guest, Upstream, Controller, Callable[[], None]],
) -> None:
    guest, upstream, controller, publish = scheduled
    assert guest.run(f"systemctl is-enabled {TIMER}; systemctl is-active {TIMER}").stdout == (
        "enabled\nactive\n"
    )
    upstream.declare(NEW, jitter="1s")
    commit = upstream.commit()
    publish()
    # The timer itself: the clock goes past the full hour.
    guest.run("date -s '+61 minutes'")
    guest.run(f"until [ -e /opt/gostead/state/schedule.json ]; do sleep 2; done; "
              f"while [ $(systemctl is-active {SERVICE}) = activating ]; do sleep 2; done",
              timeout=1500)  # fmt: skip
    told = result(guest)
    assert (told["result"], told["good"]) == ("converged", commit), told
    assert guest.run("bash -lc 'go version'", user="deploy", check=False) is not None
    assert guest.run("/opt/gostead/current/bin/go version").stdout.split()[2] == f"go{NEW}"
    # It rewrote its own timer (the jitter), was not ended by that, and systemd knows.
    assert guest.run(f"systemctl show -p NeedDaemonReload --value {TIMER}").stdout == "no\n"
    assert guest.run(f"systemctl is-active {TIMER}").stdout == "active\n"
    checks, found = audited(guest, controller, "schedule")
    assert checks > 0
    assert found == []
    assert controller.changes(controller.converge()) == {}

    upstream.declare(OLD)
    upstream.commit(None)
    publish()
    assert guest.run(f"systemctl start {SERVICE}", check=False).returncode != 0
    assert result(guest)["result"] == "refused"
    assert guest.run("/opt/gostead/current/bin/go version").stdout.split()[2] == f"go{NEW}"
    status = guest.run(f"systemctl status {SERVICE}", check=False).stdout
    assert "not signed by one of the declared signers" in status

    upstream.git("reset", "--quiet", "--hard", commit)
    Site.declare(upstream.site, {"default": NEW}, users=["ann"])
    upstream.commit()
    publish()
    guest.run(f"systemctl start {SERVICE}", timeout=1500)
    assert guest.run(f"systemctl is-active {TIMER}; ls /etc/systemd/system/gostead*",
                     check=False).stdout == "inactive\n"  # fmt: skip
    assert guest.run("ls -d /opt/gostead/schedule /opt/.gostead*", check=False).stdout == ""
    assert controller.changes(controller.converge()) == {}
