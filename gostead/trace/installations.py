"""Go installations that are not ours."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from gostead.armour import CannotRead, decode, records
from gostead.templates import host_script
from gostead.trace.model import Person, Run
from gostead.trace.survey import printable


@dataclass(frozen=True)
class Installation:
    """A GOROOT in one of the usual places; `version` is what its VERSION file says, `user` whose
    home it is in (empty: nobody's), `platform` what its own tools run on ("darwin_arm64"), `by` the
    receipt of who installed it. Both are empty where nothing says so."""

    path: str
    version: str
    user: str = ""
    platform: str = ""
    by: str = ""


def installations(run: Run, people: Sequence[Person]) -> tuple[Installation, ...]:
    """What there is of Go besides ours, in the system's usual places and in the homes of `people`.
    Nothing found is ever run. Raises CannotRead, and what `run` raises."""
    nonce = secrets.token_hex(8)
    script = host_script("trace/installations", nonce=nonce, people=people)
    found: list[Installation] = []
    for name, fields in records(decode(run(script), nonce)):
        if name == "system":
            found.append(_installation(fields[0], fields[1], fields[2], fields[3]))
        elif name == "home":
            try:
                parts = bytes.fromhex(fields[1].decode()).split(b"\0")[:-1]
            except ValueError as error:
                raise CannotRead(f"the list of installations is not of its form: {error}") from None
            user = fields[0].decode("utf-8", "replace")
            triples = zip(parts[::3], parts[1::3], parts[2::3], strict=False)
            found += [_installation(*triple, user=user) for triple in triples]
    return tuple(found)


def _installation(
    path: bytes, version: bytes, platform: bytes, by: bytes = b"", user: str = ""
) -> Installation:
    shown = [printable(x.decode("utf-8", "replace"), 300) for x in (path, version, platform, by)]
    release = shown[1].splitlines()[0] if shown[1] else "unknown"
    return Installation(shown[0], release, user, *shown[2:])
