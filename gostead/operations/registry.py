"""What we made on a host, by the registry's lines, and how files are compared with them."""

from __future__ import annotations

import hashlib

from gostead.facts.host_state import HostState
from gostead.facts.toolchains import Registered


def registered(state: HostState, kind: str, path: str) -> Registered | None:
    """The registry's line for that item, if we made it."""
    found = (r for r in state.toolchains.registry if (r.kind, r.path) == (kind, path))
    return next(found, None)


def digest(content: bytes | None) -> str:
    """The sha256 of a file's bytes, hexadecimal, as a host's script compares it."""
    return hashlib.sha256(content or b"").hexdigest()
