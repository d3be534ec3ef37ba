"""How scripts and byte streams reach a host: the one module that knows paramiko and Popen.

pyinfra's own reader takes a command's output as text and without a bound: one byte that is no
UTF-8 cuts it and still reports success, and what a script needs on standard input cannot be
binary. So commands of gostead go over the connector's connection, but on a channel of their own.
"""

from __future__ import annotations

import shlex
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from gostead.telling import Listener, without_progress
from gostead.telling import printable as printable

if TYPE_CHECKING:
    from pyinfra.api.host import Host

CHUNK = 128 * 1024
DEFAULT_TIMEOUT = 900.0


class TransportError(Exception):
    """The script did not run to its end: connection lost, time limit, endless output, no way to
    become the declared user. The message names the host."""


@dataclass(frozen=True)
class Answer:
    """What a script answered: exit code and raw bytes, bounded."""

    code: int
    stdout: bytes
    stderr: bytes


def run(
    host: Host,
    script: str,
    *,
    stream: BinaryIO | None = None,
    timeout: float | None = None,
    max_output: int = 256 * 1024,
    told: Callable[[str], None] | None = None,
) -> Answer:
    """Runs `script` with sh on `host`, as the user that the inventory says; `stream` is what the
    script finds on its standard input, `told` hears how far it is. Raises TransportError.

    The script itself goes by standard input too: an argument over 128 KiB fails, and shows in ps.
    """
    limit = timeout or float(host.data.get("gostead", {}).get("timeout") or DEFAULT_TIMEOUT)
    source = script.encode("utf-8", "surrogateescape")
    if stream is None:
        command, first = "sh -s", source
    else:
        # A shell may read ahead on its standard input; dd of single bytes does not.
        command = f"sh -c 'eval \"$(dd bs=1 count={len(source)} 2>/dev/null)\"'"
        first = source
    connector = host.connector_cls.__name__
    heard = Listener(told).hear if told else None
    try:
        if connector == "LocalConnector":
            command = _elevated(host, command)
            return _run_local(command, first, stream, limit, max_output, heard)
        if connector == "ChrootConnector":
            # An image's root: as @local, one directory further in.
            directory = str(host.connector_data["chroot_directory"])
            inside = f"chroot {shlex.quote(directory)} {command}"
            command = _elevated(host, inside)
            return _run_local(command, first, stream, limit, max_output, heard)
        if connector in ("SSHConnector", "VagrantInventoryConnector"):
            command = _elevated(host, command)
            return _run_ssh(host, command, first, stream, limit, max_output, heard)
    except TimeoutError as error:
        raise TransportError(f"{host.name}: no answer within {limit:g} s") from error
    except OSError as error:
        raise TransportError(f"{host.name}: the connection failed: {error}") from error
    if stream is not None:
        raise TransportError(
            f"{host.name}: pyinfra's {connector} cannot carry a stream of bytes: "
            "use @local, @chroot or ssh, or `fetch: host`"
        )
    return _run_text(host, script, limit)


def _arguments(host: Host) -> dict[str, Any]:
    from pyinfra.api.arguments import CONNECTOR_ARGUMENT_KEYS, pop_global_arguments

    known = host.current_op_global_arguments
    if known is None:
        known, _ = pop_global_arguments(host.state, host, {})
    ignored = ("_stdin", "_timeout", "_get_pty", "_success_exit_codes")
    return {k: v for k, v in known.items() if k in CONNECTOR_ARGUMENT_KEYS and k not in ignored}


def _elevated(host: Host, command: str) -> str:
    """`command` under the inventory's sudo, su or doas."""
    arguments = {key: value for key, value in _arguments(host).items() if value}
    arguments.pop("_shell_executable", None)
    if not any(key in arguments for key in ("_sudo", "_su_user", "_doas", "_dzdo", "_env")):
        return command
    if arguments.get("_sudo_password") or arguments.get("_su_password"):
        raise TransportError(
            f"{host.name}: a sudo or su password would end up in a file in /tmp and in the list of "
            "processes: allow that user sudo without one (NOPASSWD), or connect as root"
        )
    from pyinfra.api.command import StringCommand
    from pyinfra.connectors.util import make_unix_command_for_host

    made = make_unix_command_for_host(host.state, host, StringCommand(command), **arguments)
    return str(made.get_raw_value())


def _pieces(first: bytes, stream: BinaryIO | None) -> Iterator[bytes]:
    yield first
    while stream is not None and (piece := stream.read(CHUNK)):
        yield piece


