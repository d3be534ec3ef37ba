"""The declared users of a host, as its user database knows them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from gostead.armour import decode, records
from gostead.templates import host_script
from gostead.trace.model import Person, Run


class TraceError(Exception):
    """A declared user is not there, or has no home that can be used."""


def people(run: Run, names: Sequence[str]) -> tuple[tuple[Person, ...], tuple[str, ...]]:
    """The users behind `names` (names, `self`, `humans`), each once, and the shells (bash, zsh,
    fish, sh) that the host has. Raises TraceError naming those who do not exist, CannotRead."""
    nonce = secrets.token_hex(8)
    output = run(host_script("trace/people", nonce=nonce, users=tuple(names)))
    found: list[Person] = []
    shells: tuple[str, ...] = ()
    missing: list[str] = []
    for name, fields in records(decode(output, nonce)):
        values = [field.decode("utf-8", "surrogateescape") for field in fields]
        if name == "person":
            login, uid, gid, home, shell = values
            found.append(Person(login, int(uid), int(gid), home, shell))
        elif name == "nobody":
            missing.append(values[0])
        elif name == "shells":
            shells = tuple(values[0].split())
    if missing:
        raise TraceError(f"no such user on this host: {', '.join(missing)}")
    return tuple(found), shells
