"""What a script says while it runs, of how far it is: lines of standard error that begin with MARK.

Whatever comes back from a host is hostile: each line is cut and made printable, and there is an end
of them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

#: As `tell` of lib/tell.sh.j2 writes it.
MARK = b"progress: "
LONGEST = 160  # characters of a line that are handed on
MOST = 10_000  # lines of one script that are handed on
_KEPT = 4096  # bytes of a line that has not ended yet


def printable(data: bytes) -> str:
    """What a host said, safe for a terminal: control characters shown as escapes, one line."""
    text = data.decode("utf-8", "replace").strip().replace("\n", "; ")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class Listener:
    """Hears the pieces of a script's standard error, in any cut, and tells each whole line of
    progress as soon as it is there. Trouble of whoever is told is none of the script's."""

    def __init__(self, told: Callable[[str], None]) -> None:
        self._told = told
        self._begun = b""
        self._left = MOST

    def hear(self, piece: bytes) -> None:
        """The next piece."""
        *lines, rest = (self._begun + piece).split(b"\n")
        self._begun = rest[:_KEPT]
        for line in lines:
            if line.startswith(MARK) and self._left:
                self._left -= 1
                text = printable(line.removeprefix(MARK)[:_KEPT])[:LONGEST]
                with suppress(Exception):
                    self._told(text)


def without_progress(stderr: bytes) -> bytes:
    """The rest of what was said: what a failure is told by."""
    return b"\n".join(line for line in stderr.split(b"\n") if not line.startswith(MARK))
