"""Orphans of Go work: found by what they run, told or ended; and all that is never touched."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gostead.templates import host_script
from tests.support import real_go
from tests.support.sandbox import Sandbox
from tests.support.site import Site

HASH = "ab" + "0f" * 31
RUN_CHILD = "/tmp/go-build123/b001/exe/server"
#: Where each kind runs from, and what it is called.
KINDS = {
    RUN_CHILD: "go run child server",
    f"/home/ann/.cache/go-build/ab/{HASH}-d/server": "go run child server",
    "/tmp/go-build77/b042/web.test": "test binary web.test",
    "/home/ann/sdk/pkg/tool/linux_amd64/compile": "build tool compile",
    "/home/ann/sdk/pkg/tool/linux_amd64/link": "build tool link",
    "/home/ann/go/bin/gopls": "gopls",
    "/home/ann/go/bin/dlv": "dlv",
    "/home/ann/web/__debug_bin3141": "dlv's debuggee __debug_bin3141",
}


def start(
    ground: Sandbox, path: str, *words: str, user: str = "ann", program: str = "/bin/sleep"
) -> int:
    """An orphan: what started it has ended. Its number in the root."""
    words = words or ("1000",)
    script = (
        'program=$1 path=$2; shift 2; mkdir -p "${path%/*}" && { chmod 777 "${path%/*}" || :; } && '
        'cp "$program" "$path" && cd "${path%/*}" && '
        '{ "$path" "$@" </dev/null >/dev/null 2>&1 & echo $!; }'
    )
    command = ["sh", "-c", script, "sh", program, path, *words]
    return int(ground.run(command, user=user, check=True).stdout)


def age() -> None:
    """So long that what runs is older than a second."""
    time.sleep(2.1)


def alive(ground: Sandbox, pid: int) -> bool:
    return "State:\tZ" not in (status := status_of(ground, pid)) and bool(status)


def status_of(ground: Sandbox, pid: int) -> str:
    return ground.run(["cat", f"/proc/{pid}/status"]).stdout


def start_time(ground: Sandbox, pid: int) -> str:
    return ground.run(["cat", f"/proc/{pid}/stat"]).stdout.rpartition(") ")[2].split()[19]


def of(report: dict[str, Any], kind: str = "findings") -> list[dict[str, Any]]:
    return [f for f in report["hosts"]["@local"][kind] if f["subject"] == "orphans"]


def declare(site: Site, action: str = "terminate", users: tuple[str, ...] = ("ann",)) -> None:
    site.declare(users=list(users), orphans={"action": action, "min_age": "1s"})


def apply(site: Site, ground: Sandbox, **run: Any) -> dict[str, Any]:
    return site.apply(ground, "--subject", "orphans", **run)


def plan(site: Site, ground: Sandbox, **run: Any) -> dict[str, Any]:
    return site.plan(ground, "--subject", "orphans", **run)


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


def test_what_is_not_an_orphan_is_never_touched(site: Site, ground: Sandbox) -> None:
    """Each differs from an orphan in one thing."""
    kept = {}
    # Another user's, and one that is only half that user's.
    kept["another user's"] = start(ground, "/tmp/go-build5/b001/exe/server", user="zed")
    # Its parent lives.
    ground.run("mkdir -p /tmp/go-build6/b001/exe; cp /bin/sleep /tmp/go-build6/b001/exe/server")
    parent = start(
        ground, "/home/ann/parent", "-c", "/tmp/go-build6/b001/exe/server 1000 & wait",
        program="/bin/dash",
    )  # fmt: skip
    kept["a child"] = child_of(ground, parent)
    # In the cgroup of a service: the system's, one of the user's, another manager's, a container's.
    for number, cgroup in enumerate((
        "0::/system.slice/actions.runner.one.service", "1:name=systemd:/system.slice/x.service",
        "0::/user.slice/user-1002.slice/user@1002.service/app.slice/web.service",
        "0::/user.slice/user-1001.slice/user@1001.service/app.slice/run-1.scope",
        "0::/system.slice/docker-0123.scope",
    )):  # fmt: skip
        pid = start(ground, f"/tmp/go-build7{number}/b001/exe/server")
        in_cgroup(ground, pid, cgroup)
        kept[cgroup] = pid
    # What outlives its parent on purpose.
    ground.run("mkdir -p /srv/daemon; cd /srv/daemon; chmod 777 .; echo 'sleep 1000; :' >serve;"
               "cp serve '** telemetry **'")  # fmt: skip
    for words in (("serve", "-listen=unix;/tmp/d"), ("serve", "-listen", "unix;/tmp/d")):
        kept[" ".join(words)] = start(ground, "/srv/daemon/gopls", *words, program="/bin/dash")
        ground.run("rm /srv/daemon/gopls")
    kept["telemetry"] = start(ground, "/srv/daemon/gopls", "** telemetry **", program="/bin/dash")
    # Not of Go, but close.
    for path in ("/tmp/go-build/b001/exe/server", "/home/ann/bin/server", "/tmp/go-build8/server",
                 f"/home/ann/.cache/go-build/ac/{HASH}-d/server", "/home/ann/web.test",
                 "/home/ann/pkg/tool/linux_amd64/pprof", "/home/ann/bin/mygopls"):  # fmt: skip
        kept[path] = start(ground, path)
    orphan = start(ground, RUN_CHILD)
    age()
    # Young: started after all else, and not older than the time that is declared.
    site.declare(users=["ann"], orphans={"action": "terminate", "min_age": "1s"})
    report = apply(site, ground)
    assert report["exit"] == 0, report
    assert {name for name, pid in kept.items() if not alive(ground, pid)} == set()
    assert not alive(ground, orphan)
    assert [c["item"] for c in of(report, "changes")] == [f"process {orphan} (go run child server)"]


def test_a_young_one_is_left(site: Site, ground: Sandbox) -> None:
    pid = start(ground, RUN_CHILD)
    age()
    site.declare(users=["ann"], orphans={"action": "terminate", "min_age": "1h"})
    report = apply(site, ground)
    assert (report["exit"], of(report, "changes")) == (0, [])
    assert alive(ground, pid)


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


def child_of(ground: Sandbox, parent: int) -> int:
    for _ in range(100):
        found = ground.run(f"cat /proc/{parent}/task/{parent}/children").stdout.split()
        if found:
            return int(found[0])
        time.sleep(0.02)
    raise AssertionError(f"process {parent} started nothing")


def in_cgroup(ground: Sandbox, pid: int, lines: str) -> None:
    """What the kernel would say of it in that place: nobody but systemd makes those in a root."""
    ground.run(f"cat >/srv/cgroup-{pid}; mount --bind /srv/cgroup-{pid} /proc/{pid}/cgroup",
               input=f"{lines}\n", check=True)  # fmt: skip


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


def test_one_that_ignores_term_is_killed(site: Site, ground: Sandbox) -> None:
    pid = start(ground, RUN_CHILD, "-c", "trap '' TERM; while :; do sleep 1; done",
                program="/bin/dash")  # fmt: skip
    child = child_of(ground, pid)
    age()
    declare(site)
    began = time.monotonic()
    report = apply(site, ground)
    assert report["exit"] == 0, report
    assert 9 < time.monotonic() - began < 25
    assert not alive(ground, pid)
    assert child  # it is no Go program: nobody looks for it


def test_children_that_are_no_orphans_by_themselves_live_on(site: Site, ground: Sandbox) -> None:
    pid = start(ground, RUN_CHILD, "-c", "sleep 999 & wait", program="/bin/dash")
    child = child_of(ground, pid)
    age()
    declare(site)
    assert apply(site, ground)["exit"] == 0
    assert not alive(ground, pid)
    assert alive(ground, child)


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


def test_one_that_is_ended_and_not_reaped_is_said_to_be_so(site: Site, ground: Sandbox) -> None:
    ground.run("mkdir -p /tmp/go-build1/b001/exe; cp /bin/sleep /tmp/go-build1/b001/exe/server;"
               "mkdir -p /home/ann/lib; cp /bin/sleep /home/ann/lib/systemd")  # fmt: skip
    manager = start(
        ground, "/home/ann/shell", "-c",
        "/tmp/go-build1/b001/exe/server 1000 & exec /home/ann/lib/systemd 1000",
        program="/bin/dash",
    )  # fmt: skip
    pid = child_of(ground, manager)
    age()
    declare(site)
    report = apply(site, ground)
    assert report["exit"] == 0, report
    (change,) = of(report, "changes")
    assert f"only its parent can, process {manager} (systemd)" in change["detail"]
    assert "State:\tZ" in status_of(ground, pid)
    assert of(apply(site, ground), "changes") == []


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


def script(ground: Sandbox, pid: int, **other: Any) -> str:
    values = {
        "user": "ann", "uid": 1002, "gid": 1002, "home": "/home/ann", "pid": pid, "ppid": 1,
        "start": start_time(ground, pid), "exe": RUN_CHILD, "grace": 2,
    }  # fmt: skip
    return host_script("change/orphan", **(values | other))


@pytest.mark.parametrize("other", [{"ppid": 77}, {"exe": "/usr/bin/other"}])
def test_one_that_changed_since_is_not_ended(ground: Sandbox, other: dict[str, Any]) -> None:
    pid = start(ground, RUN_CHILD)
    done = ground.run(["sh", "-s"], input=script(ground, pid, **other))
    assert done.returncode == 10
    assert "changed since planned" in done.stderr
    assert alive(ground, pid)


def test_one_that_ended_meanwhile_is_no_trouble(ground: Sandbox) -> None:
    pid = start(ground, RUN_CHILD)
    text = script(ground, pid)
    ground.run(f"kill -9 {pid}; sleep 0.2", check=True)
    assert ground.run(["sh", "-s"], input=text).returncode == 0


def test_a_number_that_was_given_again_is_not_ended(ground: Sandbox) -> None:
    """The same number, program, user and parent: only when it began is another."""
    ground.run("mount -t proc proc /mnt", check=True)
    pid = start(ground, RUN_CHILD)
    text = script(ground, pid)
    ground.run(f"kill -9 {pid}; sleep 0.2", check=True)
    for _ in range(50):
        words = f"echo {pid - 1} >/mnt/sys/kernel/ns_last_pid; "
        again = ground.run(
            f"{words} setpriv --reuid 1002 --regid 1002 --clear-groups {RUN_CHILD} 1000 "
            "</dev/null >/dev/null 2>&1 & sleep 0.1; echo $!"
        ).stdout
        if int(again) == pid:
            break
        ground.run(["kill", "-9", again.strip()])
    assert int(again) == pid
    assert ground.run(["sh", "-s"], input=text).returncode == 0
    assert alive(ground, pid)
    # The owner's own part looks once more, right before the signal.
    inner = host_script("lib/in_process", pid=pid, start="1", user="ann")
    ground.run(["sh", "-s"], input=inner, env={"GOSTEAD_INPUT": "TERM"}, user="ann", check=True)
    assert alive(ground, pid)


def test_root_ends_nobody_elses(ground: Sandbox) -> None:
    """Whatever root was told, the signal is the declared user's."""
    pid = start(ground, RUN_CHILD, user="zed")
    done = ground.run(["sh", "-s"], input=script(ground, pid))
    assert done.returncode == 1
    assert f"process {pid} is not ann's to end" in done.stderr
    assert alive(ground, pid)


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


