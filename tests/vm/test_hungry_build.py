"""A build that needs more memory than the host has: without a budget, with a hard limit alone, and
with all of it. This is the table of the README, measured.

Two packages of 60,000 composite literals each: the compiler takes about 400 MiB for either, less
where GOMEMLIMIT makes it collect. They import nothing, so that the standard library is not built.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.controller import Controller
from tests.support.go_cache import GoCache
from tests.support.vm.guest import Guest

RELEASE = "trixie"
ONLY = ("--subject", "toolchains", "--subject", "slices")
GROUP = "/sys/fs/cgroup/gobuilds.slice"
BUILD = "cd /srv/hungry && HOME=/srv/home GOTOOLCHAIN=local GOFLAGS=-mod=mod"
MAKE = """\
import os
for name in "ab":
    os.makedirs(f"/srv/hungry/{name}")
    with open(f"/srv/hungry/{name}/{name}.go", "w") as file:
        file.write(f"package {name}\\n\\ntype Row struct {{ Name string; Value [4]int; Next *Row }}\\n")
        file.write("var Table = []*Row{\\n")
        for n in range(60000):
            file.write(f'{{"row {n}", [4]int{{{n}, 1, 2, 3}}, &Row{{Name: "next {n}"}}}},\\n')
        file.write("}\\n")
open("/srv/hungry/go.mod", "w").write("module hungry\\n\\ngo 1.21\\n")
"""


@pytest.fixture
def host(make_guest: Callable[..., Guest], control_guest: Callable[..., Controller],
         go_cache: GoCache) -> tuple[Guest, Controller]:  # fmt: skip
    """A guest with 768 MiB, two processors, no swap, and a real Go."""
    guest = make_guest(RELEASE, memory=768, cpus=2)
    controller = control_guest(guest)
    controller.use_real_go(go_cache)
    guest.run("mkdir -p /srv/home; python3 -", input=MAKE)
    return guest, controller


def converge(controller: Controller, slices: dict[str, Any]) -> None:
    controller.declare_real(users=["root"], slices=slices)
    report = controller.ask("apply", "-y", *ONLY)
    assert report["exit"] == 0, report


@contextmanager
def answers(guest: Guest) -> Iterator[list[float]]:
    """How long sshd took to answer, every few seconds, while something else goes on."""
    took: list[float] = []
    done = threading.Event()

    def ask() -> None:
        while not done.wait(3):
            began = time.monotonic()
            try:
                guest.ssh("true", timeout=60)
            except Exception:  # noqa: BLE001 - no answer is what is measured
                took.append(60.0)
            else:
                took.append(time.monotonic() - began)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield took
    finally:
        done.set()
        thread.join()


def build(guest: Guest, with_: str, budget: str = "") -> tuple[int, float, list[float]]:
    """Builds both packages: exit code, seconds, and sshd's answers meanwhile."""
    guest.run("rm -rf /srv/home/.cache; sync; echo 3 >/proc/sys/vm/drop_caches")
    with answers(guest) as took:
        began = time.monotonic()
        go = "/opt/gostead/current/bin/go"
        done = guest.run(f"{BUILD} {budget} {with_} {go} build ./a ./b", check=False, timeout=600)
        return done.returncode, time.monotonic() - began, took


def events(guest: Guest) -> dict[str, int]:
    lines = guest.run(f"cat {GROUP}/memory.events").stdout.splitlines()
    return {line.split()[0]: int(line.split()[1]) for line in lines}


def test_a_hungry_build_three_ways(host: tuple[Guest, Controller]) -> None:
    guest, controller = host
    # With a hard limit alone, Go starts as many compilers as there are processors.
    converge(controller, {"builds": {"memory_max": "480MiB", "memory_swap_max": 0}})
    code, seconds, took = build(guest, "go-slice")
    killed = events(guest)
    print(f"memory_max alone: exit {code}, {seconds:.0f} s, {killed}, ssh {max(took):.2f} s")
    assert code != 0
    assert killed["oom_kill"] >= 1

    # With all of it, one at a time, each within its part.
    budget = {"memory_high": "400MiB", "memory_max": "480MiB", "memory_swap_max": 0}
    converge(controller, {"builds": budget, "go_limits": "auto"})
    before = events(guest)
    code, seconds, took = build(guest, "go-slice")
    after = events(guest)
    high, kills = (after[name] - before[name] for name in ("high", "oom_kill"))
    print(f"all of it: exit {code}, {seconds:.0f} s, high {high}, oom_kill {kills}, "
          f"ssh {max(took):.2f} s")  # fmt: skip
    assert code == 0
    assert kills == 0

    # Without: the kernel of the whole host has to choose.
    guest.run("dmesg -C")
    code, seconds, took = build(guest, "")
    said = guest.run("dmesg | grep -c 'Out of memory: Killed' || :").stdout.strip()
    print(f"without: exit {code}, {seconds:.0f} s, kernel killed {said}, ssh {max(took):.2f} s")
    assert code != 0 or max(took) > 10
