"""Scorecard: tampered-archive, wrong-version-inside, tar-traversal where the host itself fetches:
the old Go runs on, nothing of the bad one is anywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.fault_driver import Fault
from tests.support.faults import NEW, OLD, Ground, told
from tests.support.madeup import madeup
from tests.support.mirror import Served
from tests.support.site import Site
from tests.support.toolchain import Extra, file, special

SEEN = Fault(template="change/install", at='echo "$1" >>/tmp/seen')


@pytest.fixture
def ground(begin_ground: Callable[..., Ground]) -> Ground:
    """A host that was converged to the old Go."""
    return begin_ground("root", {"default": OLD})


@pytest.fixture
def upgrade(ground: Ground) -> Iterator[Callable[..., dict[str, Any]]]:
    """A function that upgrades the host from a mirror: its report."""
    served = Served(ground.site.mirror, ground.sandbox)

    def run(pins: dict[str, Any], fetch: str = "host") -> dict[str, Any]:
        wanted = {"default": NEW, "archive_url": served.url, "fetch": fetch, "pins": pins}
        ground.site.declare(wanted)
        before = ground.sandbox.digest(exclude=["/tmp", "/opt/gostead/state"])
        report = ground.apply(fault=SEEN)
        assert report["exit"] == 1
        assert ground.go_version() == OLD
        assert ground.leftovers() == []
        after = ground.sandbox.digest(exclude=["/tmp", "/opt/gostead/state"])
        assert before.changes(after) == []
        return report

    yield run
    served.close()


def overwrite(site: Site, archive: bytes) -> dict[str, Any]:
    """Puts another archive into the mirror; pins with its sha256 and the h1 of the release."""
    (site.mirror / site.releases[NEW].archive_path.lstrip("/")).write_bytes(archive)
    pins = site.pins(sha256=True)
    pins[NEW]["linux-amd64"]["sha256"] = hashlib.sha256(archive).hexdigest()
    return pins


@pytest.mark.parametrize("fetch", ["host", "controller"])
def test_another_sha256_is_never_unpacked(
    fetch: str, ground: Ground, upgrade: Callable[..., dict[str, Any]]
) -> None:
    pins = ground.site.pins(sha256=True)
    evil = madeup(NEW)
    evil.files["bin/go"] = b"#!/bin/sh\necho evil >/tmp/evil\n"
    ground.site.publish(evil)
    said = told(upgrade(pins, fetch))
    assert "sha256" in said
    assert ground.run("cat /tmp/seen 2>/dev/null || :") in ("", "install-begun\n")


@pytest.mark.parametrize("fetch", ["host", "controller"])
def test_another_tree_is_never_named(
    fetch: str, ground: Ground, upgrade: Callable[..., dict[str, Any]]
) -> None:
    evil = madeup(NEW)
    evil.files["src/fmt/print.go"] += b"// evil\n"
    upgrade(overwrite(ground.site, evil.archive()), fetch)
    assert "install-verified" not in ground.run("cat /tmp/seen 2>/dev/null || :")


@pytest.mark.parametrize("fetch", ["host", "controller"])
def test_another_version_inside_is_refused_though_all_pins_match(
    fetch: str, ground: Ground, upgrade: Callable[..., dict[str, Any]]
) -> None:
    other = madeup(NEW)
    other.files["VERSION"] = b"go1.26.8\ntime 2026-01-01T00:00:00Z\n"
    ground.site.releases[NEW] = other
    ground.site.publish(other)
    assert "go1.26.8" in told(upgrade(ground.site.pins(sha256=True), fetch))


MEMBERS: dict[str, list[Extra]] = {
    "parent": [(file("go/../../../../../../../../srv/evil", 4), b"evil")],
    "absolute": [(file("/srv/evil", 4), b"evil")],
    "through a link": [
        (special("go/out", b"2", "/srv"), b""),
        (file("go/out/evil", 4), b"evil"),
    ],
    "hard link": [(special("go/bin/passwd", b"1", "/etc/passwd"), b"")],
    "link": [(special("go/src/link", b"2", "/etc/passwd"), b"")],
    "setuid": [(file("go/bin/su", 4, 0o4755), b"evil")],
    "device": [(special("go/src/null", b"3"), b"")],
    "fifo": [(special("go/src/pipe", b"6"), b"")],
    "beside": [(file("evil", 4), b"evil")],
}


@pytest.mark.parametrize("member", sorted(MEMBERS))
def test_members_that_lead_out_or_are_no_files(
    member: str, ground: Ground, upgrade: Callable[..., dict[str, Any]]
) -> None:
    upgrade(overwrite(ground.site, madeup(NEW).archive(MEMBERS[member])))
    assert ground.run("ls -A /srv") == ""
