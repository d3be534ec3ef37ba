"""Every way of starting a shell runs the declared Go, for every declared user: by starting it."""

from __future__ import annotations

from typing import Any

import pytest

from gostead import trace
from gostead.audit.asking import Place
from gostead.audit.findings import AuditFinding, NotAsDeclared
from gostead.audit.started import expected
from gostead.declaration import GoSetup

SUBJECT = "shells"


def test_every_shell_runs_the_declared_go(
    run: trace.Run, where: Place, setup: GoSetup, shells_of: Any, note: Any, matrix: Any
) -> None:
    if setup.state == "absent":
        pytest.skip("state is absent")
    directory, found = f"{where.root}/current/bin", shells_of(run, where, setup)
    judged = trace.verdicts(found.cells, found.chains, directory, **expected(where, setup))
    matrix([trace.plain(v.cell) | {"verdict": v.colour} for v in judged])
    findings = [
        AuditFinding(SUBJECT, trace.ways(spoilt), verdict.what, verdict.mend, verdict.severity,
                     verdict.cell.user, verdict.where)
        for verdict, spoilt in trace.grouped(judged)
    ]  # fmt: skip
    errors = [finding for finding in findings if finding.severity == "error"]
    for finding in findings:
        if finding not in errors[:1]:
            note(finding)
    if errors:
        raise NotAsDeclared(errors[0])
