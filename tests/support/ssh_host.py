"""Hosts that answer real ssh: a throw-away root with sshd in a network of the test's own.

Fifty of them start in about a second; each needs some megabytes.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, overload

from tests.support.keys import keys
from tests.support.netns import Network
from tests.support.root import Mount, Root
from tests.support.runs import new_run_dir, release_run_dir
from tests.support.ssh_door import SshDoor

#: Runs inside; -e: to the root's log file. Its children are the root's only other processes.
SSHD = ("/usr/sbin/sshd", "-D", "-e")


class SshHost(Root, SshDoor):
    """One host. `run` looks at it from the side (nsenter), `ssh` comes in by the front door."""

    def __init__(
        self,
        lower: Path,
        network: Network,
        *,
        name: str,
        mounts: Sequence[Mount] = (),
        layers: Sequence[Path] = (),
        size: str | None = None,
        inodes: int | None = None,
    ) -> None:
        super().__init__(
            lower, name=name, mounts=mounts, layers=layers, size=size, inodes=inodes,
            network="own", command=SSHD,
        )  # fmt: skip
        self.network = network
        self.address = ""

    def close(self) -> None:
        """End the host, and give its address back to the network."""
        super().close()
        if self.address:
            self.network.give_back(self.address)
            self.address = ""

    def start(self) -> Self:
        """Start the host and wait until it answers on port 22."""
        start_all([self])
        return self

    @property
    def port(self) -> int:
        """The port of sshd."""
        return 22

    @property
    def known_hosts(self) -> Path:
        """A known_hosts file with this host, and no other."""
        return self.base / "known_hosts"

    def cut(self) -> None:
        """Pull the cable: nothing arrives any more, and nobody is told."""
        self.network.set_link(self.address, up=False)

    def mend(self) -> None:
        """Plug the cable in again."""
        self.network.set_link(self.address, up=True)


class Fleet(Sequence[SshHost]):
    """Several hosts of one kind; a context manager that ends them all."""

    def __init__(self, hosts: Iterable[SshHost]) -> None:
        self._hosts = list(hosts)
        self._directory = Path()

    def __len__(self) -> int:
        return len(self._hosts)

    @overload
    def __getitem__(self, index: int) -> SshHost: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[SshHost]: ...
    def __getitem__(self, index: int | slice) -> SshHost | Sequence[SshHost]:
        return self._hosts[index]

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.callback(self.close)
            start_all(self._hosts)
            undo.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all hosts."""
        for host in self._hosts:
            host.close()
        if self._directory != Path():
            release_run_dir(self._directory)
            self._directory = Path()

    def inventory(self, user: str = "root") -> Path:
        """Write a pyinfra inventory file with all hosts, by name, in the group `fleet`."""
        return self.write_inventory(lambda host: host.data(user))

    def write_inventory(self, data: Callable[[SshHost], dict[str, object]]) -> Path:
        """Write an inventory file in which each host has the data that `data` gives it."""
        if self._directory == Path():
            self._directory = new_run_dir("inventory")
        hosts = [(host.name, data(host)) for host in self._hosts]
        path = self._directory / "fleet.py"
        path.write_text(f"fleet = {hosts!r}\n")
        return path


def start_all(hosts: Sequence[SshHost], seconds: float = 30) -> None:
    """Start `hosts` side by side; all are closed again when one does not come up."""
    with ExitStack() as undo:
        for host in hosts:
            undo.callback(host.close)
            host.address = host.network.next_address()
            host.launch()
        by_network: dict[Network, list[tuple[str, int]]] = {}
        for host in hosts:
            by_network.setdefault(host.network, []).append((host.address, host.pid))
        for network, ends in by_network.items():
            try:
                network.plug(ends)
            except RuntimeError:
                # Whose namespace is gone is about to end, if it has not yet.
                for _ in range(20):
                    for host in hosts:
                        host.raise_if_dead()
                    time.sleep(0.1)
                raise
        for host in hosts:
            host.proceed(*host.network.host_lines(host.address))
            host.known_hosts.write_text(f"{host.address} {keys().host_public}\n")
        for host in hosts:
            host.wait_ready(seconds)
        for host in hosts:
            _wait_for_banner(host, seconds)
        undo.pop_all()


def _wait_for_banner(host: SshHost, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with socket.create_connection((host.address, host.port), 2) as connection:
                connection.settimeout(2)
                if connection.recv(4) == b"SSH-":
                    return
        except OSError as error:
            if time.monotonic() > deadline:
                raise RuntimeError(
                    f"{host.name}: no answer by ssh: {error}; {host.log()}"
                ) from None
            time.sleep(0.005)
