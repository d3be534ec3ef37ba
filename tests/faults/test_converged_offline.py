"""Scorecard: a second run asks nobody: no socket but those inside the host."""

from __future__ import annotations

import re
import sys
from typing import Any

from tests.support.cache import PROJECT
from tests.support.faults import Ground
from tests.support.preloaded import FACE

CALLS = "/root/calls"
DECLARED: dict[str, Any] = {
    "users": ["root", "ann"],
    "env": {"GOPRIVATE": "git.example.com"},
    "telemetry": "off",
    "cache": {"root": "/var/cache/go", "modules": "/var/cache/mod", "max_size": "1GiB"},
    "tools": ["tools.example.com/one@v1.0.0"],
}


def families(ground: Ground, command: list[str], status: int = 0) -> set[str]:
    """The address families of all sockets that a command, and whatever it starts, opens."""
    strace = ["strace", "-f", "-qq", "-e", "trace=socket,execve", "-o", CALLS]
    environment = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(PROJECT)}
    done = ground.sandbox.run([*strace, *command], env=environment, cwd="/", timeout=300)
    assert done.returncode == status, done.stdout + done.stderr
    calls = ground.run(f"cat {CALLS}; rm {CALLS}")
    assert "execve(" in calls, "nothing was traced"
    return set(re.findall(r"socket\((AF_\w+)", calls))


def gostead(ground: Ground, first: str, *rest: str) -> list[str]:
    """The command as a user types it, as words."""
    declaration = str(ground.site.declaration)
    return [sys.executable, *FACE, first, "@local", "--declaration", declaration, *rest]


def test_every_subject_is_converged_without_a_network(ground: Ground) -> None:
    ground.site.declare(**DECLARED)
    ground.converge()
    for words in (("plan",), ("apply", "-y"), ("apply", "-y", "--deep")):
        assert families(ground, gostead(ground, *words)) <= {"AF_UNIX", "AF_NETLINK"}
    # One that does ask somebody is seen.
    ground.run("rm -rf /root/.cache/gostead/*")
    ground.site.declare({"archive_url": "http://127.0.0.1:9", "default": "1.26.8"}, **DECLARED)
    assert "AF_INET" in families(ground, gostead(ground, "apply", "-y"), status=1)
