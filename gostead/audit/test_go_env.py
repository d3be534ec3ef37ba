"""Go, asked as each declared user asks it, has the declared settings; in every shell, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from gostead import trace
from gostead.audit.asking import Place
from gostead.audit.findings import AuditFinding, NotAsDeclared
from gostead.declaration import GoSetup
from gostead.declaration.go_env import VARIABLES, shown, text_of

SUBJECT = "go_env"
#: What `go env` says in a form of its own.
OTHER_FORMS = ("GOEXPERIMENT", "GOARM", "GOARM64", "GOFIPS140")


def test_go_says_what_is_declared(
    run: trace.Run, where: Place, setup: GoSetup, shells_of: Any, note: Any
) -> None:
    if setup.state == "absent" or not (setup.settings(0) or setup.telemetry):
        pytest.skip("no setting is declared")
    people = shells_of(run, where, setup).people
    uids = {person.name: person.uid for person in people}
    findings = [
        finding
        for asked in trace.settings(run, people, f"{where.root}/current/bin/go")
        for finding in _wrong(asked, setup, uids[asked.user])
    ]
    for finding in findings[1:]:
        note(finding)
    if findings:
        raise NotAsDeclared(findings[0])


def _wrong(asked: trace.Settings, setup: GoSetup, uid: int) -> Iterator[AuditFinding]:
    if asked.error:
        yield AuditFinding(SUBJECT, "go env", f"go could not be asked: {asked.error}",
                           "gostead apply", user=asked.user)  # fmt: skip
        return
    for name, (value, _) in setup.settings(uid).items():
        present = asked.known.get(name)
        if value is None and present and present.origin == "settings file":
            yield AuditFinding(SUBJECT, name, f"stands in {asked.file}, declared is null",
                               "gostead apply", user=asked.user)  # fmt: skip
        elif value is not None and name not in (*VARIABLES, *OTHER_FORMS):
            has = present.value if present else ""
            if has != text_of(value):
                secret = isinstance(value, SecretStr)
                said = "another value" if secret else trace.redacted(has) or "nothing"
                yield AuditFinding(SUBJECT, name, f"go says {said}, declared is {shown(value)}",
                                   "gostead apply", user=asked.user)  # fmt: skip
    telemetry = asked.known.get("GOTELEMETRY")
    if setup.telemetry and (telemetry is None or telemetry.value != setup.telemetry):
        said = telemetry.value if telemetry else "nothing"
        yield AuditFinding(SUBJECT, "telemetry", f"is {said}, declared is {setup.telemetry}",
                           "gostead apply", user=asked.user)  # fmt: skip


def test_no_variable_overrules_a_setting(
    run: trace.Run, where: Place, setup: GoSetup, shells_of: Any, note: Any
) -> None:
    if setup.state == "absent" or not setup.settings(0):
        pytest.skip("no setting is declared")
    found = shells_of(run, where, setup)
    declared = {person.name: setup.digests(person.uid) for person in found.people}
    findings = [
        AuditFinding(SUBJECT, one.name, f"exported as {one.shown} ({trace.ways(one.cells)}): a "
                     "variable comes before the settings file", "take the line out", "warning",
                     one.user, one.where)
        for one in trace.overruled(found.cells, found.chains, declared)
    ]  # fmt: skip
    for finding in findings[1:]:
        note(finding)
    if findings:
        raise NotAsDeclared(findings[0])
