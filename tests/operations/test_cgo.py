"""A C compiler: missing, incomplete, of another libc; installed, and proved by a program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support import real_go
from tests.support.rootfs import give_apt_sources
from tests.support.sandbox import Sandbox
from tests.support.site import Site

#: A compiler that describes itself, and makes nothing.
FAKE = """#!/bin/sh
case $* in
  -dumpmachine) echo {machine} ;;
  -dumpversion) echo {version} ;;
  -print-file-name=crt1.o) echo {start} ;;
  *-fsyntax-only*) exit {headers} ;;
  *) echo "{machine}: cannot link: no such library" >&2; exit 1 ;;
esac
"""
WELL = {"machine": "x86_64-linux-gnu", "version": "12", "start": "/etc/hostname", "headers": 0}


def fake(ground: Sandbox, name: str, **other: Any) -> None:
    text = FAKE.format(**(WELL | other))
    ground.run(
        f"rm -f /usr/bin/{name}; cat >/usr/bin/{name}; chmod 755 /usr/bin/{name}", input=text
    )


def of(report: dict[str, Any], kind: str = "findings") -> list[dict[str, Any]]:
    return [f for f in report["hosts"]["@local"][kind] if f["subject"] == "cgo"]


@pytest.mark.parametrize(
    ("compilers", "cgo", "said", "mend"),
    [
        ({}, {}, "there is no C compiler gcc", "install gcc libc6-dev"),
        ({}, {"compiler": {"CC": "clang"}}, "no C compiler clang", "install clang libc6-dev"),
        ({"gcc": {"start": "crt1.o"}}, {}, "start-up code (crt1.o)", "install libc6-dev"),
        ({"gcc": {"headers": 1}}, {}, "C library's headers", "install libc6-dev"),
        ({"musl-gcc": {"machine": "x86_64-linux-musl"}}, {"compiler": {"CC": "musl-gcc"}},
         "makes programs for musl", "cgo.compiler"),
        ({"gcc": {}}, {"compiler": {"CXX": "g++-13"}}, "no C++ compiler g++-13", "install g++-13"),
        ({"gcc": {}, "g++-13": {"version": "13"}}, {"compiler": {"CXX": "g++-13"}},
         "does not go together", "cgo.compiler"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_apart_and_named(
    site: Site, ground: Sandbox, compilers: dict[str, dict[str, Any]], cgo: dict[str, Any],
    said: str, mend: str,
) -> None:  # fmt: skip
    for name, other in compilers.items():
        fake(ground, name, **other)
    site.declare(users=["root"], cgo={"required": True} | cgo)
    before = ground.digest(exclude=["/root/.cache"])
    report = site.plan(ground, "--subject", "cgo")
    assert ground.digest(exclude=["/root/.cache"]) == before
    assert report["exit"] == 1
    (finding,) = of(report)
    assert said in finding["what"]
    assert mend in finding["mend"]


@pytest.mark.slow
def test_what_only_looks_like_a_compiler_is_found_by_doing(go_ground: Sandbox) -> None:
    fake(go_ground, "gcc")
    real_go.declare(go_ground, users=["root"], cgo={"required": True})
    report = real_go.gostead(go_ground, "apply", "-y", "--subject", "cgo")
    assert report["exit"] == 1
    (change,) = of(report, "changes")
    assert "a cgo program does not work here" in change["error"]
    assert "cannot link" in change["error"]
    assert go_ground.run("ls /opt/gostead/build 2>&1").returncode != 0


def test_nothing_is_asked_where_nothing_is_required(site: Site, ground: Sandbox) -> None:
    ground.run("printf '#!/bin/sh\\ntouch /ran\\n' >/usr/bin/gcc; chmod 755 /usr/bin/gcc")
    site.declare(users=["root"])
    assert site.plan(ground, "--subject", "cgo")["exit"] == 0
    assert ground.run("ls /ran").returncode != 0


@pytest.mark.slow
def test_the_packages_are_installed_and_a_program_runs(begin_go: Callable[..., Sandbox]) -> None:
    """With the distribution's own packages, as this machine is told to get them."""
    ground = begin_go(network="machine")
    give_apt_sources(ground.path)
    # Python is not in the root, and fish wants it: apt does nothing until that is settled.
    ground.run("dpkg --purge --force-depends fish", check=True)
    real_go.declare(ground, users=["ann"], cgo={"required": True, "install": True})
    planned = real_go.gostead(ground, "plan", "--subject", "cgo")
    report = real_go.gostead(ground, "apply", "-y", "--subject", "cgo", timeout=600)
    assert report["exit"] == 0, (of(report, "changes"), report["hosts"]["@local"]["error"][-900:])
    assert [c["item"] for c in of(report, "changes")] == ["gcc libc6-dev", "a cgo program"]
    assert [c["item"] for c in of(planned, "changes")] == ["gcc libc6-dev", "a cgo program"]
    again = real_go.gostead(ground, "apply", "-y", "--subject", "cgo")
    assert (again["exit"], of(again, "changes")) == (0, [])
    # Another compiler is another proof.
    ground.run("touch -h /usr/bin/gcc-12; touch /usr/bin/x86_64-linux-gnu-gcc-12")
    planned = real_go.gostead(ground, "plan", "--subject", "cgo")
    assert [c["from"] for c in of(planned, "changes")] == ["not tried with these"]
