"""A guest: Debian with a kernel and a systemd of its own, reached by ssh through this machine's
loopback. From it nothing is to be reached, unless `reverse` lets it.

A warm start (1 to 3 s) continues a snapshot of a booted guest; a cold one (20 s) boots.
"""

from __future__ import annotations

import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.keys import keys
from tests.support.runs import new_run_dir, release_run_dir
from tests.support.ssh_door import SshDoor
from tests.support.vm.accelerator import accelerator
from tests.support.vm.image import image
from tests.support.vm.machine import Machine, Memory, Shape, make_overlay
from tests.support.vm.snapshot import STANDARD, snapshot
from tests.support.vm.waiting import BOOT_SECONDS, settle, wait_for_ssh

#: The socket of root's connection, in the guest's directory.
LINE = "line"


class GuestError(RuntimeError):
    """A guest did not do what it must; says what its console said."""


class Guest(SshDoor):
    """One guest. A context manager; `close()` may be called at any time, repeatedly."""

    def __init__(
        self,
        release: str = "bookworm",
        *,
        memory: int = STANDARD.memory,
        cpus: int = STANDARD.cpus,
        name: str | None = None,
        warm: bool = True,
    ) -> None:
        """Prepare a guest of `release` with `memory` MiB; `start()` or `with` makes it.

        `name` becomes its host name, which is else `guest`. Only the standard shape starts warm;
        others boot cold.
        """
        self.release = release
        self.shape = Shape(memory, cpus)
        self.name = name or "guest"
        self.address = "127.0.0.1"
        self._renamed = name is not None
        self._warm = warm and self.shape == STANDARD
        self._machine: Machine | None = None
        self._port = 0
        self._line: subprocess.Popen[bytes] | None = None
        self.base = Path()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and self._machine is not None:
            error.add_note(f"{self.name} ({self.release}): {self.machine.said()}")
        self.close()

    def start(self) -> Self:
        """Start it, and wait until it is up: ssh answers and the boot has finished."""
        self.base = new_run_dir(self.name)
        try:
            self._launch()
            self._port = self.machine.ssh_port
            self.known_hosts.write_text(f"[{self.address}]:{self.port} {keys().host_public}\n")
            wait_for_ssh(self, self.machine)
            if not self._warm:
                settle(self, self.machine)
            self._open_line()
            self._become_itself()
        except BaseException as error:
            if self._machine is not None:
                error.add_note(f"{self.name} ({self.release}): {self._machine.said()}")
            self.close()
            raise
        return self

    def close(self) -> None:
        """End it, as a pulled plug would, and remove its files."""
        self._close_line()
        if self._machine is not None:
            self._machine.close()
            self._machine = None
        if self.base != Path():
            release_run_dir(self.base)
            self.base = Path()

    @property
    def machine(self) -> Machine:
        """The QEMU process."""
        if self._machine is None:
            raise GuestError(f"{self.name} is not started")
        return self._machine

    @property
    def port(self) -> int:
        """The port on this machine's loopback that leads to sshd."""
        return self._port

    @property
    def known_hosts(self) -> Path:
        """A known_hosts file with this guest, and no other."""
        return self.base / "known_hosts"

    def run(
        self,
        command: str,
        *,
        user: str = "root",
        input: str | None = None,
        check: bool = True,
        timeout: float = 120,
    ) -> subprocess.CompletedProcess[str]:
        """Run a line of shell by ssh as `user`; with `check` a failure is a GuestError.

        root's go through one connection, which spares an emulated processor a second each time;
        those of others are sessions of their own.
        """
        words = self.ssh_command(command, user=user)
        if user == "root" and self._line is not None:
            words[1:1] = ["-S", LINE]
        done = subprocess.run(
            words, cwd=self.base, text=True, capture_output=True, check=False, timeout=timeout,
            input=input, stdin=subprocess.DEVNULL if input is None else None,
        )  # fmt: skip
        if check and done.returncode != 0:
            raise GuestError(
                f"{self.name} ({self.release}): {command!r} as {user} ended with "
                f"{done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
            )
        return done

    def put(self, source: Path, target: str, *, user: str = "root") -> None:
        """Copy a file to the guest, as `user`."""
        self._pipe(["cat", ">", f"'{target}'"], user, stdin=source)

    def get(self, source: str, target: Path, *, user: str = "root") -> None:
        """Copy a file from the guest, as `user`."""
        self._pipe(["cat", f"'{source}'"], user, stdout=target)

    @property
    def boot_id(self) -> str:
        """Which boot this is. Guests of one snapshot share it."""
        return self.run("cat /proc/sys/kernel/random/boot_id").stdout.strip()

    def reboot(self) -> None:
        """Restart it in good order, and wait until it is up again."""
        # Not awaited: the connection may be cut before there is an answer.
        self._through_a_boot(lambda: self.run("systemctl reboot --no-block", check=False))

    def power_loss(self) -> None:
        """Take its power away and give it back; wait until it is up again.

        What it has synced is on its disk; what it has not is lost.
        """
        self._through_a_boot(lambda: self.machine.qmp.do("system_reset"))

    @contextmanager
    def reverse(self, port: int) -> Iterator[str]:
        """Let the guest reach a server on this machine's loopback, at the same port there."""
        forward = ("-R", f"127.0.0.1:{port}:127.0.0.1:{port}", "-o", "ExitOnForwardFailure=yes")
        with self.login("root", *forward):
            yield f"http://127.0.0.1:{port}"

    @contextmanager
    def login(self, user: str, *options: str) -> Iterator[None]:
        """Have `user` logged in by ssh meanwhile; `options` are more of ssh's."""
        command = self.ssh_command("echo open; exec cat", user=user)
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", command[0], *options, *command[1:]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            if process.stdout.readline() != "open\n":
                raise GuestError(f"{self.name}: no ssh {' '.join(options)} as {user}")
            yield
        finally:
            process.kill()
            process.communicate()

    def write_inventory(self, data: Callable[[Self], dict[str, object]]) -> Path:
        """Write a pyinfra inventory file with this guest, which has what `data` returns."""
        path = self.base / "guests.py"
        path.write_text(f"guests = {[(self.name, data(self))]!r}\n")
        return path

    def _launch(self) -> None:
        made = image(self.release)
        how = accelerator(made)
        options: dict[str, Any] = {
            "accelerator": how, "shape": self.shape, "console": self.base / "console"
        }  # fmt: skip
        disk = self.base / "disk.qcow2"
        if not self._warm:
            self._machine = Machine(made, make_overlay(made.disk, "raw", disk), **options)
            return
        saved = snapshot(made, how, self.shape)
        make_overlay(saved.disk, "qcow2", disk)
        memory = Memory(saved.memory, shared=False)
        self._machine = Machine(made, disk, memory=memory, incoming=True, **options)
        self._machine.load(saved.state)

    def _become_itself(self) -> None:
        """After a warm start the clock is the snapshot's, and so are the next random numbers.

        Debian 12's kernel for clouds has no driver for a vmgenid; 0x5207 is RNDRESEEDCRNG.
        """
        commands = []
        if self._warm:
            commands += [
                f"date -s @{time.time():.3f}",
                f"echo {secrets.token_hex(32)} >/dev/urandom",
                'perl -e \'open(R, "<", "/dev/urandom") && ioctl(R, 0x5207, 0) or die $!\'',
            ]
        if self._renamed:
            commands += [
                f"echo {self.name} >/etc/hostname; hostname {self.name}",
                f"sed -i 's/ guest$/ {self.name}/' /etc/hosts",
            ]
        if commands:
            self.run("set -e; " + "; ".join(commands))

    def _through_a_boot(self, cut: Callable[[], object]) -> None:
        before = self.boot_id
        cut()
        self._close_line()
        deadline = time.monotonic() + BOOT_SECONDS
        while True:
            wait_for_ssh(self, self.machine)
            said = self.ssh("cat /proc/sys/kernel/random/boot_id").stdout.strip()
            if said not in ("", before):
                break
            if time.monotonic() > deadline:
                raise GuestError(f"{self.name}: no new boot\n{self.machine.said()}")
            time.sleep(0.2)
        settle(self, self.machine)
        self._open_line()

    def _open_line(self) -> None:
        command = self.ssh_command(user="root")
        command[1:1] = ["-M", "-N", "-S", LINE]
        # A relative name, since that of a socket may not be long.
        self._line = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command], cwd=self.base,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not (self.base / LINE).is_socket():
            if self._line.poll() is not None or time.monotonic() > deadline:
                raise GuestError(f"{self.name}: root cannot stay connected")
            time.sleep(0.02)

    def _close_line(self) -> None:
        if self._line is not None:
            self._line.kill()
            self._line.wait()
            self._line = None
            (self.base / LINE).unlink(missing_ok=True)

    def _pipe(
        self,
        command: list[str],
        user: str,
        *,
        stdin: Path | None = None,
        stdout: Path | None = None,
    ) -> None:
        with (
            (stdin or Path("/dev/null")).open("rb") as read,
            (stdout or Path("/dev/null")).open("wb") as write,
        ):
            done = subprocess.run(
                self.ssh_command(*command, user=user), stdin=read, stdout=write,
                stderr=subprocess.PIPE, check=False, timeout=300,
            )  # fmt: skip
        if done.returncode != 0:
            raise GuestError(f"{self.name}: {' '.join(command)}: {done.stderr.decode()}")
