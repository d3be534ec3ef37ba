"""From looks and outcomes to the report."""

from __future__ import annotations

from collections.abc import Iterable

from gostead.cli.session import Look
from gostead.operations import context
from gostead.operations.change import Change, Finding, Outcome
from gostead.report.model import ChangeRow, FindingRow, HostReport


def change_row(look: Look, outcome: Outcome) -> ChangeRow:
    """A change with the declaration's file and line behind it."""
    change = outcome.change
    return ChangeRow(
        change.subject, change.item, change.user, change.before, change.after, change.why,
        _source(look, change), outcome.result, outcome.error, outcome.detail,
    )  # fmt: skip


def _source(look: Look, change: Change) -> str:
    if look.state is None:
        return ""
    return context.declared(look.host).source(look.state.system.name, change.key)


def finding_row(finding: Finding) -> FindingRow:
    """A finding as the report has it."""
    return FindingRow(
        finding.subject, finding.item, finding.user, finding.severity, finding.what, finding.where,
        finding.mend,
    )  # fmt: skip


def host_report(look: Look, outcomes: Iterable[Outcome] | None = None) -> HostReport:
    """A host's part: of a plan (`outcomes` None), or of what was done."""
    planned = [Outcome(change, "planned") for change in look.changes]
    rows = [change_row(look, o) for o in (planned if outcomes is None else outcomes)]
    error = look.error
    if not look.reachable:
        return HostReport("unreachable", look.seconds, error=error)
    report = HostReport("clean", look.seconds, _held(look), rows, error=error)
    report.not_applicable = [
        {"subject": subject, "why": why} for subject, why in look.not_applicable.items()
    ]
    report.findings = [finding_row(finding) for finding in look.findings]
    failures = [row.error for row in rows if row.result == "failed"]
    impossible = [f for f in look.findings if f.severity == "error"]
    if error or failures:
        report.status = "failed"
        report.error = error or failures[0]
    elif impossible:
        report.status = "failed"
        report.error = f"{impossible[0].item}: {impossible[0].what}"
    elif any(row.result == "changed" for row in rows):
        report.status = "changed"
    elif rows:
        report.status = "pending"
    return report


def _held(look: Look) -> dict[str, str] | None:
    hold = look.state.toolchains.hold if look.state else None
    if not look.held or hold is None:
        return None
    return {"version": hold.version, "who": hold.who, "why": hold.why, "until": hold.until}
