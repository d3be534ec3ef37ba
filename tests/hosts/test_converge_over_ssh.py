"""The whole life of a declared Go on hosts that are reached by ssh."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.hosts.conftest import Controller, version
from tests.support.ssh_host import Fleet

GO = {v: f"go version go{v} linux/amd64" for v in ("1.27.3", "1.26.8")}
#: Kind of host, who connects, more inventory data, and where Go then is.
PLACES = {
    "debian as root": ("debian", "root", {}, "/opt/gostead", "/usr/local/bin"),
    "debian by sudo": ("debian", "deploy", {"_sudo": True}, "/opt/gostead", "/usr/local/bin"),
    "debian in a home": (
        "debian", "ann", {}, "/home/ann/.local/share/gostead", "/home/ann/.local/bin",
    ),
    "debian with zsh": (
        "debian", "zed", {}, "/home/zed/.local/share/gostead", "/home/zed/.local/bin",
    ),
    "busybox as root": ("busybox", "root", {}, "/opt/gostead", "/usr/local/bin"),
    "busybox in a home": (
        "busybox", "ann", {}, "/home/ann/.local/share/gostead", "/home/ann/.local/bin",
    ),
}  # fmt: skip

#: As a person starts it.
pytestmark = pytest.mark.own_process


@pytest.mark.parametrize("place", PLACES)
def test_install_drift_repair_switch_rollback_remove(
    place: str, fleet: Callable[..., Fleet], control: Callable[..., Controller]
) -> None:
    kind, user, more, root, bin_ = PLACES[place]
    hosts = fleet(1, kind=kind)
    host, site = hosts[0], control(hosts).site
    host.ssh("true", user=user)
    controller = control(hosts, user, **more)
    baseline = host.digest()

    controller.converge()
    assert version(host, f"{bin_}/go version", user) == GO["1.27.3"]
    before = host.digest(times=True, exclude=[f"/home/{user}/.cache"])
    assert controller.changes(controller.converge()) == {}
    assert before.changes(host.digest(times=True, exclude=[f"/home/{user}/.cache"])) == []

    host.run(f"rm -rf {root}/toolchains/go1.27.3/pkg/tool; chmod 666 {root}/env.sh", check=True)
    mended = {f"{root}/toolchains/go1.27.3": "changed", f"{root}/env.sh": "changed"}
    assert controller.changes(controller.converge()) == mended
    assert controller.ask("plan")["exit"] == 0

    site.declare({"default": "1.26.8"})
    controller.converge()
    assert version(host, f"{bin_}/go version", user) == GO["1.26.8"]
    assert controller.ask("rollback")["exit"] == 0
    assert version(host, f"{bin_}/go version", user) == GO["1.27.3"]
    assert controller.changes(controller.converge()) == {}
    assert controller.ask("release")["exit"] == 0
    controller.converge()
    assert version(host, f"{bin_}/go version", user) == GO["1.26.8"]

    assert controller.ask("remove", "-y")["exit"] == 0
    assert baseline.changes(host.digest()) == []


@pytest.mark.parametrize(
    ("kind", "shells"), [("debian", ["bash -lc", "sh -lc", "zsh -lc", "sh -c"]),
                         ("busybox", ["sh -lc", "sh -c"])],
)  # fmt: skip
def test_every_shell_of_every_user_finds_it_in_system_scope(
    kind: str, shells: list[str], fleet: Callable[..., Fleet], control: Callable[..., Controller]
) -> None:
    hosts = fleet(1, kind=kind)
    control(hosts).converge()
    for user in ("root", "deploy", "zed", "ann"):
        assert version(hosts[0], user=user) == GO["1.27.3"]
        for shell in shells:
            assert version(hosts[0], f"{shell} 'go version'", user) == GO["1.27.3"], (user, shell)


def test_a_login_shell_finds_it_in_user_scope(
    fleet: Callable[..., Fleet], control: Callable[..., Controller]
) -> None:
    hosts = fleet(1)
    for user, shell in (("ann", "bash -lc"), ("zed", "zsh -lc"), ("ann", "sh -lc")):
        control(hosts, user).converge()
        assert version(hosts[0], f"{shell} 'go version'", user) == GO["1.27.3"]


def test_one_host_with_a_read_only_root_fails_alone(
    fleet: Callable[..., Fleet], control: Callable[..., Controller]
) -> None:
    hosts = fleet(3)
    hosts[1].run("mount --bind /opt /opt && mount -o remount,ro,bind /opt", check=True)
    report = control(hosts).ask("apply", "-y")
    assert report["exit"] == 1
    status = {name: told["status"] for name, told in report["hosts"].items()}
    assert status == {"web1": "changed", "web2": "failed", "web3": "changed"}
    assert "cannot write /opt" in str(report["hosts"]["web2"])
    for host in (hosts[0], hosts[2]):
        assert version(host) == GO["1.27.3"]
