"""QEMU's machine protocol: what tells a running QEMU what to do.

Source: docs/interop/qmp-spec.txt of QEMU.
"""

from __future__ import annotations

import json
import socket
from typing import Any


class QmpError(RuntimeError):
    """QEMU refused, or is gone."""


class Qmp:
    """One end of a connection to a QEMU whose monitor is the other end."""

    def __init__(self, connection: socket.socket, seconds: float = 60) -> None:
        """Shake hands; no answer ever takes longer than `seconds`."""
        connection.settimeout(seconds)
        self._connection = connection
        self._lines = connection.makefile("r", encoding="utf-8")
        self._receive()  # the greeting
        self.do("qmp_capabilities")

    def do(self, command: str, **arguments: Any) -> Any:
        """Run `command` and return what it returned; events on the way are dropped."""
        request = {"execute": command, "arguments": arguments}
        try:
            self._connection.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise QmpError(f"{command}: QEMU is gone: {error}") from None
        while True:
            answer = self._receive()
            if "error" in answer:
                raise QmpError(f"{command}: {answer['error'].get('desc')}")
            if "return" in answer:
                return answer["return"]

    def monitor(self, line: str) -> str:
        """Run a line of the monitor for people, and return what it says."""
        return str(self.do("human-monitor-command", **{"command-line": line}))

    def close(self) -> None:
        """Drop the connection."""
        self._lines.close()
        self._connection.close()

    def _receive(self) -> dict[str, Any]:
        try:
            line = self._lines.readline()
        except OSError as error:
            raise QmpError(f"no answer from QEMU: {error}") from None
        if not line:
            raise QmpError("QEMU has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer
