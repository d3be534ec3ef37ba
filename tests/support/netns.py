"""A private network for ssh hosts: a bridge in a network namespace, one veth pair to this machine.

The machine gets one interface, `gostead-t<N>`, with the address 10.77.<N>.1/24; the kernel removes
it with the namespace when the process that holds the namespace ends, at the latest with the run.
"""

from __future__ import annotations

import subprocess
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

#: Interfaces of the machine that belong to test runs; at most 15 characters with the number.
INTERFACE_PREFIX = "gostead-t"


class Network:
    """A bridge that hosts are plugged into. A context manager; start it from the main thread."""

    def __init__(self) -> None:
        self._holder: subprocess.Popen[bytes] | None = None
        self._octet = 0
        self._free = deque(range(2, 255))

    def __enter__(self) -> Self:
        self._holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "-n", "sleep", "infinity"],
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            self._wait_unshared(self._holder.pid)
            self._octet = self._connect(self._holder.pid)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def address(self) -> str:
        """The machine's own address in this network, for servers that hosts shall reach."""
        return f"10.77.{self._octet}.1"

    @property
    def interface(self) -> str:
        """The machine's interface in this network."""
        return f"{INTERFACE_PREFIX}{self._octet}"

    def next_address(self) -> str:
        """Return an address that no living host of this network has; give it back when done."""
        if not self._free:
            raise RuntimeError("a test network has 253 addresses; close hosts before making more")
        return f"10.77.{self._octet}.{self._free.popleft()}"

    def give_back(self, address: str) -> None:
        """Let a later host have `address`, the longest unused ones first."""
        self._free.append(int(address.rpartition(".")[2]))

    def plug(self, ends: Sequence[tuple[str, int]]) -> None:
        """Give each (address, pid) an interface eth0 in the network namespace of process `pid`.

        The process configures its end: see `host_lines`.
        """
        self._ip("".join(
            # The hardware address goes with the address: neighbours who remember it stay right.
            f"link add {port(address)} type veth "
            f"peer name eth0 address {hardware_address(address)} netns {pid}\n"
            f"link set {port(address)} master bridge up\n"
            for address, pid in ends
        ))  # fmt: skip

    def host_lines(self, address: str) -> list[str]:
        """Return the `ip` lines with which a host takes up its `address` (see enter_root.sh)."""
        return [f"ip addr add {address}/24 dev eth0", "ip link set eth0 up"]

    def set_link(self, address: str, *, up: bool) -> None:
        """Cut the cable of the host with `address`, or plug it in again: packets just vanish."""
        self._ip(f"link set {port(address)} {'up' if up else 'down'}\n")

    def close(self) -> None:
        """End the network; the kernel takes its interfaces away."""
        holder, self._holder = self._holder, None
        if holder is None:
            return
        holder.kill()
        holder.wait()
        # The kernel dismantles a network namespace a moment later, in the background.
        deadline = time.monotonic() + 5
        while self._octet and Path(f"/sys/class/net/{self.interface}").exists():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.interface} is still there; ip link del {self.interface}")
            time.sleep(0.005)

    @staticmethod
    def _wait_unshared(pid: int) -> None:
        ours = Path("/proc/self/ns/net").readlink()
        deadline = time.monotonic() + 5
        while Path(f"/proc/{pid}/ns/net").readlink() == ours:
            if time.monotonic() > deadline:
                raise RuntimeError("unshare -n did not make a network namespace")
            time.sleep(0.001)

    def _connect(self, pid: int) -> int:
        """Take a number that no other test run has: whoever makes the interface has the number."""
        routes = subprocess.run(
            ["ip", "-4", "route", "show"], capture_output=True, text=True, check=True
        ).stdout
        for octet in range(1, 255):
            if f"10.77.{octet}." in routes:
                continue
            name = f"{INTERFACE_PREFIX}{octet}"
            pair = ["type", "veth", "peer", "name", "machine", "netns", str(pid)]
            made = subprocess.run(
                ["ip", "link", "add", name, *pair], capture_output=True, text=True, check=False
            )
            if made.returncode == 0:
                self._octet = octet
                address = f"addr add 10.77.{octet}.1/24 dev {name}\nlink set {name} up\n"
                _batch(["ip", "-batch", "-"], address)
                self._ip(
                    "link add bridge type bridge\nlink set bridge up\nlink set lo up\n"
                    "link set machine master bridge up\n"
                )
                return octet
            if "exists" not in made.stderr:
                raise RuntimeError(f"ip link add {name}: {made.stderr.strip()}")
        raise RuntimeError("no free network 10.77.1.0/24 … 10.77.254.0/24")

    def _ip(self, commands: str) -> None:
        assert self._holder is not None
        _batch(["nsenter", f"--net=/proc/{self._holder.pid}/ns/net", "ip", "-batch", "-"], commands)


def port(address: str) -> str:
    """Return the name of the bridge's port for the host with `address`."""
    return f"port{address.rpartition('.')[2]}"


def hardware_address(address: str) -> str:
    """Return the one hardware address that every host with `address` has."""
    return "02:00:" + ":".join(f"{int(part):02x}" for part in address.split("."))


def _batch(command: Sequence[str], commands: str) -> None:
    done = subprocess.run(command, input=commands, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"ip: {done.stderr.strip()} in:\n{commands}")
