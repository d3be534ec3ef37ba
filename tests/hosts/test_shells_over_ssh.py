"""The audit starts shells as sshd would; here sshd itself does, and both must say the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.hosts.conftest import Controller, version
from tests.support.ssh_host import Fleet

BIN = "/opt/gostead/current/bin"


def test_ssh_commands_and_terminals_get_it(
    fleet: Callable[..., Fleet], control: Callable[..., Controller]
) -> None:
    hosts = fleet(1)
    host = hosts[0]
    host.run(
        "mkdir -p /srv/other; printf '#!/bin/sh\\n' >/srv/other/go; chmod 755 /srv/other/go;"
        "usermod -s /bin/sh deploy; echo 'PATH=/srv/other:$PATH' >>/home/ann/.bashrc",
        check=True,
    )
    controller = control(hosts, "root")
    controller.site.declare(users=["self", "ann", "zed", "deploy"])
    controller.converge()
    report = controller.ask("audit")
    cells = {
        (c["user"], c["mode"]): c
        for c in next(iter(report["hosts"].values()))["matrix"]
        if c["mode"].startswith("ssh-")
    }
    for user in ("root", "ann", "zed", "deploy"):
        told = cells[user, "ssh-command"]
        seen = version(host, 'command -v go; echo "$PATH"', user).split("\n")
        assert seen == [told["go"], told["path"]], user
        assert seen[0] == f"{BIN}/go"
        done = host.ssh("-tt", "exec $SHELL -l -i -c 'echo go:$PATH:'", user=user)
        assert f"go:{BIN}:" in done.stdout, (user, done.stdout)
        assert cells[user, "ssh-terminal"]["go"] == f"{BIN}/go"


@pytest.mark.parametrize("kind", ["busybox"])
def test_ash_and_busybox_are_served_too(
    kind: str, fleet: Callable[..., Fleet], control: Callable[..., Controller]
) -> None:
    hosts = fleet(1, kind=kind)
    host = hosts[0]
    controller = control(hosts, "root")
    before = host.digest()
    controller.site.declare(users=["self", "ann"])
    controller.converge()
    assert version(host, "sh -lc 'command -v go'", "ann") == f"{BIN}/go"
    report = controller.ask("audit")
    cells = [c for c in next(iter(report["hosts"].values()))["matrix"] if c["user"] == "ann"]
    login = next(c for c in cells if (c["shell"], c["mode"]) == ("sh", "login"))
    assert (login["go"], login["count"]) == (f"{BIN}/go", 1)
    assert controller.ask("remove", "-y")["exit"] == 0
    assert before.changes(host.digest(exclude=["/root/.cache"])) == []
