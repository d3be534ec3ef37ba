"""`gostead` on this machine, over hosts that are reached by ssh."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.support import preloaded
from tests.support.cache import PROJECT
from tests.support.fault_driver import Fault
from tests.support.site import Site


class Inventoried(Protocol):
    """What writes an inventory file: a fleet, or a guest."""

    @property
    def write_inventory(self) -> Callable[[Callable[[Any], dict[str, object]]], Path]: ...


@dataclass
class Controller:
    """`gostead` on this machine, over hosts; its cache and its home are the test's own."""

    site: Site
    fleet: Inventoried
    home: Path
    user: str = "root"
    more: Mapping[str, object] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 120  # the longest that a command may take

    def gostead(
        self, *arguments: str, cwd: str = "/", timeout: float | None = None,
        fault: Fault | None = None, **options: Any,
    ) -> subprocess.CompletedProcess[str]:  # fmt: skip
        """`gostead` with these arguments; a `fault` is built into its scripts."""
        given = [*preloaded.face(fault), *arguments]
        env = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.home),
            "PYTHONPATH": str(PROJECT),
            **self.environment,
        }
        seconds = timeout or self.seconds
        if preloaded.can_fork(given, env, **options):
            return preloaded.run(given, env=env, cwd=cwd, timeout=seconds, **options)
        return subprocess.run(
            [sys.executable, *given], cwd=cwd, text=True, timeout=seconds, capture_output=True,
            check=False, env=env, **options,
        )  # fmt: skip

    @property
    def inventory(self) -> str:
        """The inventory file of the fleet."""
        more = self.more or {}
        return str(self.fleet.write_inventory(lambda host: {**host.data(self.user), **more}))

    def ask(self, command: str, *options: str, fault: Fault | None = None) -> dict[str, Any]:
        """A command that answers with a report."""
        return self.site.ask(self, command, *options, inventory=self.inventory, fault=fault)

    def converge(self) -> dict[str, Any]:
        """`apply` that must succeed on all hosts."""
        report = self.ask("apply", "-y")
        assert report["exit"] == 0, report
        return report

    def changes(self, report: Mapping[str, Any]) -> dict[str, str]:
        """Item -> result of the only host."""
        (host,) = report["hosts"].values()
        return {change["item"]: change["result"] for change in host["changes"]}
