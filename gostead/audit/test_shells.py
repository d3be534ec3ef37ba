"""Every way of starting a shell runs the declared Go, for every declared user: by starting it."""

from __future__ import annotations

from typing import Any

import pytest

from gostead import trace
from gostead.audit.asking import CannotAsk, Place, ask
from gostead.audit.findings import AuditFinding, NotAsDeclared
from gostead.declaration import GoSetup

SUBJECT = "shells"
LIMIT = 5.0
#: Seconds for all starts, and for all that are traced: an audit has 30.
BUDGET, TRACE_BUDGET = 16.0, 5.0


def test_every_shell_runs_the_declared_go(
    host: Any, where: Place, setup: GoSetup, note: Any, matrix: Any
) -> None:
    if setup.state == "absent":
        pytest.skip("state is absent")
    directory = f"{where.root}/current/bin"

    def run(script: str) -> bytes:
        answer = ask(host, script)
        if answer.code:
            raise CannotAsk(f"the shells could not be run: {answer.error.strip()[-300:]}")
        return answer.out.encode()

    try:
        people, installed = trace.people(run, setup.users)
    except trace.TraceError as error:
        raise NotAsDeclared(
            AuditFinding(SUBJECT, "users", str(error), "make the user, or take the name out")
        ) from None
    wanted = setup.shells.wanted(installed)
    shells = [shell for shell in wanted if shell in installed]
    cells = trace.survey(run, people, directory, shells=shells, limit=LIMIT, budget=BUDGET)
    declared: dict[str, bool] = {
        "cron": setup.shells.cron,
        "links": where.scope == "system" and setup.toolchains.links != "off",
    }
    rough = trace.verdicts(cells, {}, directory, **declared)
    wrong = [verdict.cell for verdict in rough if verdict.colour == "bad"]
    chains = trace.chains(run, wrong, people, directory, limit=2.0, budget=TRACE_BUDGET)
    judged = trace.verdicts(cells, chains, directory, **declared)
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