MAKE = "mkdir -p {0}/b001 && echo x >{0}/b001/x && touch -d '{1}' {0} {0}/b001"


def scratch(ground: Sandbox, path: str, made: str = "-2 days", user: str = "ann") -> None:
    ground.run(MAKE.format(path, made), user=user, check=True)


def test_what_builds_left_is_told_or_removed(site: Site, ground: Sandbox) -> None:
    tmp = "/srv/go-tmp"
    site.declare(users=["ann"], cache={"tmp": tmp},
                 orphans={"action": "report", "min_age": "1s"})  # fmt: skip
    assert site.apply(ground)["exit"] == 0
    old = ["/tmp/go-build11", f"{tmp}/1002/go-build12"]
    for path in old:
        scratch(ground, path)
    scratch(ground, "/tmp/go-build13", "-1 hour")
    scratch(ground, "/tmp/go-build14", user="zed")
    scratch(ground, "/tmp/go-build")
    scratch(ground, "/tmp/go-build15x")
    victim = "mkdir -p /srv/victim; echo v >/srv/victim/f; touch -d '-2 days' /srv/victim"
    ground.run(f"{victim}; chown -R ann /srv/victim")
    ground.run(
        "ln -s /srv/victim /tmp/go-build16; ln -s /srv/victim /tmp/go-build11/link", user="ann"
    )
    ground.run("touch -h -d '-2 days' /tmp/go-build11 /tmp/go-build16", user="ann")
    report = site.plan(ground)
    assert report["exit"] == 0
    assert {f["item"] for f in of(report)} == set(old)
    longer = {"action": "report", "min_age": "3d"}
    site.declare(users=["ann"], cache={"tmp": tmp}, orphans=longer)
    assert of(site.plan(ground)) == []
    site.declare(users=["ann"], cache={"tmp": tmp},
                 orphans={"action": "terminate", "min_age": "1s"})  # fmt: skip
    report = site.apply(ground)
    assert report["exit"] == 0, report
    assert {(c["item"], c["result"]) for c in of(report, "changes")} == {
        (path, "changed") for path in old
    }
    left = ground.run(f"ls -d /tmp/go-build* {tmp}/1002/*").stdout.split()
    assert left == [f"/tmp/go-build{n}" for n in ("", "13", "14", "15x", "16")]
    assert ground.run("cat /srv/victim/f").stdout == "v\n"
    assert of(site.apply(ground), "changes") == []


