"""The project itself in a guest, for tests of a host that converges itself."""

from __future__ import annotations

import subprocess

from tests.support.cache import PROJECT
from tests.support.vm.guest import Guest, GuestError


def put_project(guest: Guest, directory: str = "/srv/gostead", *, user: str = "root") -> None:
    """Put the tracked files of the project, as they are now, below `directory` of a guest."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=True
    ).stdout
    there = b"\0".join(name for name in listed.split(b"\0") if name and _exists(name))
    packed = subprocess.run(
        ["tar", "-c", "-z", "--null", "--files-from=-"],
        cwd=PROJECT, input=there, capture_output=True, check=True,
    ).stdout  # fmt: skip
    unpack = f"mkdir -p '{directory}' && tar -x -z --no-same-owner -C '{directory}'"
    done = subprocess.run(
        guest.ssh_command(unpack, user=user), input=packed, capture_output=True, check=False,
        timeout=120,
    )  # fmt: skip
    if done.returncode != 0:
        raise GuestError(f"{guest.name}: the project cannot be unpacked: {done.stderr.decode()}")


def _exists(name: bytes) -> bool:
    """What is tracked and deleted is left out."""
    path = PROJECT / name.decode()
    return path.is_symlink() or path.exists()
