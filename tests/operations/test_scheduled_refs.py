"""What `ref` names comes in by itself where it is verified, and nothing else does."""

from __future__ import annotations

import json

import pytest

from tests.support.scheduled import NEW, OLD, ScheduledHost


def test_a_new_signed_commit_comes_in(host: ScheduledHost) -> None:
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


@pytest.mark.parametrize("by", [None, "eve"])
def test_a_commit_that_no_declared_signer_signed_is_refused(
    host: ScheduledHost, by: str | None
) -> None:
    host.upstream.declare(NEW)
    host.upstream.commit(by)
    host.refused("not signed by one of the declared signers")
    assert host.go() == f"go{OLD}"


def test_a_signature_of_another_kind_is_refused_whatever_gpg_says(host: ScheduledHost) -> None:
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


def test_a_ref_that_was_moved_back_is_refused(host: ScheduledHost) -> None:
    first = host.upstream.git("rev-parse", "HEAD")
    host.upstream.declare(NEW)
    host.upstream.commit()
    host.converged()
    host.upstream.git("reset", "--quiet", "--hard", first)
    host.refused("moved or replayed")
    assert host.go() == f"go{NEW}"


def test_a_ref_that_was_moved_sideways_is_refused(host: ScheduledHost) -> None:
    host.upstream.git("checkout", "--quiet", "--orphan", "other")
    host.upstream.declare(NEW)
    host.upstream.commit()
    host.upstream.git("branch", "-f", "main", "other")
    host.refused("does not descend")


def test_a_signed_tag_is_followed_and_another_tags_signature_is_not(host: ScheduledHost) -> None:
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


def test_a_name_of_two_things_is_refused(host: ScheduledHost) -> None:
    host.upstream.tag("main")
    host.refused("more than one thing")


def test_a_ref_that_is_not_there_is_said(host: ScheduledHost) -> None:
    host.upstream.git("checkout", "--quiet", "-b", "other")
    host.upstream.git("branch", "-D", "main")
    done = host.run()
    assert done.returncode == 1
    assert "has no branch and no tag main" in host.result()["error"]


def test_a_fixed_commit_is_that_one_without_a_signature_and_leads_back(host: ScheduledHost) -> None:
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
