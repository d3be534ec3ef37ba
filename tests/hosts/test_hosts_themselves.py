"""The ssh hosts of the tests are what they say they are, and go away."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cache import cache_dir, file_system_of
from tests.support.netns import INTERFACE_PREFIX, Network
from tests.support.ssh_host import Fleet, SshHost

pytestmark = pytest.mark.usefixtures("network")


@pytest.mark.parametrize("user", ["root", "deploy", "zed", "ann"])
@pytest.mark.parametrize("kind", ["debian", "busybox"])
def test_ssh_lets_each_user_in(fleet: Callable[..., Fleet], kind: str, user: str) -> None:
    host = fleet(1, kind=kind)[0]
    done = host.ssh("id -un; hostname", user=user)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{user}\nweb1\n", "")


def test_shells_and_rights_of_the_debian_users(ssh_host: SshHost) -> None:
    assert ssh_host.ssh("sudo -n id -u", user="deploy").stdout == "0\n"
    for user in ("zed", "ann"):
        assert ssh_host.ssh("sudo -n id -u", user=user).returncode != 0
    assert ssh_host.ssh("echo $ZSH_VERSION", user="zed").stdout.startswith("5.")
    assert ssh_host.ssh("echo $BASH_VERSION", user="ann").stdout.startswith("5.")


def test_hosts_have_no_python(ssh_host: SshHost, busybox_host: SshHost) -> None:
    for host in (ssh_host, busybox_host):
        assert host.run("command -v python3 python perl5 go").returncode != 0


def test_the_busybox_host_has_no_gnu_tool(busybox_host: SshHost) -> None:
    """Whatever a login shell finds on PATH is a link to busybox, or sshd."""
    listing = busybox_host.run(
        "for d in /bin /sbin /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin; do"
        ' for f in "$d"/*; do [ -e "$f" ] && readlink -f "$f"; done; done | sort -u',
        check=True,
    ).stdout.split()
    assert listing == ["/bin/busybox", "/usr/sbin/sshd"]
    for tool in ("sh", "find", "stat", "sed", "tar", "sort", "xargs"):
        said = busybox_host.ssh(f"{tool} --help 2>&1 | head -1", user="deploy").stdout
        assert "BusyBox" in said, tool
    assert busybox_host.ssh("find . -cnewer /etc/passwd").returncode != 0
    assert not list((busybox_host.path / "lib/x86_64-linux-gnu").glob("libreadline*"))


def test_the_busybox_host_reads_profile_d_in_a_login_shell(busybox_host: SshHost) -> None:
    (busybox_host.path / "etc/profile.d/x.sh").write_text("export FROM_PROFILE_D=yes\n")
    said = busybox_host.ssh("sh -lc 'echo $FROM_PROFILE_D $PATH'", user="deploy").stdout
    assert said == "yes /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n" or (
        said.startswith("yes ") and "/usr/local/bin" in said
    )


@pytest.mark.parametrize("kind", ["debian", "busybox"])
def test_pyinfra_connects_with_the_inventory(
    fleet: Callable[..., Fleet], kind: str, tmp_path: Path
) -> None:
    hosts = fleet(2, kind=kind)
    command = [sys.executable, "-m", "pyinfra", "-y", str(hosts.inventory("deploy"))]
    done = subprocess.run(
        [*command, "exec", "--", "id -un; hostname"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for host in hosts:
        said = re.findall(rf"^\[{host.name}\] (\w+)$", done.stderr, re.MULTILINE)
        assert said == ["deploy", host.name]


def test_another_host_key_is_refused(ssh_host: SshHost) -> None:
    key = "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    ssh_host.known_hosts.write_text(f"{ssh_host.address} ssh-ed25519 {key}\n")
    done = ssh_host.ssh("true")
    assert done.returncode == 255
    assert "verification failed" in done.stderr


def test_the_side_door_and_the_front_door_lead_to_the_same_host(ssh_host: SshHost) -> None:
    ssh_host.ssh("echo by-ssh > /tmp/x")
    assert ssh_host.run("cat /tmp/x", user="ann").stdout == "by-ssh\n"
    assert (ssh_host.path / "tmp/x").read_text() == "by-ssh\n"
    assert not Path("/tmp/x").exists()


def test_a_login_changes_nothing_that_the_digest_covers(
    ssh_host: SshHost, busybox_host: SshHost
) -> None:
    for host in (ssh_host, busybox_host):
        for user in ("root", "deploy", "zed", "ann"):
            host.ssh("true", user=user)
        before = host.digest(times=True)
        for user in ("root", "deploy", "zed", "ann"):
            assert host.ssh("true", user=user).returncode == 0
        assert before.changes(host.digest(times=True)) == []


def test_hosts_of_a_fleet_are_separate(fleet: Callable[..., Fleet]) -> None:
    one, two = fleet(2)
    one.run("touch /opt/only-on-one", check=True)
    assert not (two.path / "opt/only-on-one").exists()
    assert one.address != two.address
    for kind in ("pid", "mnt", "net"):
        own = [host.run(["readlink", f"/proc/1/ns/{kind}"]).stdout for host in (one, two)]
        assert own[0] != own[1]


def test_a_host_reaches_the_machine_in_the_networks_own_address_only(
    ssh_host: SshHost, network: Network
) -> None:
    curl = "curl -sS --connect-timeout 2"
    refused = ssh_host.run(f"{curl} http://{network.address}:9/")
    assert "Connection refused" in refused.stderr or "Couldn't connect" in refused.stderr
    assert ssh_host.run(f"{curl} http://192.0.2.1/").returncode == 7
    assert ssh_host.run("cat /proc/net/route | wc -l").stdout == "2\n"


def test_a_cut_cable_is_a_silent_host_and_can_be_mended(ssh_host: SshHost) -> None:
    ssh_host.cut()
    with pytest.raises(subprocess.TimeoutExpired):
        ssh_host.ssh("true", timeout=1)
    ssh_host.mend()
    assert ssh_host.ssh("echo back").stdout == "back\n"


def test_a_layer_of_one_host_is_the_start_of_others(fleet: Callable[..., Fleet]) -> None:
    if file_system_of(cache_dir()) == "overlay":
        pytest.skip("the cache is on an overlay: what hosts write is in a tmpfs of their own")
    first = fleet(1)[0]
    first.run("mkdir /opt/made && echo once > /opt/made/x && rm /etc/motd", check=True)
    first.stop()
    for host in fleet(2, layers=[first.upper]):
        assert host.run("cat /opt/made/x", check=True).stdout == "once\n"
        assert not (host.path / "etc/motd").exists()
        host.run("rm -r /opt/made", check=True)
    assert (first.upper / "opt/made/x").exists()


def test_twenty_hosts_start_within_seconds_and_end_at_once(network: Network) -> None:
    from tests.support.rootfs import debian

    started = time.monotonic()
    with Fleet([SshHost(debian(), network, name=f"h{n}") for n in range(20)]) as hosts:
        assert time.monotonic() - started < 10
        pids = [host.pid for host in hosts]
        bases = [host.base for host in hosts]
        assert hosts[19].ssh("hostname").stdout == "h19\n"
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not any(base.exists() for base in bases)


def test_a_network_ends_with_its_interface() -> None:
    with Network() as second:
        interface = Path("/sys/class/net", second.interface)
        assert interface.exists()
        assert interface.name.startswith(INTERFACE_PREFIX)
    assert not interface.exists()


def test_hosts_end_also_when_one_of_them_cannot_start(network: Network, tmp_path: Path) -> None:
    from tests.support.rootfs import debian

    good = SshHost(debian(), network, name="good")
    bad = SshHost(tmp_path / "nowhere", network, name="bad")
    with pytest.raises(RuntimeError, match="bad"), Fleet([good, bad]):
        pytest.fail("a fleet with a broken host has started")
    assert not Path(f"/proc/{good.pid}/root/etc").exists()
