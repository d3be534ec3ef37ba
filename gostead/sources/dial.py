"""Connects to a host within a bounded time, name resolution included."""

import os
import socket
import threading
import time
from types import TracebackType
from typing import Any

from gostead.sources.errors import Unreachable


def dial(host: str, port: int, timeout: float) -> socket.socket:
    """A connected TCP socket, or Unreachable within `timeout` seconds.

    The resolver has no time limit of its own, so it runs beside; addresses are tried in turn, each
    with its share of the time that is left.
    """
    deadline = time.monotonic() + timeout
    addresses = _resolve(host, port, timeout)
    failure: OSError | None = None
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(left / (len(addresses) - number))
            connection.connect(address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    reason = failure.strerror or str(failure) if failure else "no time left"
    raise Unreachable(f"{host}:{port} does not answer within {timeout:g} s ({reason})")


def _resolve(host: str, port: int, timeout: float) -> list[Any]:
    found: list[Any] = []
    errors: list[OSError | UnicodeError] = []
    done = threading.Event()

    def ask() -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            errors.append(error)
        finally:
            done.set()

    threading.Thread(target=ask, name="gostead-resolve", daemon=True).start()
    if not done.wait(timeout):
        raise Unreachable(f"the name {host} could not be resolved within {timeout:g} s")
    if errors or not found:
        reason = getattr(errors[0], "strerror", None) or errors[0] if errors else "no address"
        raise Unreachable(f"the name {host} cannot be resolved ({reason})")
    return found


class Watchdog:
    """Ends a connection whose deadline passes, whatever it is doing: handshake, head or body.

    A socket timeout bounds one read; a server that sends a byte now and then never meets it.
    The watchdog holds a duplicate of the descriptor, because TLS takes the original over.
    """

    def __init__(self) -> None:
        self._connection: socket.socket | None = None
        self._deadline = float("inf")
        self._done = threading.Event()
        self.fired = False

    def watch(self, connection: socket.socket) -> None:
        """From now on this connection is the one to end."""
        self._connection = socket.socket(
            connection.family, connection.type, connection.proto, fileno=os.dup(connection.fileno())
        )
        threading.Thread(target=self._wait, name="gostead-watchdog", daemon=True).start()

    def expect_within(self, seconds: float) -> None:
        """Moves the deadline."""
        self._deadline = time.monotonic() + seconds

    def _wait(self) -> None:
        # Wakes by itself: the deadline moves with each piece of the body.
        while (left := self._deadline - time.monotonic()) > 0:
            if self._done.wait(min(left, 1.0)):
                return
        self.fired = True
        self._end()

    def _end(self) -> None:
        if self._connection is not None:
            try:
                self._connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it is closed already

    def __enter__(self) -> "Watchdog":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        if self._connection is not None:
            self._connection.close()
