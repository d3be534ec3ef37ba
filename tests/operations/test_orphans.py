"""Orphans of Go work: found by what they run, told or ended."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.orphaned import (
    KINDS,
    RUN_CHILD,
    age,
    alive,
    apply,
    child_of,
    declare,
    in_cgroup,
    in_image,
    of,
    plan,
    start,
)
from tests.support.sandbox import Sandbox
from tests.support.site import Site


def test_each_kind_is_told_and_left_running(site: Site, ground: Sandbox) -> None:
    pids = {path: start(ground, path) for path in KINDS}
    ground.run(["rm", RUN_CHILD], check=True)  # as go does when it is ended by a signal
    age()
    declare(site, "report")
    before = ground.digest(exclude=["/root/.cache"])
    report = plan(site, ground)
    assert (report["exit"], report["hosts"]["@local"]["changes"]) == (0, [])
    told = {f["item"]: f for f in of(report)}
    assert set(told) == {f"process {pid} ({KINDS[path]})" for path, pid in pids.items()}
    for finding in told.values():
        assert (finding["severity"], finding["user"]) == ("warning", "ann")
        assert "runs for " in finding["what"]
        assert "iB, and what" in finding["what"]
    assert apply(site, ground)["exit"] == 0
    assert all(alive(ground, pid) for pid in pids.values())
    assert before.changes(ground.digest(exclude=["/root/.cache"])) == []


def test_each_kind_is_ended_and_stays_so(site: Site, ground: Sandbox) -> None:
    pids = [start(ground, path) for path in KINDS]
    ground.run(["rm", RUN_CHILD], check=True)
    age()
    declare(site)
    planned = plan(site, ground)
    assert (planned["exit"], len(of(planned, "changes"))) == (2, len(pids))
    assert all(alive(ground, pid) for pid in pids)
    report = apply(site, ground)
    assert report["exit"] == 0, report
    assert {c["result"] for c in of(report, "changes")} == {"changed"}
    assert {c["item"] for c in of(report, "changes")} == {c["item"] for c in of(planned, "changes")}
    assert not any(alive(ground, pid) for pid in pids)
    again = apply(site, ground)
    assert (again["exit"], of(again, "changes"), of(again)) == (0, [], [])


def test_the_default_tells_and_off_does_not_look(site: Site, ground: Sandbox) -> None:
    start(ground, RUN_CHILD)
    age()
    site.declare(users=["ann"])
    assert of(plan(site, ground)) == []  # not yet 30 minutes old
    site.declare(users=["ann"], orphans={"min_age": "1s"})
    assert len(of(plan(site, ground))) == 1
    declare(site, "off")
    assert of(plan(site, ground)) == []
    declare(site, "report")  # and on the other system alone
    site.declare(layer="linux", orphans={"action": "off"})
    report = plan(site, ground)
    assert (of(report), of(report, "changes")) == ([], [])


@pytest.mark.parametrize(
    "cgroup",
    [
        "0::/user.slice/user-1002.slice/session-3.scope",
        "0::/user.slice/user-1002.slice/user@1002.service/app.slice/run-u1.scope",
        "12:pids:/system.slice/x.service\n1:name=systemd:/user.slice/user-1002.slice/session-3.scope",
    ],
)
def test_sessions_and_scopes_of_the_user_are_looked_at(
    site: Site, ground: Sandbox, cgroup: str
) -> None:
    pid = start(ground, RUN_CHILD)
    in_cgroup(ground, pid, cgroup)
    age()
    declare(site)
    assert apply(site, ground)["exit"] == 0
    assert not alive(ground, pid)


@pytest.mark.parametrize(("name", "user", "ended"), [
    ("systemd", "ann", True), ("bash", "ann", False), ("systemd", "root", False),
])  # fmt: skip
def test_the_users_own_systemd_takes_orphans_up(
    site: Site, ground: Sandbox, name: str, user: str, ended: bool
) -> None:
    ground.run("mkdir -p /tmp/go-build1/b001/exe; cp /bin/sleep /tmp/go-build1/b001/exe/server")
    run = "setpriv --reuid 1002 --regid 1002 --clear-groups " if user == "root" else ""
    manager = start(ground, f"/srv/{user}/{name}", "-c",
                    f"{run}/tmp/go-build1/b001/exe/server 1000 & wait; sleep 1000",
                    user=user, program="/bin/dash") if user == "root" else start(
        ground, f"/home/ann/lib/{name}", "-c", "/tmp/go-build1/b001/exe/server 1000 & wait",
        program="/bin/dash")  # fmt: skip
    pid = child_of(ground, manager)
    age()
    declare(site)
    assert apply(site, ground)["exit"] == 0
    assert alive(ground, pid) is not ended


def test_what_becomes_an_orphan_during_the_run_is_the_next_runs(
    site: Site, ground: Sandbox
) -> None:
    """dlv and what it debugs; and the directory that only an orphan used."""
    ground.run("mkdir -p web; cp /bin/sleep web/__debug_bin3141", user="ann", check=True)
    dlv = start(ground, "/home/ann/go/bin/dlv", "-c", "~/web/__debug_bin3141 1000 & wait",
                program="/bin/dash")  # fmt: skip
    debuggee = child_of(ground, dlv)
    directory = RUN_CHILD.removesuffix("/b001/exe/server")
    child = start(ground, RUN_CHILD)
    ground.run(["touch", "-d", "-2 days", directory], user="ann", check=True)
    age()
    declare(site)
    report = apply(site, ground)
    assert report["exit"] == 0, report
    assert {(c["item"], c["result"]) for c in of(report, "changes")} == {
        (f"process {dlv} (dlv)", "changed"),
        (f"process {child} (go run child server)", "changed"),
    }
    later = {f"process {debuggee} (dlv's debuggee __debug_bin3141)", directory}
    assert {f["item"] for f in of(report)} == later
    assert {(f["severity"], f["mend"]) for f in of(report)} == {("note", "gostead apply")}
    assert alive(ground, debuggee)
    report = apply(site, ground)
    assert (report["exit"], {c["item"] for c in of(report, "changes")}) == (0, later), report
    assert not alive(ground, debuggee)
    report = apply(site, ground)
    assert (report["exit"], of(report, "changes"), of(report)) == (0, [], [])


def test_a_zombie_is_named_with_who_could_reap_it(site: Site, ground: Sandbox) -> None:
    ground.run("mkdir -p /tmp/go-build1/b001; cp /bin/true /tmp/go-build1/b001/web.test")
    words = ("-c", "/tmp/go-build1/b001/web.test & exec sleep 1000")
    parent = start(ground, "/home/ann/shell", *words, program="/bin/dash")
    zombie = child_of(ground, parent)
    age()
    declare(site)
    report = apply(site, ground)
    assert (report["exit"], of(report, "changes")) == (0, [])
    (note,) = of(report)
    assert (note["severity"], note["item"]) == ("note", f"process {zombie} (web.test)")
    assert f"process {parent} (sleep)" in note["what"]


HOSTILE = (
    '/tmp/a\nlrwxrwxrwx 1 0 0 0 Jan 1 00:00 %s$(id >"/pwned")\x1b[31m\'/go-build9/b001/exe/x\ny'
)


def test_hostile_names_are_names(site: Site, ground: Sandbox) -> None:
    path = HOSTILE % "1 "
    pid = start(
        ground, path, "-c", "sleep 1000; :", "$(touch /pwned)\n\x1b[2J", program="/bin/dash"
    )
    # A name that says it is another process.
    renamed = start(ground, "/tmp/go-build4/b001/exe/x) S 1 1 1 (y", "1000")
    age()
    declare(site)
    done = ground.gostead("plan", "@local", "--declaration", str(site.declaration),
                          "--subject", "orphans", cwd="/")  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "\x1b" not in done.stdout
    report = apply(site, ground)
    assert report["exit"] == 0, report
    assert len(of(report, "changes")) == 2
    assert not alive(ground, pid)
    assert not alive(ground, renamed)
    assert ground.run("ls /pwned").returncode != 0


def test_user_scope_looks_at_oneself(site: Site, ground: Sandbox) -> None:
    mine = start(ground, RUN_CHILD)
    theirs = start(ground, "/tmp/go-build5/b001/exe/server", user="zed")
    age()
    site.declare(scope="user", orphans={"action": "terminate", "min_age": "1s"})
    report = apply(site, ground, user="ann")
    assert report["exit"] == 0, report
    assert len(of(report, "changes")) == 1
    assert not alive(ground, mine)
    assert alive(ground, theirs)


def test_two_runs_at_once(site: Site, ground: Sandbox) -> None:
    pids = [start(ground, path) for path in KINDS]
    age()
    declare(site)
    with ThreadPoolExecutor(2) as pool:
        reports = [r.result() for r in [pool.submit(apply, site, ground) for _ in range(2)]]
    assert [report["exit"] for report in reports] == [0, 0], reports
    assert not any(alive(ground, pid) for pid in pids)


def test_the_audit_finds_what_is_left_by_ps(site: Site, ground: Sandbox) -> None:
    declare(site)
    assert site.apply(ground)["exit"] == 0
    kept = [start(ground, "/tmp/go-build5/b001/exe/server", user="zed"),
            start(ground, "/home/ann/bin/server"), in_image(ground)]  # fmt: skip
    served = start(ground, "/tmp/go-build6/b001/exe/server")
    in_cgroup(ground, served, "0::/system.slice/x.service")
    age()
    assert of(site.ask(ground, "audit")) == []
    pids = {start(ground, path) for path in KINDS}
    age()
    report = site.ask(ground, "audit")
    assert report["exit"] == 2
    assert {f["item"] for f in of(report)} == {f"process {pid}" for pid in pids}
    assert "error" in {f["severity"] for f in of(report)}
    declare(site, "report")
    assert {f["severity"] for f in of(site.ask(ground, "audit"))} == {"warning"}
    declare(site)
    assert site.apply(ground)["exit"] == 0
    assert of(site.ask(ground, "audit")) == []
    assert all(alive(ground, pid) for pid in (*kept, served))
