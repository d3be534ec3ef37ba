"""Where faults are tried: a throw-away root, a site of made-up releases, and gostead between."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from typing import Any

from tests.support.cache import PROJECT
from tests.support.fault_driver import Fault
from tests.support.rendered import scripts
from tests.support.sandbox import Sandbox
from tests.support.site import Site

OLD, NEW = "1.26.8", "1.27.3"


class Ground:
    """One root, converged by `user`: root's /opt/gostead, or the home of anybody else."""

    def __init__(self, sandbox: Sandbox, site: Site, user: str = "root") -> None:
        self.sandbox = sandbox
        self.site = site
        self.user = user
        self.home = "/root" if user == "root" else f"/home/{user}"
        self.root = "/opt/gostead" if user == "root" else f"{self.home}/.local/share/gostead"
        self.bin = "/usr/local/bin" if user == "root" else f"{self.home}/.local/bin"

    def gostead(
        self, *arguments: str, fault: Fault | None = None, **run: Any
    ) -> subprocess.CompletedProcess[str]:
        """`gostead` in the root, with a fault or without; `Site.apply` and `.plan` call it."""
        run = {"user": self.user, **run}
        run["env"] = {"PYTHONPATH": str(PROJECT), **run.get("env", {})}
        module = "tests.support.fault_driver"
        return self.sandbox.python("-m", module, str(fault or Fault()), *arguments, **run)

    def apply(self, *options: str, fault: Fault | None = None, **run: Any) -> dict[str, Any]:
        """`gostead apply`: its report, which is made whatever happens on the host."""
        return self.site.apply(self, *options, fault=fault, **run)

    def plan(self, *options: str, fault: Fault | None = None, **run: Any) -> dict[str, Any]:
        """`gostead plan`: its report."""
        return self.site.plan(self, *options, fault=fault, **run)

    def converge(self, *options: str) -> dict[str, Any]:
        """`apply` that must succeed."""
        report = self.apply(*options)
        assert report["exit"] == 0, report
        return report

    def run(self, command: str, *, user: str = "", check: bool = True, **run: Any) -> str:
        """A shell command in the root, by default as who converges it; what it printed."""
        return self.sandbox.run(command, user=user or self.user, check=check, **run).stdout

    def go_version(self) -> str:
        """What the link on every PATH answers now; empty where there is none."""
        said = self.run(f"{self.bin}/go version", check=False)
        found = re.fullmatch(r"go version go(\S+) \S+\n", said)
        return found[1] if found else ""

    def leftovers(self) -> list[str]:
        """What must never outlive a run: staged trees, standby trees, locks, half-made links."""
        places = f"/opt /usr/local/bin /etc {self.home} {self.bin} {self.root}"
        names = "-name '.gostead*' -o -name '.standby*' -o -path '*/staging/*' -o -name lock"
        found = self.run(
            f"find $(ls -d {places} 2>/dev/null) -maxdepth 4 \\( {names} \\) | sort -u",
            user="root",
        )
        ours = (line for line in found.splitlines() if "gostead" in line)
        return [line for line in ours if "/.cache/" not in line]

    def assert_converged(self, version: str) -> None:
        """The declared version answers, nothing is left over, nothing is pending."""
        assert self.go_version() == version
        assert self.leftovers() == []
        report = self.plan()
        assert (report["exit"], changes(report)) == (0, {}), report


def host(report: dict[str, Any], name: str = "@local") -> dict[str, Any]:
    """A host's part of a report."""
    found: dict[str, Any] = report["hosts"][name]
    return found


def changes(report: dict[str, Any], name: str = "@local") -> dict[str, str]:
    """Item -> result of a host's changes."""
    return {change["item"]: change["result"] for change in host(report, name)["changes"]}


def told(report: dict[str, Any], name: str = "@local") -> str:
    """All that a report says went wrong with a host, or is odd there."""
    found = host(report, name)
    said = [found["error"], *(change["error"] for change in found["changes"])]
    said += [f"{finding['item']}: {finding['what']}" for finding in found["findings"]]
    return "\n".join(line for line in said if line)


def checkpoints() -> list[tuple[str, str]]:
    """Template and name of every checkpoint in every script that can reach a host."""
    return sorted(set(_checkpoints()))


def _checkpoints() -> Iterator[tuple[str, str]]:
    for name, text in scripts():
        for checkpoint in re.findall(r"^ *checkpoint ([a-z-]+)$", text, re.MULTILINE):
            yield name.rpartition("-")[0], checkpoint
