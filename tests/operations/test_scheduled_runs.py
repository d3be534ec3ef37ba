"""What the timer runs, from a commit that is verified to a host that is converged."""

from __future__ import annotations

import shutil
import subprocess
import time

import pytest

from tests.support.scheduled import NEW, ScheduledHost
from tests.support.upstream import HERE, RUNNER


def test_what_is_on_the_host_is_roots_alone(host: ScheduledHost) -> None:
    found = host.sandbox.run(f"find {HERE} ! -user root -o ! -type l -perm /022 | head").stdout
    assert found == ""
    assert host.sandbox.run(["stat", "-c", "%a", HERE]).stdout == "700\n"
    assert host.sandbox.run(f"ls {HERE}", user="ann").returncode != 0
    releases = host.sandbox.run(f"ls {HERE}/releases {HERE}/environments").stdout
    assert ".new" not in releases


def test_no_network_is_no_failure_and_drift_is_mended_all_the_same(host: ScheduledHost) -> None:
    (host.upstream.path / ".git").rename(host.upstream.path / "away")
    host.sandbox.run("rm /usr/local/bin/go", check=True)
    good = host.upstream.site.directory  # the mirror stays: what is missing is the repository
    assert good.is_dir()
    done = host.run()
    assert done.returncode == 0, done.stdout
    assert host.result()["result"] == "could not fetch"
    assert "could not fetch" in done.stdout
    assert host.sandbox.run(["test", "-e", "/usr/local/bin/go"]).returncode == 0


