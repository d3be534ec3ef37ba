"""What the timer runs: verified commits come in by themselves, and nothing else does."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.root import Mount
from tests.support.sandbox import Sandbox
from tests.support.site import Site
from tests.support.upstream import ABLE, GIT, HERE, RUNNER, Upstream

OLD, NEW = "1.26.8", "1.27.3"


@dataclass
class Host:
    """A root that converges itself from `upstream`."""

    sandbox: Sandbox
    upstream: Upstream

    def run(self, script: str = RUNNER) -> subprocess.CompletedProcess[str]:
        """What the timer runs."""
        return self.sandbox.run([script], env={"LANG": "C"}, timeout=180)

    def result(self) -> dict[str, Any]:
        """What it said of itself."""
        text = self.sandbox.run(["cat", "/opt/gostead/state/schedule.json"], check=True).stdout
        told: dict[str, Any] = json.loads(text)
        return told

    def converged(self) -> dict[str, Any]:
        done = self.run()
        assert done.returncode == 0, done.stdout + done.stderr
        assert self.result()["result"] == "converged", self.result()
        return self.result()

    def refused(self, why: str) -> None:
        """It runs, and neither Go nor the releases are others than before."""
        before = self.state()
        done = self.run()
        assert done.returncode == 1, done.stdout + done.stderr
        assert self.result()["result"] == "refused"
        assert why in self.result()["error"]
        assert why in done.stdout
        assert self.state() == before

    def state(self) -> str:
        return self.sandbox.run(
            f"readlink /opt/gostead/current; readlink {HERE}/current; cat {HERE}/good;"
            f"find {HERE}/releases {HERE}/environments -maxdepth 1 | sort"
        ).stdout

    def go(self) -> str:
        return self.sandbox.run("su - ann -c 'go version'").stdout.split()[2]


@pytest.fixture
def upstream(site: Site) -> Upstream:
    return Upstream(site)


@pytest.fixture
def host(site: Site, upstream: Upstream, make_sandbox: Callable[..., Sandbox]) -> Host:
    """Converged once from a controller, with OLD; then once by itself."""
    sandbox = make_sandbox(mounts=[Mount(site.directory), *GIT])
    sandbox.run(ABLE, check=True)
    upstream.declare(OLD)
    report = site.apply(sandbox)
    assert report["exit"] == 0, report
    upstream.commit()
    found = Host(sandbox, upstream)
    found.converged()
    return found


def test_a_new_signed_commit_comes_in(host: Host) -> None:
    assert host.go() == f"go{OLD}"
    host.upstream.declare(NEW)
    commit = host.upstream.commit()
    told = host.converged()
    assert (told["commit"], told["good"], told["ref"]) == (commit, commit, "main")
    assert host.go() == f"go{NEW}"
    report = json.loads(host.sandbox.run("cat /opt/gostead/state/schedule-report.json").stdout)
    assert report["hosts"]["@local"]["status"] == "changed"
    assert host.converged()["commit"] == commit
    report = json.loads(host.sandbox.run("cat /opt/gostead/state/schedule-report.json").stdout)
    assert report["hosts"]["@local"]["status"] == "clean"


def test_what_is_on_the_host_is_roots_alone(host: Host) -> None:
    found = host.sandbox.run(f"find {HERE} ! -user root -o ! -type l -perm /022 | head").stdout
    assert found == ""
    assert host.sandbox.run(["stat", "-c", "%a", HERE]).stdout == "700\n"
    assert host.sandbox.run(f"ls {HERE}", user="ann").returncode != 0
    releases = host.sandbox.run(f"ls {HERE}/releases {HERE}/environments").stdout
    assert ".new" not in releases


@pytest.mark.parametrize("by", [None, "eve"])
def test_a_commit_that_no_declared_signer_signed_is_refused(host: Host, by: str | None) -> None:
    host.upstream.declare(NEW)
    host.upstream.commit(by)
    host.refused("not signed by one of the declared signers")
    assert host.go() == f"go{OLD}"


def test_a_signature_of_another_kind_is_refused_whatever_gpg_says(host: Host) -> None:
    told = r"\n[GNUPG:] GOODSIG 1 eve\n[GNUPG:] TRUST_ULTIMATE 0 pgp\n"
    gpg = f"#!/bin/sh\ncat >/dev/null\nprintf '{told}'\n"
    for name in ("gpg", "gpgsm"):
        file = host.sandbox.path / "usr/bin" / name
        file.write_text(gpg)
        file.chmod(0o755)
    upstream = host.upstream
    upstream.declare(NEW)
    upstream.commit(None)
    text = upstream.git("cat-file", "commit", "HEAD")
    head, _, message = text.partition("\n\n")
    armour = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----"
    forged = upstream.git("hash-object", "-t", "commit", "-w", "--stdin",
                          data=f"{head}\n{armour}\n\n{message}\n")  # fmt: skip
    upstream.git("reset", "--quiet", "--hard", forged)
    host.refused("not signed by one of the declared signers")


def test_a_ref_that_was_moved_back_is_refused(host: Host) -> None:
    first = host.upstream.git("rev-parse", "HEAD")
    host.upstream.declare(NEW)
    host.upstream.commit()
    host.converged()
    host.upstream.git("reset", "--quiet", "--hard", first)
    host.refused("moved or replayed")
    assert host.go() == f"go{NEW}"


def test_a_ref_that_was_moved_sideways_is_refused(host: Host) -> None:
    host.upstream.git("checkout", "--quiet", "--orphan", "other")
    host.upstream.declare(NEW)
    host.upstream.commit()
    host.upstream.git("branch", "-f", "main", "other")
    host.refused("does not descend")


def test_a_signed_tag_is_followed_and_another_tags_signature_is_not(host: Host) -> None:
    upstream = host.upstream
    upstream.declare(NEW, ref="stable")
    upstream.commit(None)
    upstream.tag("stable")
    assert host.upstream.site.apply(host.sandbox)["exit"] == 0  # the controller declares the tag
    told = host.converged()
    assert told["commit"] == upstream.git("rev-parse", "HEAD")
    upstream.commit(None)
    upstream.tag("v1")
    upstream.git("update-ref", "refs/tags/stable", "refs/tags/v1")
    host.refused("not signed by one of the declared signers")
    upstream.tag("stable", None)
    host.refused("not signed by one of the declared signers")


def test_a_name_of_two_things_is_refused(host: Host) -> None:
    host.upstream.tag("main")
    host.refused("more than one thing")


def test_a_ref_that_is_not_there_is_said(host: Host) -> None:
    host.upstream.git("checkout", "--quiet", "-b", "other")
    host.upstream.git("branch", "-D", "main")
    done = host.run()
    assert done.returncode == 1
    assert "has no branch and no tag main" in host.result()["error"]


def test_a_fixed_commit_is_that_one_without_a_signature_and_leads_back(host: Host) -> None:
    upstream = host.upstream
    upstream.declare(NEW)
    first = upstream.git("rev-parse", "HEAD")
    upstream.commit()
    host.converged()
    upstream.declare(OLD)
    unsigned = upstream.commit(None)
    upstream.declare(OLD, ref=unsigned, signers=[])
    assert upstream.site.apply(host.sandbox)["exit"] == 0
    # That commit declares main again: what is declared last holds, from the next run on.
    assert host.converged()["commit"] == unsigned
    upstream.tag("v1", at=first)
    upstream.declare(OLD, ref=upstream.git("rev-parse", "refs/tags/v1"))
    assert upstream.site.apply(host.sandbox)["exit"] == 0
    host.refused("is a tag, not a commit")
    upstream.declare(OLD, ref=first)
    assert upstream.site.apply(host.sandbox)["exit"] == 0
    assert host.converged()["good"] == first


def test_no_network_is_no_failure_and_drift_is_mended_all_the_same(host: Host) -> None:
    (host.upstream.path / ".git").rename(host.upstream.path / "away")
    host.sandbox.run("rm /usr/local/bin/go", check=True)
    good = host.upstream.site.directory  # the mirror stays: what is missing is the repository
    assert good.is_dir()
    done = host.run()
    assert done.returncode == 0, done.stdout
    assert host.result()["result"] == "could not fetch"
    assert "could not fetch" in done.stdout
    assert host.sandbox.run(["test", "-e", "/usr/local/bin/go"]).returncode == 0


def test_nothing_of_a_commit_is_run_before_it_is_a_release(host: Host) -> None:
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


def test_a_release_that_cannot_plan_goes_back(host: Host) -> None:
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


def test_a_declaration_that_cannot_be_read_here_goes_back(host: Host) -> None:
    host.upstream.site.declare(
        {"default": NEW}, users=["ann"], env={"GOPRIVATE": "x"},
        schedule={"every": "1h", "source": host.upstream.url, "ref": "main"},
    )  # fmt: skip
    host.upstream.commit()
    before = host.state()
    assert host.run().returncode == 1
    assert "signers" in str(host.result()["error"])
    assert host.state() == before


def test_a_repository_without_gostead_runs_the_one_of_its_requirements(host: Host) -> None:
    """What is installed by hash is in the environment; the release has the declaration."""
    shutil.rmtree(host.upstream.path / "gostead")
    host.upstream.declare(NEW)
    host.upstream.commit()
    host.converged()
    assert host.go() == f"go{NEW}"


def test_what_ref_names_no_more_is_said_and_drift_is_mended_all_the_same(host: Host) -> None:
    host.upstream.git("checkout", "--quiet", "-b", "other")
    host.upstream.git("branch", "-D", "main")
    host.sandbox.run("rm /usr/local/bin/go", check=True)
    assert host.run().returncode == 1
    assert host.result()["result"] == "failed"
    assert host.sandbox.run(["test", "-e", "/usr/local/bin/go"]).returncode == 0


def test_a_run_that_was_killed_is_told_and_one_at_work_is_not(host: Host) -> None:
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


def test_releases_share_what_they_run_with_and_two_are_kept(host: Host) -> None:
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


def test_two_at_once(host: Host) -> None:
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
def test_killed_and_run_again_it_converges(host: Host, checkpoint: str) -> None:
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


def test_a_schedule_that_is_declared_no_more_goes_by_its_own_run(host: Host) -> None:
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
def test_a_host_that_is_to_be_absent_goes_by_its_own_run(host: Host, killed: bool) -> None:
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
