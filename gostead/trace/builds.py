"""Builds on a host: what a toolchain does there, and what each user's settings let it do."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from gostead.armour import CannotRead, decode, records
from gostead.templates import host_script
from gostead.trace.model import Person, Run
from gostead.trace.survey import printable, redacted


@dataclass(frozen=True)
class Step:
    """One thing that was done with a toolchain; `said` what it printed where it failed."""

    name: str
    good: bool
    said: str = ""


@dataclass(frozen=True)
class Trouble:
    """What does not work for a user: the setting it is about (or `build`), and why."""

    user: str
    name: str
    what: str


def build_steps(run: Run, go: str, version: str, settings: Sequence[str]) -> tuple[Step, ...]:
    """Builds, tests, vets, installs and cross builds a small module with a dependency, which comes
    through the GOPROXY of `settings` (lines of a settings file), by the command `go` of release
    `version`; in a scratch directory that is gone afterwards. Raises CannotRead, and what `run`
    raises."""
    nonce = secrets.token_hex(8)
    script = host_script("trace/build", nonce=nonce, go=go, version=version, settings=settings)
    found = []
    for name, fields in records(decode(run(script), nonce)):
        if name == "step":
            what, how, said = (field.decode("utf-8", "replace") for field in fields)
            found.append(Step(what, how == "ok", redacted(printable(said.strip(), 1500))))
    return tuple(found)


def user_troubles(
    run: Run, people: Sequence[Person], go: str, *, build: bool = False
) -> tuple[Trouble, ...]:
    """What the places that Go writes to (GOBIN, GOCACHE, GOMODCACHE, GOTMPDIR) are not good for,
    for each of `people` and as them; with `build`, whether their settings let a program build and
    run. Raises CannotRead, and what `run` raises."""
    nonce = secrets.token_hex(8)
    script = host_script("trace/user_build", nonce=nonce, people=people, go=go, build=build)
    found = []
    for name, fields in records(decode(run(script), nonce)):
        if name == "user":
            try:
                parts = bytes.fromhex(fields[1].decode()).split(b"\0")[:-1]
            except ValueError as error:
                raise CannotRead(f"the answer is not of its form: {error}") from None
            user = fields[0].decode("utf-8", "replace")
            for key, what in zip(parts[::2], parts[1::2], strict=False):
                text = redacted(printable(what.decode("utf-8", "replace"), 1500))
                found.append(Trouble(user, printable(key.decode("utf-8", "replace")), text))
    return tuple(found)