@pytest.mark.parametrize("how", ["runs", "stands", "reads"])
def test_a_directory_in_use_stays(site: Site, ground: Sandbox, how: str) -> None:
    path = "/tmp/go-build21"
    scratch(ground, path)
    if how == "runs":  # and that process is no orphan: its parent lives
        ground.run(f"mkdir -p {path}/b001/exe; cp /bin/sleep {path}/b001/exe/t", user="ann")
        start(ground, "/home/ann/shell", "-c", f"{path}/b001/exe/t 1000 & wait",
              program="/bin/dash")  # fmt: skip
    elif how == "stands":
        start(
            ground, "/home/ann/shell", "-c", f"cd {path}/b001; sleep 1000; :", program="/bin/dash"
        )
    else:
        start(ground, "/home/ann/shell", "-c", f"exec 7<{path}/b001/x; sleep 1000; :",
              program="/bin/dash")  # fmt: skip
    ground.run(f"touch -d '-2 days' {path}; sleep 0.3", user="ann")
    declare(site)
    report = apply(site, ground)
    assert (report["exit"], of(report, "changes"), of(report)) == (0, [], [])
    # What came into use since it was planned, too.
    values = {"user": "ann", "uid": 1002, "gid": 1002, "home": "/home/ann", "path": path,
              "minutes": 1440}  # fmt: skip
    done = ground.run(["sh", "-s"], input=host_script("change/scratch", **values))
    assert done.returncode == 10
    assert ground.run(["ls", f"{path}/b001/x"]).returncode == 0


