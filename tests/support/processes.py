"""Ending processes for good, also those in pid namespaces of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path


def children(pid: int) -> list[int]:
    """Return the children of process `pid`; none if it is gone. Source: proc_pid_task(5)."""
    try:
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def wait_for_child(pid: int, seconds: float = 5) -> int:
    """Return the first child of process `pid` as soon as it has one."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := children(pid):
            return found[0]
        time.sleep(0.002)
    raise RuntimeError(f"process {pid} has started no other within {seconds} s")


def kill(pid: int) -> None:
    """SIGKILL `pid`, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def end_with_descendants(process: subprocess.Popen[str]) -> None:
    """SIGKILL all that descends from `process`, then itself, and wait for it.

    Children go first: nsenter reaps its own then. An orphan from inside a pid namespace falls
    to the machine's init, which may take seconds over it, and keeps the namespace that long.
    """
    for child in children(process.pid):
        kill_tree(child)
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def kill_tree(pid: int) -> None:
    """SIGKILL all that descends from `pid`, and then it."""
    for child in children(pid):
        kill_tree(child)
    kill(pid)
