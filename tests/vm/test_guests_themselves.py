"""The guests of the tests are what they say they are, and go away."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.cache import PROJECT
from tests.support.mirror import Mirror
from tests.support.runs import runs_dir, sweep
from tests.support.vm.accelerator import OVERRIDE, accelerator
from tests.support.vm.guest import Guest, GuestError
from tests.support.vm.image import image
from tests.support.vm.project import put_project

#: Debian's numbers of the releases, and the series of their kernels.
VERSIONS = {"bookworm": ("12", "6.1."), "trixie": ("13", "6.12.")}


def test_it_is_the_release_with_a_kernel_of_its_own_and_has_booted(standing: Guest) -> None:
    version, series = VERSIONS[standing.release]
    said = standing.run(". /etc/os-release; echo $VERSION_ID; uname -r; cat /proc/1/comm").stdout
    found, kernel, first = said.split()
    assert (found, first) == (version, "systemd")
    assert kernel.startswith(series)
    assert kernel.endswith("-cloud-amd64")
    failed = standing.run("systemctl --failed --plain --no-legend").stdout
    assert standing.run("systemctl is-system-running", check=False).stdout == "running\n", failed


def test_every_controller_of_cgroup_v2_is_there(standing: Guest) -> None:
    controllers = standing.run("cat /sys/fs/cgroup/cgroup.controllers").stdout.split()
    assert {"memory", "cpu", "pids", "io"} <= {*controllers}
    assert standing.run("stat -f -c %T /sys/fs/cgroup").stdout == "cgroup2fs\n"


@pytest.mark.parametrize("user", ["root", "deploy", "zed", "ann"])
def test_ssh_lets_each_user_in(standing: Guest, user: str) -> None:
    assert standing.run("id -un", user=user).stdout == f"{user}\n"
    assert standing.run("sudo -n id -u", user=user, check=False).returncode == (
        0 if user in ("root", "deploy") else 1
    )


def test_a_user_has_a_service_manager_while_logged_in(standing: Guest) -> None:
    asked = "systemctl --user is-system-running --wait; systemd-run --user --scope --quiet id -un"
    assert standing.run(asked, user="deploy").stdout == "running\ndeploy\n"


def test_more_memory_than_allowed_is_death(standing: Guest) -> None:
    grow = "exec python3 -c 'print(len(bytearray({} << 20)))'"
    run = "systemd-run --quiet --pipe --wait -p MemoryMax=64M -p MemorySwapMax=0 sh -c"
    within = standing.run(f'{run} "{grow.format(16)}"', check=False)
    assert (within.returncode, within.stdout) == (0, f"{16 << 20}\n"), within
    beyond = standing.run(f'{run} "{grow.format(128)}"', check=False)
    assert beyond.returncode != 0
    assert beyond.stdout == ""
    assert "oom-kill" in standing.run("journalctl -b --no-pager -o cat | tail -50").stdout


def test_nothing_outside_is_to_be_reached(standing: Guest, mirror: Mirror) -> None:
    """Neither the Internet, nor the machine, whose loopback QEMU shows as 10.0.2.2."""
    served = mirror.serve()
    assert urllib.request.urlopen(served.url, timeout=5).status == 200  # noqa: S310
    port = served.url.rpartition(":")[2]
    for url in (f"http://10.0.2.2:{port}/", "http://192.0.2.1/", "http://10.0.2.3:53/"):
        said = standing.run(f"curl -sS --connect-timeout 3 {url}", check=False)
        assert said.returncode in (7, 28), said
    assert standing.run(f"curl -sS {served.url}/", check=False).returncode == 7
    with standing.reverse(int(port)) as url:
        assert "dl/" in standing.run(f"curl -sS {url}/").stdout
    assert standing.run(f"curl -sS {served.url}/", check=False).returncode == 7


def test_the_clock_is_right_after_a_warm_start(standing: Guest) -> None:
    assert abs(float(standing.run("date +%s.%N").stdout) - time.time()) < 10


def test_files_come_and_go(standing: Guest, tmp_path: Path) -> None:
    (tmp_path / "here").write_bytes(bytes(range(256)) * 100)
    standing.put(tmp_path / "here", "/home/ann/there", user="ann")
    standing.get("/home/ann/there", tmp_path / "back", user="ann")
    assert (tmp_path / "back").read_bytes() == (tmp_path / "here").read_bytes()
    with pytest.raises(GuestError, match="No such file"):
        standing.get("/nowhere", tmp_path / "nothing")


def test_the_project_fits_in(standing: Guest) -> None:
    put_project(standing, "/home/ann/project", user="ann")
    assert standing.run("test -x project/script/converge; ls -d project/.*", user="ann").stdout
    ours = (PROJECT / "gostead/templates/env.sh.j2").read_text()
    assert standing.run("cat /home/ann/project/templates/env.sh.j2").stdout == ours


def test_a_command_that_fails_is_told_with_what_it_said(standing: Guest) -> None:
    with pytest.raises(GuestError, match=r"(?s)'echo why >&2; exit 3' as ann ended with 3.*why"):
        standing.run("echo why >&2; exit 3", user="ann")


def test_reboot_and_power_loss(guest: Guest) -> None:
    """What was synced stays; after a power loss what was not is not vouched for."""
    first = guest.boot_id
    guest.run("echo kept >/root/kept")
    guest.reboot()
    second = guest.boot_id
    assert second != first
    guest.run("echo synced >/root/synced; sync /root/synced; echo running >/run/gone")
    guest.power_loss()
    assert guest.boot_id not in (first, second)
    assert guest.run("cat /root/kept /root/synced").stdout == "kept\nsynced\n"
    assert guest.run("test -e /run/gone", check=False).returncode == 1
    assert guest.run("systemctl is-system-running").stdout == "running\n"


def test_two_guests_stand_side_by_side(release: str, make_guest: Callable[..., Guest]) -> None:
    one, two = make_guest(release, name="web1"), make_guest(release, name="web2")
    assert one.run("hostname; touch /root/only-on-one").stdout == "web1\n"
    assert two.run("hostname; ls /root").stdout == "web2\n"
    assert one.run("cat /proc/sys/kernel/random/uuid").stdout != (
        two.run("cat /proc/sys/kernel/random/uuid").stdout
    )


class Trouble(Exception):
    """What goes wrong in a test."""


def _tells_the_console(error: Trouble) -> bool:
    return "console:" in "".join(error.__notes__)


@pytest.mark.parametrize("ends", ["well", "badly"])
def test_nothing_is_left_of_a_guest(release: str, ends: str) -> None:
    with ExitStack() as stack:
        if ends == "badly":
            stack.enter_context(pytest.raises(Trouble, check=_tells_the_console))
        guest = stack.enter_context(Guest(release))
        pid, base = guest.machine.pid, guest.base
        assert Path(f"/proc/{pid}/exe").resolve().name.startswith("qemu")
        if ends == "badly":
            raise Trouble
    assert not Path(f"/proc/{pid}").exists()
    assert not base.exists()


def test_a_killed_test_run_leaves_nothing_that_the_next_does_not_sweep() -> None:
    script = (
        "import sys, time\nfrom tests.support.vm.guest import Guest\n"
        "guest = Guest().start()\nprint(guest.machine.pid, guest.base, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pid, base = process.stdout.readline().split()
        process.kill()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
    assert Path(base).is_relative_to(runs_dir())
    sweep()
    assert not Path(base).exists()


def test_a_guest_of_another_shape_boots_cold(make_guest: Callable[..., Guest]) -> None:
    guest = make_guest("bookworm", memory=768, cpus=2)
    assert guest.run("nproc").stdout == "2\n"
    assert int(guest.run("awk '/MemTotal/ { print $2 }' /proc/meminfo").stdout) > 600 * 1024


def test_the_accelerator_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    made = image("bookworm")
    monkeypatch.setenv(OVERRIDE, "tcg")
    assert accelerator(made) == "tcg"
    monkeypatch.setenv(OVERRIDE, "tgc")
    with pytest.raises(ValueError, match="must be one of tcg, kvm"):
        accelerator(made)
