"""Waiting for a guest to come up."""

from __future__ import annotations

import socket
import subprocess
import time

from tests.support.ssh_door import SshDoor
from tests.support.vm.machine import Machine

#: The longest that a boot may take: 15 s on an idle machine, a minute on one with much to do.
BOOT_SECONDS = 240
#: What a console ends with when waiting longer is of no use.
STUCK = ("Kernel panic - not syncing", "Dropping to a shell", "You are in emergency mode")


def wait_for_ssh(door: SshDoor, machine: Machine, seconds: float = BOOT_SECONDS) -> None:
    """Wait until root can come in."""
    deadline = time.monotonic() + seconds
    said = ""
    while time.monotonic() < deadline:
        if not machine.alive():
            raise RuntimeError(f"QEMU has ended\n{machine.said()}")
        if any(word in machine.said() for word in STUCK):
            raise RuntimeError(f"the guest does not boot\n{machine.said()}")
        # QEMU itself takes the connection; the guest's sshd is there once it says so.
        if _banner(door):
            try:
                done = door.ssh("true", timeout=30)
            except subprocess.TimeoutExpired:
                continue
            if done.returncode == 0:
                return
            said = done.stderr
        time.sleep(0.1)
    raise RuntimeError(f"no answer by ssh within {seconds} s: {said}\n{machine.said()}")


def settle(door: SshDoor, machine: Machine, seconds: float = BOOT_SECONDS) -> None:
    """Wait until the boot has finished, for better or worse: before, only root may log in."""
    try:
        done = door.ssh("systemctl is-system-running --wait", timeout=seconds)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"not booted within {seconds} s\n{machine.said()}") from None
    if done.stdout.strip() not in ("running", "degraded"):
        raise RuntimeError(f"booted: {done.stdout!r} {done.stderr!r}\n{machine.said()}")


def _banner(door: SshDoor) -> bool:
    try:
        with socket.create_connection((door.address, door.port), 2) as connection:
            connection.settimeout(2)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
