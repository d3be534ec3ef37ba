"""The audit of one subject on a guest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from tests.support.cache import PROJECT
from tests.support.controller import Controller
from tests.support.keys import keys
from tests.support.vm.guest import Guest


def audited(guest: Guest, controller: Controller, subject: str) -> tuple[int, list[dict[str, Any]]]:
    """How many checks of one subject were made, and what they found. All of the audit would start
    many shells, and on an emulated processor each takes its time."""
    config, report = guest.base / "ssh_config", guest.base / "audit.json"
    config.write_text(
        f"Host guest\n HostName {guest.address}\n Port {guest.port}\n User root\n"
        f" IdentityFile {keys().client}\n UserKnownHostsFile {guest.known_hosts}\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
         "-p", "gostead.audit.plugin", "--pyargs", f"gostead.audit.test_{subject}", "--rootdir",
         str(guest.base), "-c", "/dev/null", "--import-mode=importlib", "--hosts=ssh://guest",
         f"--ssh-config={config}", f"--gostead-report={report}",
         f"--gostead-declaration={controller.site.declaration}"],
        cwd=guest.base, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stdout + done.stderr
    told = json.loads(report.read_text())
    assert told["errors"] == [], done.stdout
    return told["checks"], told["findings"]
