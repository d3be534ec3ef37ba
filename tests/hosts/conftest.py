"""What the tests of converging over ssh share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.controller import Controller
from tests.support.site import Site
from tests.support.ssh_host import Fleet, SshHost

__all__ = ["Controller", "control", "version"]


@pytest.fixture
def control(tmp_path: Path) -> Callable[..., Controller]:
    """Return a function that makes a controller of a fleet: `control(fleet(1), "deploy")`."""
    for name in ("site", "home"):
        (tmp_path / name).mkdir()
    site = Site(tmp_path / "site")

    def make(hosts: Fleet, user: str = "root", **more: object) -> Controller:
        return Controller(site, hosts, tmp_path / "home", user, more)

    return make


def version(host: SshHost, command: str = "go version", user: str = "root") -> str:
    """What a command line that comes in by ssh answers."""
    return host.ssh(command, user=user).stdout.strip()