def _drain(
    receive: Callable[[int], bytes], most: int, heard: Callable[[bytes], None] | None = None
) -> bytes | Exception:
    """All bytes; an error as a value, since gevent prints what a greenlet raises."""
    kept = bytearray()
    try:
        while piece := receive(CHUNK):
            kept += piece
            if len(kept) > most:
                return TransportError(f"it answered more than {most} bytes: refused")
            if heard:
                heard(piece)
    except Exception as error:
        return error
    return bytes(kept)


def _collect(readers: list[Any], limit: float) -> list[bytes]:
    """What the readers read. Raises the first error of one, and TimeoutError."""
    import gevent

    for reader in gevent.iwait(readers, timeout=limit):
        if isinstance(reader.value, Exception):
            raise reader.value
    if not all(reader.ready() for reader in readers):
        raise TimeoutError
    return [reader.value for reader in readers]


def _run_local(
    command: str, first: bytes, stream: BinaryIO | None, limit: float, max_output: int,
    heard: Callable[[bytes], None] | None,
) -> Answer:  # fmt: skip
    import gevent
    from gevent.subprocess import PIPE, Popen

    # A session of its own: Ctrl-C ends the run between two changes, not inside one.
    process = Popen(
        ["/bin/sh", "-c", f"exec {command}"],
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
    )

    def feed() -> None:
        try:
            for piece in _pieces(first, stream):
                process.stdin.write(piece)
                process.stdin.flush()
            process.stdin.close()
        except OSError:  # it stopped reading: its exit code says why
            pass

    feeder = gevent.spawn(feed)
    readers = [
        gevent.spawn(_drain, process.stdout.read1, max_output),
        gevent.spawn(_drain, process.stderr.read1, max_output, heard),
    ]
    try:
        stdout, stderr = _collect(readers, limit)
        code = process.wait(timeout=limit)
    except BaseException:
        process.terminate()
        raise
    finally:
        gevent.killall([feeder, *readers])
        for pipe in (process.stdout, process.stderr):
            pipe.close()
    return Answer(code, stdout, without_progress(stderr))


def _run_ssh(
    host: Host, command: str, first: bytes, stream: BinaryIO | None, limit: float, max_output: int,
    heard: Callable[[bytes], None] | None,
) -> Answer:  # fmt: skip
    import gevent
    from paramiko import SSHException

    client = host.connector.client  # type: ignore[attr-defined] # the ssh connectors have one
    transport = client.get_transport() if client else None
    if transport is None or not transport.is_active():
        raise TransportError(f"{host.name}: the connection is closed")
    no_delay(transport.sock)
    deadline = time.monotonic() + limit
    try:
        channel = transport.open_session(timeout=min(limit, 60))
        with gevent.Timeout(limit, TimeoutError):  # paramiko waits for the answer without a limit
            channel.exec_command(command)

        def feed() -> None:
            try:
                for piece in _pieces(first, stream):
                    channel.sendall(piece)
                channel.shutdown_write()
            except OSError:  # it stopped reading: its exit code says why
                pass

        feeder = gevent.spawn(feed)
        readers = [
            gevent.spawn(_drain, channel.recv, max_output),
            gevent.spawn(_drain, channel.recv_stderr, max_output, heard),
        ]
        try:
            stdout, stderr = _collect(readers, limit)
            gevent.joinall([feeder], timeout=max(0.1, deadline - time.monotonic()))
            channel.status_event.wait(max(0.1, deadline - time.monotonic()))
            code = channel.exit_status
        finally:
            # This wakes whoever waits in paramiko; killed there, they would break its locks.
            channel.close()
            gevent.joinall([feeder, *readers], timeout=1)
            gevent.killall([feeder, *readers], block=False)
    except SSHException as error:
        raise TransportError(f"{host.name}: {error}") from error
    if code == -1:
        raise TransportError(f"{host.name}: the connection was cut while a script was running")
    return Answer(code, stdout, without_progress(stderr))


def _run_text(host: Host, script: str, limit: float) -> Answer:
    """Any other connector (@docker, @chroot …): text only, which the probe's armour survives."""
    from pyinfra.api.command import StringCommand

    arguments = _arguments(host)
    arguments["_timeout"] = int(limit)
    ok, output = host.run_shell_command(StringCommand("sh", "-s"), _stdin=script, **arguments)
    said = without_progress(output.stderr.encode())
    return Answer(0 if ok else 1, output.stdout.encode(), said)


def no_delay(sock: object) -> None:
    """Sends small packets at once (44 ms a command otherwise), and notices a peer that is gone."""
    if not isinstance(sock, socket.socket):  # ProxyJump and ProxyCommand hand over no socket
        return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000)


def without_delay(sock: socket.socket, **options: Any) -> Any:
    """paramiko's transport over a socket that sends small packets at once: for host data
    `ssh_paramiko_connect_kwargs={"transport_factory": without_delay}`."""
    from paramiko import Transport

    no_delay(sock)
    return Transport(sock, **options)
