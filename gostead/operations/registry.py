"""What we made on a host, by the registry's lines, and how files are compared with them."""

from __future__ import annotations

import hashlib

from gostead.facts.entries import Entry
from gostead.facts.host_state import HostState
from gostead.facts.toolchains import Registered
from gostead.operations.change import Content, Script


def registered(state: HostState, kind: str, path: str) -> Registered | None:
    """The registry's line for that item, if we made it."""
    found = (r for r in state.toolchains.registry if (r.kind, r.path) == (kind, path))
    return next(found, None)


def file_script(
    state: HostState, entry: Entry, content: bytes, kind: str, mode: str, *,
    detail: str | None = None, owner: str = "",
) -> Script:  # fmt: skip
    """Makes `content` the file that `entry` tells of, which must be as it was seen.

    `kind` and `detail` are the registry's (default: the digest of what we write, by which an edit
    is told later), `owner` is "uid:gid" (default: who runs the script).
    """
    values = {
        "root": state.system.root, "path": entry.path, "kind": kind, "mode": mode, "owner": owner,
        "detail": digest(content) if detail is None else detail,
        "before": digest(entry.content) if entry.kind == "file" else "absent",
        "after": digest(content),
    }  # fmt: skip
    return Script("change/file", values, Content(content))


def digest(content: bytes | None) -> str:
    """The sha256 of a file's bytes, hexadecimal, as a host's script compares it."""
    return hashlib.sha256(content or b"").hexdigest()
