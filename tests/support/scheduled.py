"""A root that converges itself from a repository of its own, as the timer would have it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Any

from tests.support.sandbox import Sandbox
from tests.support.upstream import HERE, RUNNER, Upstream

OLD, NEW = "1.26.8", "1.27.3"


@dataclass
class ScheduledHost:
    """A root that converges itself from `upstream`."""

    sandbox: Sandbox
    upstream: Upstream

    def run(self, script: str = RUNNER) -> subprocess.CompletedProcess[str]:
        """What the timer runs."""
        return self.sandbox.run([script], env={"LANG": "C"}, timeout=180)

    def result(self) -> dict[str, Any]:
        """What it said of itself."""
        text = self.sandbox.run(["cat", "/opt/gostead/state/schedule.json"], check=True).stdout
        told: dict[str, Any] = json.loads(text)
        return told

    def converged(self) -> dict[str, Any]:
        done = self.run()
        assert done.returncode == 0, done.stdout + done.stderr
        assert self.result()["result"] == "converged", self.result()
        return self.result()

    def refused(self, why: str) -> None:
        """It runs, and neither Go nor the releases are others than before."""
        before = self.state()
        done = self.run()
        assert done.returncode == 1, done.stdout + done.stderr
        assert self.result()["result"] == "refused"
        assert why in self.result()["error"]
        assert why in done.stdout
        assert self.state() == before

    def state(self) -> str:
        return self.sandbox.run(
            f"readlink /opt/gostead/current; readlink {HERE}/current; cat {HERE}/good;"
            f"find {HERE}/releases {HERE}/environments -maxdepth 1 | sort"
        ).stdout

    def go(self) -> str:
        return self.sandbox.run("su - ann -c 'go version'").stdout.split()[2]
