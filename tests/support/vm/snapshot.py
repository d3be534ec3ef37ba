"""A booted guest, kept: its memory in a file, its disk, and the rest of its state.

Made once per image, accelerator, version of QEMU and shape (about 40 s, 400 MB). Guests map the
memory privately, so that they share what they have not written to, and have an overlay on the disk.
"""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.cache import built_once, recipe_key, remove
from tests.support.keys import keys
from tests.support.ssh_door import SshDoor
from tests.support.vm import machine
from tests.support.vm.image import Image
from tests.support.vm.machine import Machine, Memory, Shape, make_overlay, qemu_version
from tests.support.vm.waiting import settle, wait_for_ssh

#: The shape that starts warm. A snapshot of each other one would cost half a minute and more.
STANDARD = Shape()
#: Done once before the snapshot, so that no guest pays for it: programs are read, users known.
WARM_UP = """
for user in deploy zed ann; do su -l -c true $user </dev/null; done
python3 -c 'import json, subprocess'
sync
"""


@dataclass(frozen=True)
class Snapshot:
    """What a warm start needs."""

    directory: Path

    @property
    def memory(self) -> Path:
        """The guest's memory, never written to."""
        return self.directory / "memory"

    @property
    def state(self) -> Path:
        """The processor's and the devices' state."""
        return self.directory / "state"

    @property
    def disk(self) -> Path:
        """A qcow2 over the image's disk."""
        return self.directory / "disk.qcow2"


class _Door(SshDoor):
    """The way into the guest of which a snapshot is made."""

    def __init__(self, directory: Path, port: int) -> None:
        self.address = "127.0.0.1"
        self._port = port
        self._known_hosts = directory / "known_hosts"
        self._known_hosts.write_text(f"[{self.address}]:{port} {keys().host_public}\n")

    @property
    def port(self) -> int:
        return self._port

    @property
    def known_hosts(self) -> Path:
        return self._known_hosts


def snapshot(image: Image, accelerator: str, shape: Shape) -> Snapshot:
    """Return the snapshot for warm starts, made at first use."""
    recipe = [inspect.getsource(module) for module in (sys.modules[__name__], machine)]
    processor = _processor() if accelerator == "kvm" else "emulated"
    key = recipe_key(*recipe, image.directory.name, accelerator, processor, qemu_version(),
                     repr(shape))  # fmt: skip
    name = f"snapshot-{image.release}-{key}"
    return Snapshot(built_once(name, lambda path: _take(path, image, accelerator, shape)))


def _take(directory: Path, image: Image, accelerator: str, shape: Shape) -> None:
    directory.mkdir()
    taken = Snapshot(directory)
    # Relative to itself, as this directory gets its name when it is complete.
    below = Path("..") / image.directory.name / image.disk.name
    machine = Machine(
        image, make_overlay(below, "raw", taken.disk), accelerator=accelerator, shape=shape,
        console=directory / "console", memory=Memory(taken.memory, shared=True),
    )  # fmt: skip
    try:
        door = _Door(directory, machine.ssh_port)
        wait_for_ssh(door, machine)
        settle(door, machine)
        done = door.ssh(WARM_UP, timeout=120)
        if done.returncode != 0:
            raise RuntimeError(f"the guest does not warm up: {done.stderr}\n{machine.said()}")
        machine.save(taken.state)
    finally:
        machine.close()
    for name in ("console", "console.errors", "known_hosts"):
        remove(directory / name)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line for line in lines if line.startswith("model name")), "")
