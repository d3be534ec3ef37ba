"""Several hosts in one run: one that is gone, canaries, limits, and the audit over ssh."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.hosts.conftest import Controller, version
from tests.support.report_schema import check_report
from tests.support.ssh_host import Fleet

Hosts = Callable[..., Fleet]
Control = Callable[..., Controller]
#: Seconds, on a machine that is busy. Without the limit these hosts keep a run for 30, or for ever.
SOON = 15
READ_ONLY = "mount --bind /opt /opt && mount -o remount,ro,bind /opt"


def statuses(report: dict[str, dict[str, dict[str, str]]]) -> dict[str, str]:
    return {name: told["status"] for name, told in report["hosts"].items()}


def test_an_unreachable_host_is_named_and_the_others_converge(
    fleet: Hosts, control: Control
) -> None:
    hosts = fleet(3)
    controller = control(hosts)
    inventory = controller.inventory
    hosts[1].run("kill $(pidof sshd)")
    report = controller.site.ask(controller, "apply", "-y", "--timeout", "4", inventory=inventory)
    check_report(report)
    assert report["exit"] == 1
    assert statuses(report) == {"web1": "changed", "web2": "unreachable", "web3": "changed"}
    assert report["hosts"]["web2"]["error"]
    assert version(hosts[2]) == "go version go1.27.3 linux/amd64"


def test_a_canary_that_fails_keeps_the_others_as_they_were(fleet: Hosts, control: Control) -> None:
    hosts = fleet(3)
    hosts[0].run(READ_ONLY, check=True)
    report = control(hosts).ask("apply", "-y", "--canary", "1")
    assert report["exit"] == 1
    assert statuses(report) == {"web1": "failed", "web2": "pending", "web3": "pending"}
    assert "a canary host failed" in report["hosts"]["web3"]["error"]
    assert hosts[2].run("ls /opt").stdout == ""


def test_a_good_canary_lets_the_others_begin(fleet: Hosts, control: Control) -> None:
    report = control(fleet(3)).ask("apply", "-y", "--canary", "1")
    assert (report["exit"], set(statuses(report).values())) == (0, {"changed"})


def test_no_more_batches_after_too_many_failures(fleet: Hosts, control: Control) -> None:
    hosts = fleet(2)
    hosts[0].run(READ_ONLY, check=True)
    report = control(hosts).ask("apply", "-y", "--max-fail", "0", "--parallel", "1")
    assert statuses(report) == {"web1": "failed", "web2": "pending"}


def test_limit_leaves_the_others_out(fleet: Hosts, control: Control) -> None:
    hosts = fleet(2)
    report = control(hosts).ask("apply", "-y", "--limit", "web2")
    assert statuses(report) == {"web2": "changed"}
    assert hosts[0].run("ls /opt").stdout == ""


def test_a_password_for_sudo_is_refused_and_shown_nowhere(fleet: Hosts, control: Control) -> None:
    controller = control(fleet(1), "deploy", _sudo=True, _sudo_password="canary-secret")  # noqa: S106
    report = controller.ask("apply", "-y")
    assert report["exit"] == 1
    assert "NOPASSWD" in str(report)
    assert "canary-secret" not in str(report)


@pytest.mark.parametrize(
    ("kind", "user"), [("debian", "root"), ("busybox", "root"), ("debian", "ann")]
)
def test_the_audit_over_ssh_holds_and_then_finds(
    kind: str, user: str, fleet: Hosts, control: Control
) -> None:
    hosts = fleet(1, kind=kind)
    controller = control(hosts, user)
    controller.converge()
    report = controller.ask("audit", "--deep")
    assert report["exit"] == 0, [h["findings"] for h in report["hosts"].values()]
    root = "/opt/gostead" if user == "root" else f"/home/{user}/.local/share/gostead"
    hosts[0].run(f"rm -r {root}/toolchains/go1.27.3/pkg/tool", check=True)
    report = controller.ask("audit")
    assert report["exit"] == 2
    assert "compile (missing)" in str(report)


def test_the_audit_says_once_why_it_cannot_ask(fleet: Hosts, control: Control) -> None:
    stranger = control(
        fleet(1), ssh_known_hosts_file="/dev/null", ssh_strict_host_key_checking="yes"
    )
    report = stranger.ask("audit")
    assert report["exit"] == 1
    (host,) = report["hosts"].values()
    assert host["error"].startswith("the host cannot be reached: ")
    assert host["error"].endswith("Host key verification failed.")
    assert host["error"].count("Host key") == 1


def test_equal_hosts_have_equal_facts(fleet: Hosts, control: Control) -> None:
    controller = control(fleet(2))
    facts = controller.ask("facts")
    hosts = [facts[name] for name in ("web1", "web2")]
    for host in hosts:
        del host["toolchains"]["free_kib"], host["toolchains"]["free_inodes"]
    assert hosts[0] == hosts[1]


@contextmanager
def mute(hello: bytes) -> Iterator[int]:
    """A port that takes every connection, says `hello`, and nothing more."""
    taken = []

    def take(server: socket.socket) -> None:
        try:
            while True:
                connection, _ = server.accept()
                taken.append(connection)
                connection.sendall(hello)
        except OSError:
            return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=take, args=[server])
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    for connection in taken:
        connection.close()


@pytest.mark.parametrize("hello", [b"", b"SSH-2.0-mute\r\n"])
def test_a_host_that_accepts_and_is_silent_is_left_after_the_timeout(
    hello: bytes, fleet: Hosts, control: Control, tmp_path: Path
) -> None:
    hosts = fleet(1)
    controller = control(hosts)
    with mute(hello) as port:
        silent = {**hosts[0].data(), "ssh_hostname": "127.0.0.1", "ssh_port": port}
        inventory = tmp_path / "two.py"
        inventory.write_text(f"both = {[('mute', silent), ('web1', hosts[0].data())]!r}\n")
        began = time.monotonic()
        done = controller.site.ask(controller, "plan", "--timeout", "1.5", inventory=str(inventory))
    assert time.monotonic() - began < SOON
    assert statuses(done) == {"mute": "unreachable", "web1": "pending"}
    assert done["hosts"]["mute"]["error"].startswith("no answer within 1.5 s")
    assert 1.5 <= done["hosts"]["mute"]["seconds"] < 3
    assert done["stderr"] == ""


@pytest.mark.parametrize(
    ("shell", "said"), [("sleep 30", "no answer within 1.5 s"), ("yes", "more than 8388608 bytes")]
)
def test_a_host_that_lets_in_and_says_nothing_or_too_much_is_left(
    shell: str, said: str, fleet: Hosts, control: Control
) -> None:
    hosts = fleet(1)
    hosts[0].run(
        f"printf '#!/bin/sh\nexec {shell}\n' > /usr/bin/odd; chmod 755 /usr/bin/odd;"
        "sed -i '/^ann:/s,[^:]*$,/usr/bin/odd,' /etc/passwd",
        check=True,
    )
    began = time.monotonic()
    report = control(hosts, "ann").ask("plan", "--timeout", "1.5")
    assert time.monotonic() - began < SOON
    assert statuses(report) == {"web1": "failed"}
    assert said in str(report["hosts"]["web1"]["error"])
    assert report["stderr"] == ""
