"""Each user's caches can be used, are nobody else's, and are where they were declared."""

from __future__ import annotations

from typing import Any

import pytest

from gostead import trace
from gostead.audit.asking import Place, ask, printable
from gostead.audit.findings import AuditFinding, NotAsDeclared
from gostead.declaration import GoSetup

SUBJECT = "caches"
TRIMMER = "dev.gostead.trim-cache"


def test_each_cache_is_its_users_alone(
    host: Any, run: trace.Run, where: Place, setup: GoSetup, shells_of: Any
) -> None:
    if setup.state == "absent" or not setup.cache.places():
        pytest.skip("no cache is declared")
    for person in shells_of(run, where, setup).people:
        for _, parent in setup.cache.places():
            path = f"{parent}/{person.uid}"
            script = 'ls -ldn "$1" | cut -c 1-10; ls -ldn "$1" | awk \'{ print $3 }\''
            mode, _, uid = ask(host, script, path).out.strip().partition("\n")
            if (mode.rstrip("."), uid) != ("drwx------", str(person.uid)):
                what = f"is {printable(mode) or 'absent'} of uid {printable(uid)}"
                raise NotAsDeclared(
                    AuditFinding(SUBJECT, path, f"{what}, expected drwx------ of {person.uid}",
                                 "gostead apply", user=person.name)
                )  # fmt: skip


def test_launchd_has_what_bounds_each_build_cache(
    host: Any, run: trace.Run, where: Place, setup: GoSetup, shells_of: Any, note: Any
) -> None:
    if where.system != "darwin" or setup.state == "absent" or not setup.cache.max_size:
        pytest.skip("nothing is declared about it")
    for person in shells_of(run, where, setup).people:
        whole = where.scope == "system"
        domain = "system" if whole else f"gui/{person.uid}"
        label = f"{TRIMMER}.{person.uid}" if whole else TRIMMER
        if not whole and ask(host, 'launchctl print "$1"', domain).code:
            what = "is trimmed when gostead runs, and daily only while this user is logged in"
            mend = "log in at the screen, or converge the Mac as root"
            note(AuditFinding(SUBJECT, "build cache", what, mend, "note", person.name))
        elif ask(host, 'launchctl print "$1"', f"{domain}/{label}").code:
            what = "launchd does not have it: the build cache is trimmed only when gostead runs"
            raise NotAsDeclared(
                AuditFinding(SUBJECT, f"{domain}/{label}", what, "gostead apply", user=person.name)
            )


def test_what_go_writes_to_is_good_for_it(
    run: trace.Run, where: Place, setup: GoSetup, shells_of: Any, note: Any,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    if setup.state == "absent":
        pytest.skip("state is absent")
    people = shells_of(run, where, setup).people
    build = request.config.getoption("--gostead-build")
    go = f"{where.root}/current/bin/go"
    ours = tuple(f"{path}/" for _, path in setup.cache.places())
    findings = []
    for trouble in trace.user_troubles(run, people, go, build=build):
        own = any(path in trouble.what for path in ours)
        mend = "gostead apply" if own else "as root, remove it: a cache is made anew"
        if "somebody else" not in trouble.what and not own:
            mend = "mend the directory, or declare another one"
        findings.append(
            AuditFinding(SUBJECT, trouble.name, trouble.what, mend,
                         "error" if trouble.name == "build" else "warning", trouble.user)
        )  # fmt: skip
    for finding in findings[1:]:
        note(finding)
    if findings:
        raise NotAsDeclared(findings[0])
