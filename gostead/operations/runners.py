"""Part of the subject shells: the PATH of CI runners, which read no start-up file.

GitHub's runner takes PATH from the file `.path` in its directory, one line, and variables from
`.env`; both are read when its service starts.
"""

from __future__ import annotations

import re

from gostead.facts.people import Home
from gostead.facts.shells import RunnerService, ShellsState

#: What stands behind Go where a runner has no .path yet: PATH of a systemd unit.
REST = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
_PATH_LINE = re.compile(rb"(?m)^PATH=([^\r\n]*)")


def put(content: bytes, directory: str) -> bytes:
    """The content of a .path with `directory` first, once."""
    first, newline, rest = (content or REST).partition(b"\n")
    return _first(first, directory) + newline + rest


def put_env(content: bytes, directory: str) -> bytes:
    """The content of an .env; a PATH that it sets has `directory` first, all else is as it was."""
    return _PATH_LINE.sub(lambda match: b"PATH=" + _first(match[1], directory), content)


def take(content: bytes, directory: str) -> bytes:
    """The content of either without the `directory` that stands first."""
    mark = directory.encode("utf-8", "surrogateescape") + b":"
    return re.sub(rb"(?m)^(PATH=|)" + re.escape(mark), rb"\1", content)


def service_of(shells: ShellsState, home: Home, runner: str) -> RunnerService | None:
    """The active service that works in the directory `runner` as the owner of that home: by what
    systemd says of it, since whoever owns a runner could name any unit in a file there."""
    users = (home.name, str(home.uid)) if home.uid else (home.name, "0", "")
    return next((s for s in shells.services if s.directory == runner and s.user in users), None)


def _first(path: bytes, directory: str) -> bytes:
    own = directory.encode("utf-8", "surrogateescape")
    return b":".join([own, *(part for part in path.split(b":") if part and part != own)])
