"""A build that takes more memory than its guest has: two packages whose tables of composite
literals have the compiler take some 400 MiB each, at the same time.

Go is real; nothing is fetched by it, and what the two need of the standard library was built by
the same toolchain on this machine.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.controller import Controller
from tests.support.go_binaries import build_cache
from tests.support.go_cache import go_cache
from tests.support.site import Site
from tests.support.vm.guest import Guest

#: What the guest has. The kernel and systemd take some 130 MiB of it.
MEMORY, PROCESSORS = 768, 2
ROWS = 45_000
#: Long enough for a build that goes on; one that does not end by then has stalled.
SECONDS = 900
CGROUP = "/sys/fs/cgroup/gobuilds.slice"
ENVIRONMENT = (
    "env GOPROXY=off GOFLAGS=-mod=mod GOCACHE=/srv/cache HOME=/root GOTOOLCHAIN=local CGO_ENABLED=0"
)
MAKE = f"""
set -e
mkdir -p /srv/hungry/a /srv/hungry/b
cd /srv/hungry
printf 'module example.com/hungry\\n\\ngo 1.27\\n' >go.mod
for package in a b; do
  awk -v name=$package 'BEGIN {{
    print "package " name "\\n\\ntype Row struct {{\\n\\tName string\\n\\tN [4]int\\n\\tNext *Row\\n}}\\n"
    print "var Rows = []*Row{{"
    for (i = 0; i < {ROWS}; i++)
      printf "\\t&Row{{\\"row %d\\", [4]int{{%d, 2, 3, 4}}, &Row{{\\"next %d\\", [4]int{{%d}}, nil}}}},\\n", i, i, i, i
    print "}}"
  }}' >$package/rows.go
done
"""  # noqa: E501
#: sshd is asked again and again by somebody who does not log in. Newer ones refuse that after a
#: while (PerSourcePenalties, sshd_config(5)), and at once, which looks like an answer.
PATIENT_SSHD = """
if sshd -T | grep -qi '^persourcepenalties'; then
  echo 'PerSourcePenalties no' >/etc/ssh/sshd_config.d/patient.conf && systemctl reload ssh
fi
"""
#: As a table's row says it, and what is declared.
WAYS: Mapping[str, Mapping[str, Any] | None] = {
    "no slice": None,
    "memory_max alone": {
        "builds": {"memory_max": "480MiB", "memory_swap_max": 0}, "go_limits": None
    },
    "the whole set": {
        "builds": {"memory_high": "400MiB", "memory_max": "480MiB", "memory_swap_max": 0},
        "go_limits": "auto",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """How one build ended. `kills` of the slice are among those of the kernel (`all_kills`);
    `banner`: the longest that sshd took to say its first line, in seconds; infinite where it once
    did not."""

    built: bool
    stalled: bool
    said: str
    seconds: float
    high: int
    kills: int
    all_kills: int
    peak: int
    banner: float


class Hungry:
    """A guest with a real Go and the sources of the build."""

    def __init__(self, guest: Guest, directory: Path) -> None:
        """`directory` is the controller's: its declaration, and its home."""
        for name in ("site", "home"):
            (directory / name).mkdir()
        self.guest = guest
        cache = {"XDG_CACHE_HOME": str(go_cache().path.parent)}
        self.controller = Controller(
            Site(directory / "site"), guest, directory / "home", environment=cache, seconds=900
        )
        go_cache().tar("1.27.3")
        self._declare(None)
        guest.run(PATIENT_SSHD)
        guest.run(MAKE)
        guest.put(build_cache("runtime"), "/srv/cache.tar")
        guest.run("mkdir /srv/cache && tar -xof /srv/cache.tar -C /srv/cache && rm /srv/cache.tar")
        guest.run(f"cd /srv/hungry && {ENVIRONMENT} go build runtime", timeout=900)

    def build(self, way: str, seconds: int = SECONDS) -> Outcome:
        """Declares that way, converges, and builds. After so many seconds it counts as stalled, and
        the guest is started anew."""
        slices = WAYS[way]
        self._declare(slices)
        # The two compilers are to run, each time with the same in memory: Go itself, read by
        # somebody else, as on a host that builds all day. What the build reads counts as its own,
        # and the kernel takes that from it for minutes before it calls it out of memory.
        command = (
            f"cd /srv/hungry && echo '// {way}' | tee -a a/rows.go >>b/rows.go && sync &&"
            f" echo 3 >/proc/sys/vm/drop_caches;"
            f" cat $(go env GOROOT)/bin/go $(go env GOTOOLDIR)/* >/dev/null;"
            f" {'go-slice ' if slices else ''}{ENVIRONMENT} go build ./... 2>&1; echo exit $?"
        )
        before = self._counts()
        started = time.monotonic()
        with banners(self.guest) as slowest:
            try:
                said = self.guest.run(command, check=False, timeout=seconds).stdout
                stalled = False
            except subprocess.TimeoutExpired:
                said, stalled = "", True
        took = time.monotonic() - started
        if stalled:
            self.guest.power_loss()
            before = (0, 0, 0)
        after = self._counts()
        high, kills, all_kills = (b - a for a, b in zip(before, after, strict=True))
        peak = self.guest.run(f"cat {CGROUP}/memory.peak 2>/dev/null || echo 0").stdout
        return Outcome(said.endswith("exit 0\n"), stalled, said, took, high, kills, all_kills,
                       int(peak), max(slowest))  # fmt: skip

    def _declare(self, slices: Mapping[str, Any] | None) -> None:
        go: dict[str, Any] = {"scope": "system", "toolchains": {"sources": ["module"]}}
        if slices:
            go["slices"] = dict(slices)
        site = self.controller.site
        (site.declaration / "all.yaml").write_text(json.dumps({"go": go}))
        self.controller.converge()

    def _counts(self) -> tuple[int, int, int]:
        """memory_high reached and kills in the slice, kills on the guest."""
        text = self.guest.run(
            f"cat {CGROUP}/memory.events 2>/dev/null;"
            " sed -n 's/^oom_kill /all_kills /p' /proc/vmstat"
        ).stdout
        found = {name: int(number) for name, number in re.findall(r"^(\S+) (\d+)$", text, re.M)}
        return found.get("high", 0), found.get("oom_kill", 0), found.get("all_kills", 0)


@contextlib.contextmanager
def banners(guest: Guest) -> Iterator[list[float]]:
    """Asks sshd for its first line, twice a second; gives the seconds that it took."""
    seconds, done = [0.0], threading.Event()

    def ask() -> None:
        while not done.wait(0.5):
            started, said = time.monotonic(), b""
            with (
                contextlib.suppress(OSError),
                socket.create_connection((guest.address, guest.port), timeout=60) as line,
            ):
                said = line.recv(4)
            seconds.append(time.monotonic() - started if said == b"SSH-" else math.inf)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    try:
        yield seconds
    finally:
        done.set()
        asking.join(70)