def test_a_directory_that_was_exchanged_for_a_link_stays(ground: Sandbox) -> None:
    ground.run("mkdir -p /srv/victim; echo v >/srv/victim/f; touch -d '-2 days' /srv/victim;"
               "ln -s /srv/victim /tmp/go-build31; chown -R ann /srv/victim;"
               "chown -h ann /tmp/go-build31; touch -h -d '-2 days' /tmp/go-build31")  # fmt: skip
    values = {"user": "ann", "uid": 1002, "gid": 1002, "home": "/home/ann",
              "path": "/tmp/go-build31", "minutes": 1440}  # fmt: skip
    done = ground.run(["sh", "-s"], input=host_script("change/scratch", **values))
    assert done.returncode == 10
    assert ground.run("cat /srv/victim/f").stdout == "v\n"


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


PROGRAM = """
mkdir -p ~/m; cd ~/m
printf 'module example.com/server\\n\\ngo 1.26\\n' >go.mod
printf 'package main\\n\\nimport "time"\\n\\nfunc main() { time.Sleep(time.Hour) }\\n' >main.go
export PATH=/opt/gostead/current/bin:/usr/bin:/bin GOTOOLCHAIN=local
go run . </dev/null >/dev/null 2>&1 &
go=$!
for _ in $(seq 600); do
  child=$(cat /proc/$go/task/*/children)
  for one in $child; do
    case $(readlink /proc/$one/exe) in */server) break 2 ;; esac
  done
  sleep 0.1
done
kill -9 $go
echo $one
"""


@pytest.mark.slow
def test_what_a_killed_go_run_leaves_is_found_and_ended(go_ground: Sandbox) -> None:
    """The real Go: the first run starts from its scratch directory, the next from the cache."""
    for place in ("/go-build", "/.cache/go-build/"):
        pid = int(go_ground.run(PROGRAM, user="ann", timeout=120, check=True).stdout)
        exe = go_ground.run(["readlink", f"/proc/{pid}/exe"]).stdout
        assert place in exe
        age()
        orphans = {"action": "terminate", "min_age": "1s"}
        real_go.declare(go_ground, users=["ann"], orphans=orphans)
        report = real_go.gostead(go_ground, "apply", "-y", "--subject", "orphans")
        assert report["exit"] == 0, report
        (change,) = of(report, "changes")
        assert (change["item"], change["user"]) == (f"process {pid} (go run child server)", "ann")
        assert not alive(go_ground, pid)