def test_nothing_of_a_commit_is_run_before_it_is_a_release(host: ScheduledHost) -> None:
    upstream, trace = host.upstream, "/srv/ran"
    upstream.write(".gitattributes", "* filter=evil diff=evil merge=evil\n")
    upstream.write(".gitmodules", '[submodule "s"]\n\tpath = s\n\turl = ext::touch% /srv/ran\n'
                   '\tupdate = none\n')  # fmt: skip
    upstream.write("hooks/post-checkout", f"#!/bin/sh\ntouch {trace}\n", 0o755)
    head = upstream.git("rev-parse", "HEAD")
    upstream.git("update-index", "--add", "--cacheinfo", f"160000,{head},s")
    # What root has for itself, and what the machine has, is no part of it either.
    evil = f'[filter "evil"]\n\tsmudge = touch {trace}\n\tclean = cat\n'
    evil += "[core]\n\thooksPath = /srv/hooks\n"
    evil += (
        f'[url "file:///nowhere/"]\n\tinsteadOf = file://\n[alias]\n\tarchive = !touch {trace}\n'
    )
    for path in ("root/.gitconfig", "etc/gitconfig"):
        (host.sandbox.path / path).write_text(evil)
    hooks = host.sandbox.path / "srv/hooks"
    hooks.mkdir()
    for name in ("reference-transaction", "post-checkout", "pre-auto-gc"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {trace}\n")
        (hooks / name).chmod(0o755)
    upstream.declare(NEW)
    upstream.commit()
    host.converged()
    assert host.go() == f"go{NEW}"
    assert host.sandbox.run(["test", "-e", trace]).returncode == 1
    released = host.sandbox.run(f"cat {HERE}/current/.gitattributes; ls -A {HERE}/current/s").stdout
    assert released == "* filter=evil diff=evil merge=evil\n"


def test_a_release_that_cannot_plan_goes_back(host: ScheduledHost) -> None:
    before = host.state()
    host.sandbox.run("rm /usr/local/bin/go", check=True)
    host.upstream.write("gostead/cli/planning.py", "raise RuntimeError('a broken release')\n")
    commit = host.upstream.commit()
    done = host.run()
    assert done.returncode == 1
    told = host.result()
    assert (told["result"], told["commit"]) == ("failed", commit)
    assert "cannot plan" in str(told["error"])
    assert host.state() == before, "the release that was good is the one that counts"
    assert host.sandbox.run(["test", "-e", "/usr/local/bin/go"]).returncode == 0
    # The next commit mends it.
    host.upstream.git("revert", "--no-edit", "HEAD")
    host.upstream.declare(NEW)
    host.upstream.commit()
    host.converged()
    assert host.go() == f"go{NEW}"


def test_a_declaration_that_cannot_be_read_here_goes_back(host: ScheduledHost) -> None:
    host.upstream.site.declare(
        {"default": NEW}, users=["ann"], env={"GOPRIVATE": "x"},
        schedule={"every": "1h", "source": host.upstream.url, "ref": "main"},
    )  # fmt: skip
    host.upstream.commit()
    before = host.state()
    assert host.run().returncode == 1
    assert "signers" in str(host.result()["error"])
    assert host.state() == before


def test_a_repository_without_gostead_runs_the_one_of_its_requirements(host: ScheduledHost) -> None:
    """What is installed by hash is in the environment; the release has the declaration."""
    shutil.rmtree(host.upstream.path / "gostead")
    host.upstream.declare(NEW)
    host.upstream.commit()
    host.converged()
    assert host.go() == f"go{NEW}"


def test_what_ref_names_no_more_is_said_and_drift_is_mended_all_the_same(
    host: ScheduledHost,
) -> None:
    host.upstream.git("checkout", "--quiet", "-b", "other")
    host.upstream.git("branch", "-D", "main")
    host.sandbox.run("rm /usr/local/bin/go", check=True)
    assert host.run().returncode == 1
    assert host.result()["result"] == "failed"
    assert host.sandbox.run(["test", "-e", "/usr/local/bin/go"]).returncode == 0


def test_a_run_that_was_killed_is_told_and_one_at_work_is_not(host: ScheduledHost) -> None:
    waits = (
        f"[ $1 != fetched ] || {{ echo $$ >/srv/pid; until [ -e {HERE}/go ]; do sleep 0.2; done; }}"
    )
    host.sandbox.run(
        f"sed 's,^checkpoint() .*,checkpoint() {{ {waits}; }},' {RUNNER} >/tmp/slow;"
        "chmod 755 /tmp/slow", check=True,
    )  # fmt: skip
    with subprocess.Popen(
        ["nsenter", "-t", str(host.sandbox.pid), "-m", "-p", "-r", "-w", "--", "/tmp/slow"],
        stdout=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin"},
    ) as process:  # fmt: skip
        while not (host.sandbox.path / "srv/pid").exists():
            time.sleep(0.1)
        assert "did not come to its end" not in str(host.upstream.site.plan(host.sandbox))
        host.sandbox.run("kill -9 $(cat /srv/pid)", check=True)
        process.wait()
    assert "did not come to its end" in str(host.upstream.site.plan(host.sandbox))
    host.converged()
    assert "did not come to its end" not in str(host.upstream.site.plan(host.sandbox))


def test_releases_share_what_they_run_with_and_two_are_kept(host: ScheduledHost) -> None:
    for number in range(3):
        host.upstream.write("note", str(number))
        host.upstream.commit()
        host.converged()
    listed = host.sandbox.run(f"ls {HERE}/releases").stdout.split()
    assert sorted(listed) == sorted(
        host.upstream.git("rev-parse", "HEAD", "HEAD~1").splitlines()
    )  # fmt: skip
    (environment,) = host.sandbox.run(f"ls {HERE}/environments").stdout.split()
    host.upstream.write("requirements/run.txt", "# others\n")
    host.upstream.commit()
    host.converged()
    listed = host.sandbox.run(f"ls {HERE}/environments").stdout.split()
    assert environment in listed
    assert len(listed) == 2


def test_two_at_once(host: ScheduledHost) -> None:
    host.upstream.declare(NEW)
    host.upstream.commit()
    both = host.sandbox.run(
        f"{RUNNER} >/tmp/one 2>&1 & one=$!; {RUNNER} >/tmp/two 2>&1; two=$?; wait $one;"
        "echo $? $two; cat /tmp/one /tmp/two", timeout=180,
    ).stdout  # fmt: skip
    assert both.split("\n", 1)[0] in ("0 11", "11 0"), both
    assert "another scheduled run is at work" in both
    assert host.go() == f"go{NEW}"
    assert host.sandbox.run(["test", "-L", f"{HERE}/lock"]).returncode == 1


CHECKPOINTS = ("repository-made", "fetched", "unpacked", "released", "environment-made", "current",
               "applied", "good")  # fmt: skip


@pytest.mark.parametrize("checkpoint", CHECKPOINTS)
def test_killed_and_run_again_it_converges(host: ScheduledHost, checkpoint: str) -> None:
    if checkpoint == "repository-made":
        host.sandbox.run(["rm", "-rf", f"{HERE}/repo.git"])
    host.upstream.declare(NEW)
    commit = host.upstream.commit()
    host.sandbox.run(
        f"sed 's/^checkpoint() .*/checkpoint() {{ [ \"$1\" != {checkpoint} ] || kill -9 $$; }}/' "
        f"{RUNNER} >/tmp/killed; chmod 755 /tmp/killed", check=True,
    )  # fmt: skip
    assert host.run("/tmp/killed").returncode == -9
    # What a git that was killed leaves.
    host.sandbox.run(f"touch {HERE}/repo.git/refs/gostead/fetched.lock {HERE}/repo.git/config.lock")
    assert host.converged()["commit"] == commit
    assert host.go() == f"go{NEW}"
    left = host.sandbox.run(f"find {HERE} -name '*.new' -o -name '*.lock' -o -name work").stdout
    assert left == ""


def test_every_checkpoint_is_killed_at() -> None:
    from gostead.templates import render

    text = render("converge_scheduled.sh.j2", root="/x", source="x", ref="x", fixed=False,
                  scheme="file", mac=False, every=0, jitter=0)  # fmt: skip
    named = {line.split()[1] for line in text.splitlines() if line.startswith(("  checkpoint ",
             "    checkpoint "))}  # fmt: skip
    assert named == {*CHECKPOINTS, "aside"}


def test_a_schedule_that_is_declared_no_more_goes_by_its_own_run(host: ScheduledHost) -> None:
    host.upstream.site.declare({"default": NEW}, users=["ann"])
    host.upstream.commit()
    done = host.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert host.go() == f"go{NEW}"
    left = host.sandbox.run(
        f"ls -d {HERE} {RUNNER} /opt/.gostead* /opt/gostead/state/schedule* "
        "/etc/systemd/system/gostead* /etc/systemd/system/timers.target.wants/gostead*"
    ).stdout
    assert left == ""
    again = host.upstream.site.apply(host.sandbox)
    assert (again["exit"], again["totals"]["clean"]) == (0, 1)


@pytest.mark.parametrize("killed", [False, True])
def test_a_host_that_is_to_be_absent_goes_by_its_own_run(host: ScheduledHost, killed: bool) -> None:
    host.upstream.site.declare({}, state="absent", users=["ann"])
    host.upstream.commit()
    if killed:
        host.sandbox.run(
            "sed 's/^checkpoint() .*/checkpoint() { [ \"$1\" != aside ] || kill -9 $$; }/' "
            f"{RUNNER} >/tmp/killed; chmod 755 /tmp/killed", check=True,
        )  # fmt: skip
        assert host.run("/tmp/killed").returncode == -9
        assert "leaving" in host.sandbox.run("ls -A /opt").stdout
    done = host.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert host.sandbox.run("ls -A /opt").stdout == ""
    assert host.sandbox.run("find /etc/systemd -name '*gostead*'").stdout == ""
    assert "gostead: converged" in done.stdout
