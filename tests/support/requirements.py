"""What a test needs of the machine, and what happens where it is missing.

On a person's machine a test that cannot run is skipped with the reason and the remedy. Under CI
(`CI` set, and not to nothing) it fails: a tier that proves nothing is worse than a red one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from typing import NoReturn

import pytest

#: Program -> Debian package that has it, for the tiers that make hosts of their own.
HOST_PROGRAMS = {
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}

#: The same for what some tests build with.
BUILD_PROGRAMS = {"ar": "binutils", "objdump": "binutils", "gcc": "gcc", "musl-gcc": "musl-tools"}


def in_ci() -> bool:
    """Say whether a test that cannot run counts as a failure."""
    return os.environ.get("CI", "") not in ("", "0", "false")


def cannot_run(reason: str) -> NoReturn:
    """End the test: skipped with `reason`, or failed under CI."""
    if in_ci():
        pytest.fail(f"cannot run here, and CI is set: {reason}", pytrace=False)
    pytest.skip(reason)


def need_programs(*names: str) -> None:
    """Skip (fail under CI) unless every program in `names` is on PATH."""
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        known = HOST_PROGRAMS | BUILD_PROGRAMS
        packages = sorted({known.get(name, name) for name in missing})
        cannot_run(
            f"{', '.join(missing)} not found; on Debian: apt-get install {' '.join(packages)}"
        )


def need_hosts() -> None:
    """Skip (fail under CI) where no host of our own can be made: see `why_no_hosts`."""
    reason = why_no_hosts()
    if reason is not None:
        cannot_run(reason)


@cache
def why_no_hosts() -> str | None:
    """Return why this machine cannot make throw-away roots and ssh hosts, or None if it can."""
    if sys.platform != "linux":
        return "throw-away hosts are made of Linux namespaces; this is not Linux"
    if os.geteuid() != 0:
        return "throw-away hosts need root (mount and network namespaces); run script/test as root"
    missing = {name: pkg for name, pkg in HOST_PROGRAMS.items() if shutil.which(name) is None}
    if missing:
        packages = " ".join(sorted(set(missing.values())))
        return f"{', '.join(missing)} not found; on Debian: apt-get install {packages}"
    probe = subprocess.run(
        ["unshare", "-m", "-n", "-p", "-f", "true"], capture_output=True, text=True, check=False
    )
    if probe.returncode != 0:
        return (
            f"namespaces are not allowed here ({probe.stderr.strip()}); run outside the container"
        )
    return None
