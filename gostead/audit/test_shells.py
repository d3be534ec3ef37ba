"""Every way of starting a shell runs the declared Go, for every declared user: by starting it."""

from __future__ import annotations

from typing import Any

import pytest

from gostead import trace
from gostead.audit.asking import Place, ask
from gostead.audit.findings import AuditFinding, NotAsDeclared
from gostead.audit.started import expected
from gostead.declaration import GoSetup

SUBJECT = "shells"
AGENT = "Library/LaunchAgents/dev.gostead.path.plist"


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


def test_programs_at_the_screen_find_the_declared_go(
    host: Any, run: trace.Run, where: Place, setup: GoSetup, shells_of: Any
) -> None:
    """launchd has the agent that sets their PATH, for each user who is logged in there."""
    if where.system != "darwin" or setup.state == "absent" or not setup.shells.gui:
        pytest.skip("nothing is declared about them")
    for person in shells_of(run, where, setup).people:
        domain, path = f"gui/{person.uid}", f"{person.home}/{AGENT}"
        if ask(host, 'grep -q -F "$2/current/bin" "$1"', path, where.root).code:
            what, mend = "is not there, or not of this root", "gostead apply"
        elif ask(host, 'launchctl print "$1"', domain).code:
            continue  # nobody is logged in: it is loaded at login
        elif ask(host, 'launchctl print "$1/dev.gostead.path"', domain).code:
            what, mend = "launchd does not have it", f"launchctl bootstrap {domain} '{path}'"
        else:
            continue
        raise NotAsDeclared(AuditFinding(SUBJECT, path, what, mend, user=person.name))
