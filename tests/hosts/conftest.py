"""What the tests of converging over ssh share."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.cache import PROJECT
from tests.support.site import Site
from tests.support.ssh_host import Fleet, SshHost


@dataclass
class Controller:
    """`gostead` on this machine, over a fleet; its cache and its home are the test's own."""

    site: Site
    fleet: Fleet
    home: Path
    user: str = "root"
    more: Mapping[str, object] | None = None

    def gostead(
        self, *arguments: str, cwd: str = "/", timeout: float = 120, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """`gostead` with these arguments."""
        face = "from gostead.cli import script; script()"
        return subprocess.run(
            [sys.executable, "-c", face, *arguments], cwd=cwd, timeout=timeout, text=True,
            capture_output=True, check=False, **options,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.home), "PYTHONPATH": str(PROJECT)},
        )  # fmt: skip

    @property
    def inventory(self) -> str:
        """The inventory file of the fleet."""
        more = self.more or {}
        return str(self.fleet.write_inventory(lambda host: {**host.data(self.user), **more}))

    def ask(self, command: str, *options: str) -> dict[str, Any]:
        """A command that answers with a report."""
        return self.site.ask(self, command, *options, inventory=self.inventory)

    def converge(self) -> dict[str, Any]:
        """`apply` that must succeed on all hosts."""
        report = self.ask("apply", "-y")
        assert report["exit"] == 0, report
        return report

    def changes(self, report: Mapping[str, Any]) -> dict[str, str]:
        """Item -> result of the only host."""
        (host,) = report["hosts"].values()
        return {change["item"]: change["result"] for change in host["changes"]}


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
