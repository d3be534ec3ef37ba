"""gostead audit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gostead import audit
from gostead.cli.errors import CommandError
from gostead.cli.output import write_report
from gostead.cli.planning import open_session
from gostead.cli.runs import Clock, new_report, run_id
from gostead.report.matrix import matrix_lines
from gostead.report.model import FindingRow, HostReport

if TYPE_CHECKING:
    from pyinfra.api.host import Host


def audit_hosts(deep: bool, build: bool, **given: Any) -> int:
    """Exit 0 all hold, 2 findings, 1 a host could not be asked."""
    clock, run = Clock(), run_id()
    report = new_report("audit", run, given["declaration"])
    session = open_session(run, given)
    hosts = [_audited(host, Path(given["declaration"])) for host in session.hosts]
    results = audit.run(
        hosts, deep=deep, build=build, parallel=given["parallel"] or 4, timeout=given["timeout"]
    )
    for name, result in results.items():
        rows = [
            FindingRow(f.subject, f.item, f.user, f.severity, f.what, f.where, f.mend)
            for f in result.findings
        ]
        wrong = [row for row in rows if row.severity != "note"]
        status = "failed" if result.error else "pending" if wrong else "clean"
        report.hosts[name] = HostReport(
            status, result.seconds, findings=rows, error=result.error,  # type: ignore[arg-type]
            matrix=result.matrix,
        )  # fmt: skip
    report.seconds = clock.seconds()
    write_report(report, given["json_to"], session.secrets)
    if given["json_to"] != "-":
        checks = sum(result.checks for result in results.values())
        if given["verbose"]:
            for name in sorted(results):
                for line in matrix_lines(results[name].matrix):
                    click.echo(line)
        click.echo(f"{checks} checks on {len(results)} host{'s' if len(results) != 1 else ''}")
    totals = report.totals()
    if totals["failed"]:
        return 1
    return 2 if totals["pending"] else 0


def _audited(host: Host, declaration: Path) -> audit.AuditHost:
    groups = tuple(group for group in dict.fromkeys(host.groups) if group != "all")
    kind = host.connector_cls.__name__
    if kind == "LocalConnector":
        return audit.AuditHost(host.name, groups, declaration, sudo=bool(host.data.get("_sudo")))
    if kind not in ("SSHConnector", "VagrantInventoryConnector"):
        raise CommandError(f"{host.name}: the audit reaches @local and ssh hosts, not {kind}")
    names = {
        "HostName": "ssh_hostname",
        "Port": "ssh_port",
        "User": "ssh_user",
        "IdentityFile": "ssh_key",
        "UserKnownHostsFile": "ssh_known_hosts_file",
        "StrictHostKeyChecking": "ssh_strict_host_key_checking",
    }
    ssh = {option: str(host.data.get(key)) for option, key in names.items() if host.data.get(key)}
    ssh.setdefault("HostName", host.name.removeprefix("@ssh/"))
    return audit.AuditHost(host.name, groups, declaration, ssh, bool(host.data.get("_sudo")))
