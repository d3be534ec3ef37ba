"""Whether guests can run here, and what emulates their processor.

QEMU's TCG works anywhere. KVM is ten times as fast, and taken where it proves itself: a
/dev/kvm may be there and yet stop in the middle of a boot.
"""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
from functools import cache
from pathlib import Path

from tests.support.cache import built_once, recipe_key
from tests.support.requirements import cannot_run, why_no_hosts
from tests.support.vm.image import Image
from tests.support.vm.machine import ACCELERATORS, QEMU, qemu_version

#: Program -> Debian package that has it, besides what hosts need (the images are built as roots).
PROGRAMS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "mke2fs": "e2fsprogs",
}
#: Overrides the probe: tcg or kvm.
OVERRIDE = "GOSTEAD_TEST_ACCEL"
#: How long a kernel without a root disk may take to give up, on KVM; here TCG takes 3 s.
PROBE_SECONDS = 10


def need_guests() -> None:
    """Skip (fail under CI) where no guest can run: see `why_no_guests`."""
    reason = why_no_guests()
    if reason is not None:
        cannot_run(reason)


@cache
def why_no_guests() -> str | None:
    """Return why this machine cannot build and run guests, or None if it can."""
    reason = why_no_hosts()
    if reason is not None:
        return reason
    if platform.machine() != "x86_64":
        return f"guests are x86-64; this is {platform.machine()}"
    # The programs of the machine's administrator may not be on PATH.
    missing = {name: pkg for name, pkg in PROGRAMS.items() if not _found(name)}
    if missing:
        packages = " ".join(sorted(missing.values()))
        return f"{', '.join(missing)} not found; on Debian: apt-get install {packages}"
    return None


def accelerator(image: Image) -> str:
    """Return `kvm` or `tcg`: as $GOSTEAD_TEST_ACCEL says, else KVM if it boots `image`'s kernel."""
    asked = os.environ.get(OVERRIDE, "")
    if asked:
        if asked not in ACCELERATORS:
            raise ValueError(f"{OVERRIDE}={asked}: must be one of {', '.join(ACCELERATORS)}")
        return asked
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    key = recipe_key(boot, qemu_version(), image.directory.name)
    verdict = built_once(f"guest-accelerator-{key}", lambda path: _probe(image, path))
    return verdict.read_text().strip()


def _probe(image: Image, verdict: Path) -> None:
    """Boot the kernel without a root disk: it must come as far as to panic, and restart."""
    how, cpu = ACCELERATORS["kvm"]
    console = verdict.with_name(f"{verdict.name}.console")
    command = [
        QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-accel", how,
        "-machine", "q35", "-cpu", cpu, "-m", "256", "-kernel", str(image.kernel),
        "-append", "console=ttyS0 panic=-1", "-serial", f"file:{console}",
    ]  # fmt: skip
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                timeout=PROBE_SECONDS,
            )  # fmt: skip
        booted = console.exists() and "Unable to mount root" in console.read_text(errors="replace")
    finally:
        console.unlink(missing_ok=True)
    verdict.write_text("kvm\n" if booted else "tcg\n")


def _found(program: str) -> bool:
    places = [*os.get_exec_path(), "/usr/sbin", "/sbin"]
    return any(os.access(Path(place, program), os.X_OK) for place in places)
