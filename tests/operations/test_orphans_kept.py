"""What is no orphan of a declared user's Go work, each for one reason: never touched."""

from __future__ import annotations

from tests.support.orphaned import (
    BOX,
    HASH,
    KINDS,
    MAKE_SCRATCH,
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
    script,
    start,
    status_of,
)
from tests.support.sandbox import Sandbox
from tests.support.site import Site


def test_what_is_not_an_orphan_is_never_touched(site: Site, ground: Sandbox) -> None:
    """Each differs from an orphan in one thing."""
    kept = {}
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


def test_children_that_are_no_orphans_by_themselves_live_on(site: Site, ground: Sandbox) -> None:
    pid = start(ground, RUN_CHILD, "-c", "sleep 999 & wait", program="/bin/dash")
    child = child_of(ground, pid)
    age()
    declare(site)
    assert apply(site, ground)["exit"] == 0
    assert not alive(ground, pid)
    assert alive(ground, child)


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
    ground.run(f"{MAKE_SCRATCH.format('go-build31', '-2 days')};"
               f"{MAKE_SCRATCH.format('go-build32', '-2 days')};"
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
               f"{MAKE_SCRATCH.format('go-build33', '-2 days')}; chown -R ann go-build33; "
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
