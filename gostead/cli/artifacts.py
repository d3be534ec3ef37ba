"""gostead audit --artifact: where built files run. Asks no host, and starts none of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from gostead.artifact.asking import contents_of
from gostead.artifact.model import Contents, NotABinary
from gostead.artifact.verdict import Verdict, judge
from gostead.cli.errors import CommandError
from gostead.cli.output import environment_secrets, write_json
from gostead.cli.runs import Clock, new_report, run_id
from gostead.report.model import ArtifactReport, FindingRow, redacted
from gostead.report.text import safe

SUBJECT = "artifact"


def audit_artifacts(files: tuple[str, ...], **given: Any) -> int:
    """Exit 0 all run somewhere and nothing is wrong with them, 2 findings, 1 a file cannot be
    read or is no binary: the others are told all the same."""
    for name in ("deep", "build", "project", "limit"):
        if given.get(name):
            raise CommandError(f"--artifact asks no host: --{name} means nothing beside it")
    clock, report = Clock(), new_report("audit", run_id(), given["declaration"])
    told: list[str] = []
    for file in dict.fromkeys(files):
        verdict = None
        try:
            contents = contents_of(file, given["timeout"])
        except NotABinary as error:
            report.artifacts[file] = ArtifactReport("failed", error=str(error))
        else:
            verdict = judge(contents)
            report.artifacts[file] = _row(file, contents, verdict)
        told += _lines(file, verdict, report.artifacts[file])
    report.seconds = clock.seconds()
    if given["json_to"] is not None:
        write_json(redacted(report.data(), environment_secrets()), given["json_to"])
    if given["json_to"] != "-":
        for line in told:
            click.echo(line)
    totals = report.totals()
    return 1 if totals["failed"] else 2 if totals["pending"] else 0


def _row(file: str, contents: Contents, verdict: Verdict) -> ArtifactReport:
    rows = [
        FindingRow(SUBJECT, f.item, None, f.severity, f.what, file, f.mend)
        for f in verdict.findings
    ]
    wrong = any(row.severity != "note" for row in rows)
    facts = asdict(contents)
    return ArtifactReport("pending" if wrong else "clean", verdict.title, verdict.runs, rows, facts)


def _lines(file: str, verdict: Verdict | None, row: ArtifactReport) -> Iterator[str]:
    if verdict is None:
        yield f"{safe(file)}: error: {safe(row.error)}"
        return
    yield f"{safe(file)}: {safe(verdict.title)}"
    for line in verdict.runs:
        yield f"  {safe(line)}"
    for line in verdict.details:
        yield f"    {safe(line)}"
    for finding in verdict.findings:
        item = f"{safe(finding.item)}: " if finding.item else ""
        yield f"  {finding.severity}: {item}{safe(finding.what)}"
        if finding.mend:
            yield f"      mend: {safe(finding.mend)}"
