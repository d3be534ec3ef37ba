"""The whole life of a declared Go on Debian with a kernel and a systemd of its own."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.controller import Controller
from tests.support.vm.guest import Guest

GO = "go version go1.27.3 linux/amd64\n"
SIGNER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIDT0tmaSbkj9DvfTUU4UhVcVC2I5Qs5CBqgXqPNT7rP"
LOGIN_SHELLS = {"deploy": "bash -lc", "zed": "zsh -lc"}


def test_converge_reboot_converge_remove(
    guest: Guest, control_guest: Callable[..., Controller]
) -> None:
    controller = control_guest(guest)
    before = listing(guest)
    controller.site.declare(scope="system", users=["deploy", "zed"])

    assert "/opt/gostead/current" in controller.changes(controller.converge())
    guest.reboot()
    for user, shell in LOGIN_SHELLS.items():
        assert guest.run(f"{shell} 'go version'", user=user).stdout == GO
    assert guest.run("systemd-run --quiet --pipe --wait go version").stdout == GO
    assert controller.changes(controller.converge()) == {}

    assert controller.ask("remove", "-y")["exit"] == 0
    assert guest.run("test -e /opt/gostead", check=False).returncode == 1
    assert guest.run("command -v go", check=False).returncode != 0
    assert listing(guest) == before


def test_a_power_loss_right_after_changed_leaves_no_empty_file(
    guest: Guest, control_guest: Callable[..., Controller]
) -> None:
    controller = control_guest(guest, "deploy", _sudo=True)
    controller.site.declare(
        scope="system", users=["deploy"], env={"GOPRIVATE": "git.example.com"},
        slices={"builds": {"tasks_max": 300}, "units": ["cron.service"]},
        schedule={"every": "1h", "source": "https://git.example.com/x.git", "ref": "main",
                  "signers": [SIGNER]},
    )  # fmt: skip
    changed = controller.changes(controller.converge())
    written = {"/home/deploy/.zshenv", "/home/deploy/.profile", "gostead-converge.timer"}
    assert written <= {*changed}, changed
    guest.power_loss()
    # A name that is lost is made again; one without its bytes would end a shell, or a removal.
    places = "/opt/gostead /etc/profile.d /etc/zsh /etc/fish /etc/systemd/system /home/deploy"
    empty = f"find {places} -type f -size 0 ! -name empty.go ! -name .sudo_as_admin_successful"
    no_network = "! -path /opt/gostead/schedule/network"  # none is declared
    assert guest.run(f"{empty} {no_network}").stdout == ""
    assert guest.run("bash -lc 'go version'", user="deploy").stdout == GO
    controller.converge()
    assert controller.changes(controller.converge()) == {}
    cgroup = "/sys/fs/cgroup/gobuilds.slice"
    assert guest.run(f"cat {cgroup}/pids.max; ls -d {cgroup}/cron.service").stdout == (
        f"300\n{cgroup}/cron.service\n"
    )
    assert guest.run("systemctl is-active gostead-converge.timer").stdout == "active\n"


def listing(guest: Guest) -> str:
    """What gostead may touch: names, modes, owners, and the bytes of files in homes."""
    return guest.run(
        "cd / && find opt usr/local etc/profile.d home root -not -path '*/.cache*'"
        " -printf '%p %M %U:%G %l\\n' | sort;"
        " find home root -name '.*' -type f -size -100k -exec sha256sum {} + | sort"
    ).stdout
