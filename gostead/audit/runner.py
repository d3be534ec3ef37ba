"""Runs the checks against hosts, a pytest process for each, and reads what they found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gostead.audit.findings import AuditFinding, HostResult

LIMIT = 30.0
DEEP_LIMIT = 900.0


@dataclass(frozen=True)
class AuditHost:
    """A host to ask. `ssh` are options of OpenSSH's client for it; empty: this machine."""

    name: str
    groups: tuple[str, ...]
    declaration: Path
    ssh: Mapping[str, str] = field(default_factory=dict)
    sudo: bool = False


def run(
    hosts: Sequence[AuditHost],
    *,
    deep: bool = False,
    build: bool = False,
    parallel: int = 4,
    timeout: float | None = None,
) -> dict[str, HostResult]:
    """Asks every host; by name, what holds and what does not. `timeout`: seconds for one host; the
    default is 30, with `deep` or `build` 900."""
    limit = timeout or (DEEP_LIMIT if deep or build else LIMIT)
    with ThreadPoolExecutor(max(1, parallel)) as pool:
        results = pool.map(lambda host: _one(host, deep, build, limit), hosts)
    return {host.name: result for host, result in zip(hosts, results, strict=True)}


def _one(host: AuditHost, deep: bool, build: bool, limit: float) -> HostResult:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gostead-audit-") as scratch:
        report = Path(scratch) / "report.json"
        command = [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
            "-p", "testinfra.plugin", "-p", "gostead.audit.plugin", "--pyargs", "gostead.audit",
            "--rootdir", scratch, "-c", "/dev/null", "--import-mode=importlib",
            f"--hosts={_spec(host, Path(scratch))}",
            f"--gostead-declaration={host.declaration.absolute()}", f"--gostead-host={host.name}",
            f"--gostead-groups={','.join(host.groups)}", f"--gostead-report={report}",
        ]  # fmt: skip
        command += [f"--ssh-config={scratch}/ssh_config"] * bool(host.ssh)
        command += ["--sudo"] * host.sudo
        command += ["--gostead-deep"] * deep + ["--gostead-build"] * build
        package = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        theirs = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
        # Whatever else is installed here, or set for somebody's own tests, has no say in an audit.
        environment = {**theirs, "PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        try:
            with _one_connection(host, Path(scratch)):
                done = subprocess.run(
                    command, capture_output=True, text=True, errors="replace", timeout=limit,
                    check=False, stdin=subprocess.DEVNULL, env=environment,
                    # Not where we stand: pytest would load the tests of whatever project is there.
                    cwd=scratch,
                )  # fmt: skip
            result = _read(report, done)
        except subprocess.TimeoutExpired:
            result = HostResult(error=f"no answer within {limit:.0f} s")
    result.seconds = time.monotonic() - started
    return result


def _spec(host: AuditHost, scratch: Path) -> str:
    if not host.ssh:
        return "local://"
    shared = {"ControlPath": f"{scratch}/ssh", "ControlMaster": "no", "ControlPersist": "60"}
    options = {"BatchMode": "yes", "ConnectTimeout": "10", **shared, **host.ssh}
    lines = [f"  {name} {_quoted(value)}" for name, value in options.items()]
    (scratch / "ssh_config").write_text("\n".join(["Host audited", *lines, ""]))
    return "ssh://audited"


@contextmanager
def _one_connection(host: AuditHost, scratch: Path) -> Iterator[None]:
    """One connection for all questions to a host; where that fails, each makes its own, and says
    why it cannot."""
    if not host.ssh:
        yield
        return
    ssh = ["ssh", "-F", str(scratch / "ssh_config")]
    nowhere = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    options: dict[str, Any] = {**nowhere, "check": False, "timeout": 15}
    with suppress(subprocess.TimeoutExpired, FileNotFoundError):
        subprocess.run([*ssh, "-o", "ControlMaster=yes", "-f", "-N", "audited"], **options)
    try:
        yield
    finally:
        # Killed before this, we leave a connection that ends by itself after ControlPersist.
        with suppress(subprocess.TimeoutExpired, FileNotFoundError):
            subprocess.run([*ssh, "-O", "exit", "audited"], **options)


def _quoted(value: str) -> str:
    if '"' in value or "\n" in value:
        raise ValueError(f"an ssh option cannot hold {value!r}")
    return f'"{value}"'


def _read(report: Path, done: subprocess.CompletedProcess[str]) -> HostResult:
    try:
        data = json.loads(report.read_text())
    except (OSError, ValueError):
        said = (done.stderr or done.stdout).strip()[-2000:]
        return HostResult(error=f"the audit did not run: {said}")
    findings = [AuditFinding(**finding) for finding in data["findings"]]
    errors = list(dict.fromkeys(data["errors"]))
    return HostResult(findings, data["checks"], "\n".join(errors[:3]) or None, data["matrix"])
