"""A QEMU process: one emulated machine. What happens in it is the matter of `guest`.

It ends with the test run (PR_SET_PDEATHSIG), also when that is killed; then only a directory is
left, which the next run sweeps. Start machines from the main thread, see `root`.
"""

from __future__ import annotations

import re
import socket
import subprocess
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.support.processes import kill
from tests.support.vm.image import Image
from tests.support.vm.qmp import Qmp, QmpError

QEMU = "qemu-system-x86_64"
#: Accelerator -> its options and the processor that guests see. In TCG a translation buffer of
#: the default size would cost a gigabyte, and one of 64 MiB is too small for Go's compiler; with
#: cx16 (and la57) trixie's kernel stops, and with AVX what uses it is emulated at half the speed;
#: and now and then trixie stops where two processors are emulated at once: one runs into code that
#: the other is replacing (int3 in sched_clock_cpu).
ACCELERATORS = {
    "tcg": ("tcg,thread=single,tb-size=256", "qemu64,-cx16"),
    "kvm": ("kvm", "host"),
}
#: QEMU finds what it has translated by virtual address: where each process has its own addresses,
#: it translates libc anew for each, and what starts processes takes three times as long.
#: What hardens a kernel costs time here and shows nothing: a boot takes a tenth longer with it.
KERNEL_LINE = (
    "root=/dev/vda rw console=ttyS0 quiet mitigations=off net.ifnames=0 norandmaps nokaslr"
    " init_on_alloc=0 randomize_kstack_offset=off lsm=capability"
)


@dataclass(frozen=True)
class Shape:
    """How large a machine is; a snapshot can only be started in its own shape."""

    memory: int = 512  # MiB
    cpus: int = 1


@dataclass(frozen=True)
class Memory:
    """A file that is the machine's memory; what a machine writes reaches it only if `shared`."""

    path: Path
    shared: bool


class Machine:
    """One QEMU process, running once it is made, or waiting for `load` if `incoming`."""

    def __init__(
        self,
        image: Image,
        disk: Path,
        *,
        accelerator: str,
        shape: Shape,
        console: Path,
        memory: Memory | None = None,
        incoming: bool = False,
    ) -> None:
        """Start a machine on `disk` (qcow2); its console goes to a file."""
        self.console = console
        self._errors = console.with_name(f"{console.name}.errors")
        ours, theirs = socket.socketpair()
        command = _command(image, disk, accelerator, shape, console, memory, theirs.fileno())
        command += ["-incoming", "defer"] if incoming else []
        with theirs, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command],
                stdin=subprocess.DEVNULL, stdout=errors, stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
            )  # fmt: skip
        try:
            self.qmp = Qmp(ours)
        except QmpError as error:
            ours.close()
            self._end()
            raise QmpError(f"{error}\n{self.said()}") from None

    @property
    def pid(self) -> int:
        """QEMU's process."""
        return self._process.pid

    @property
    def ssh_port(self) -> int:
        """The port on this machine's loopback that leads to the guest's port 22."""
        listing = self.qmp.monitor("info usernet")
        found = re.search(r"TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)", listing)
        if found is None:
            raise QmpError(f"QEMU names no forwarded port:\n{listing}")
        return int(found[1])

    def save(self, path: Path) -> None:
        """Stop, and write all but the (shared) memory to `path`."""
        self.qmp.do("stop")
        self._leave_memory_alone()
        self.qmp.do("migrate", uri=f"exec:cat >'{path}'")
        self._wait("query-migrate", "completed", failures=("failed", "cancelled"))

    def load(self, path: Path) -> None:
        """Take the state from `path`, and run."""
        self._leave_memory_alone()
        self.qmp.do("migrate-incoming", uri=f"exec:cat '{path}'")
        self._wait("query-status", "paused", "running", failures=("internal-error",))
        self.qmp.do("cont")

    def said(self) -> str:
        """What QEMU complained of, and the end of the guest's console."""
        errors, console = (
            path.read_text(errors="replace")[-4000:].strip() if path.exists() else ""
            for path in (self._errors, self.console)
        )
        return f"QEMU: {errors or '(silent)'}\nconsole: {console or '(silent)'}"

    def alive(self) -> bool:
        """Say whether the process runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process, as a pulled plug would."""
        self.qmp.close()
        self._end()

    def _end(self) -> None:
        if self._process.poll() is None:
            kill(self._process.pid)
        self._process.wait()

    def _leave_memory_alone(self) -> None:
        capability = {"capability": "x-ignore-shared", "state": True}
        self.qmp.do("migrate-set-capabilities", capabilities=[capability])

    def _wait(
        self, query: str, *wanted: str, failures: tuple[str, ...], seconds: float = 60
    ) -> None:
        deadline = time.monotonic() + seconds
        while True:
            status = self.qmp.do(query).get("status")
            if status in wanted:
                return
            if status in failures or time.monotonic() > deadline:
                raise QmpError(f"{query} says {status}\n{self.said()}")
            time.sleep(0.02)


@cache
def qemu_version() -> str:
    """Return what QEMU calls itself; snapshots are of one version."""
    done = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]


def make_overlay(below: Path, kind: str, path: Path) -> Path:
    """Make an empty qcow2 at `path` over `below` (`kind`: raw or qcow2)."""
    command = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(below), "-F", kind, str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path


def _command(
    image: Image, disk: Path, accelerator: str, shape: Shape, console: Path,
    memory: Memory | None, monitor: int,
) -> list[str]:  # fmt: skip
    how, cpu = ACCELERATORS[accelerator]
    # restrict=on: from the guest nothing is to be reached, not even the machine's resolver.
    network = "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:0-:22"
    options = {
        "accel": how,
        "machine": "q35" + (",memory-backend=ram" if memory else ""),
        "cpu": cpu,
        "m": str(shape.memory),
        "smp": str(shape.cpus),
        "display": "none",
        "kernel": str(image.kernel),
        "initrd": str(image.initrd),
        "append": KERNEL_LINE,
        # The process outlives a reset of the machine, and so does what it has not yet written.
        "drive": f"if=none,id=disk,file={disk},format=qcow2,cache=unsafe,discard=unmap",
        "netdev": network,
        "serial": f"file:{console}",
        "chardev": f"socket,id=monitor,fd={monitor}",
        "mon": "chardev=monitor,mode=control",
    }
    if memory is not None:
        share = "on" if memory.shared else "off"
        options["object"] = (
            f"memory-backend-file,id=ram,size={shape.memory}M,mem-path={memory.path},share={share}"
        )
    devices = [
        "virtio-blk-pci,drive=disk", "virtio-net-pci,netdev=net,romfile=", "virtio-rng-pci",
    ]  # fmt: skip
    words = [QEMU, "-nodefaults", "-no-user-config"]
    words += [word for name, value in options.items() for word in (f"-{name}", value)]
    return words + [word for device in devices for word in ("-device", device)]