#: Needs no library, and does what it is told under this name only.
BOX = "/tmp/go-build123/b001/exe/busybox"


def in_image(ground: Sandbox) -> int:
    """An orphan that ann left in a root at /srv/image: its number in the machine."""
    return int(ground.run(
        f"mkdir -p /srv/image{BOX.rpartition('/')[0]}; cp /bin/busybox /srv/image{BOX};"
        f"chroot --userspec=1002:1002 /srv/image {BOX} sleep 1000 </dev/null >/dev/null 2>&1 &"
        "echo $!", check=True,
    ).stdout)  # fmt: skip


def test_in_an_image_the_machines_processes_are_left_alone(site: Site, ground: Sandbox) -> None:
    """Its /proc is the machine's, and so are the users' numbers."""
    ground.run(
        "mkdir /srv/image && cd / && tar -cf - --one-file-system --exclude=./srv --exclude=./proc "
        "--exclude=./sys --exclude=./root . 2>/dev/null | tar -xf - -C /srv/image;"
        "cd /srv/image && mkdir -p root proc dev tmp && mount --rbind /dev dev && "
        "mount --rbind /proc proc",
        timeout=120,
    )  # fmt: skip
    outside = [start(ground, path) for path in KINDS]
    ground.run("mkdir -p /tmp/go-build2/b001; cp /bin/true /tmp/go-build2/b001/web.test")
    words = ("-c", "/tmp/go-build2/b001/web.test & exec sleep 1000")
    shell = start(ground, "/home/ann/shell", *words, program="/bin/dash")
    assert "State:\tZ" in status_of(ground, child_of(ground, shell))
    inside = in_image(ground)
    # Used from outside by another path to the same directory, and by nobody.
    ground.run(f"{MAKE.format('go-build31', '-2 days')}; {MAKE.format('go-build32', '-2 days')};"
               "chown -R ann go-build31 go-build32; touch -d '-2 days' go-build31 go-build32;"
               "mkdir /mnt/seen; mount --bind . /mnt/seen; cd /mnt/seen/go-build31; "
               "sleep 1000 </dev/null >/dev/null 2>&1 &",
               cwd="/srv/image/tmp", check=True)  # fmt: skip
    age()
    declare(site)
    report = site.apply(ground, "--subject", "orphans", inventory="@chroot//srv/image")
    (host,) = report["hosts"].values()
    assert report["exit"] == 0, report
    assert {c["item"] for c in host["changes"]} == {
        f"process {inside} (go run child busybox)", "/tmp/go-build32",
    }  # fmt: skip
    assert [f for f in host["findings"] if f["subject"] == "orphans"] == []
    assert all(alive(ground, pid) for pid in outside)
    assert not alive(ground, inside)
    # Without /proc nobody can be seen: what may be in use stays.
    ground.run("umount -R /srv/image/proc; cd /srv/image/tmp; "
               f"{MAKE.format('go-build33', '-2 days')}; chown -R ann go-build33; "
               "touch -d '-2 days' go-build33", check=True)  # fmt: skip
    report = site.apply(ground, "--subject", "orphans", inventory="@chroot//srv/image")
    (host,) = report["hosts"].values()
    assert (report["exit"], host["changes"]) == (0, [])


def test_one_of_another_root_is_not_ended(site: Site, ground: Sandbox) -> None:
    pid = in_image(ground)
    done = ground.run(["sh", "-s"], input=script(ground, pid, exe=f"/srv/image{BOX}"))
    assert done.returncode == 10
    age()
    declare(site)
    assert apply(site, ground)["exit"] == 0
    assert alive(ground, pid)


def test_the_first_process_of_a_container_is_left_alone(site: Site, ground: Sandbox) -> None:
    """One that has the machine's root, and numbers of its own."""
    ground.run("mkdir -p /tmp/go-build123/b001/exe; cp /bin/sleep /tmp/go-build123/b001/exe/server")
    run = f"setpriv --reuid 1002 --regid 1002 --clear-groups {RUN_CHILD} 1000"
    pid = int(ground.run(["unshare", "-p", "sh", "-c", f"{run} </dev/null >/dev/null 2>&1 & "
                          "echo $!"]).stdout)  # fmt: skip
    age()
    assert "PPid:\t1\n" in status_of(ground, pid)
    declare(site)
    assert of(plan(site, ground), "changes") == []
    assert ground.run(["sh", "-s"], input=script(ground, pid)).returncode == 10
    assert alive(ground, pid)
