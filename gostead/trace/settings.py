"""What Go takes for its settings, user by user, and where it has each of them from.

The order is cmd/go's (internal/cfg): a variable that is not empty, the user's settings file, the
toolchain's go.env, what is built in.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from gostead.armour import CannotRead, decode, records
from gostead.templates import host_script
from gostead.trace.model import Person, Run
from gostead.trace.survey import printable

Origin = Literal["settings file", "go.env", "built in"]


@dataclass(frozen=True)
class Setting:
    """One setting as `go env` says it, without any variable of a shell. `value` may be a secret."""

    name: str
    value: str = field(repr=False)
    origin: Origin


@dataclass(frozen=True)
class Settings:
    """All settings of a user by name; `file` is their settings file. `error`: go could not be
    asked, and why."""

    user: str
    file: str = ""
    known: Mapping[str, Setting] = field(default_factory=dict)
    error: str = ""


def settings(run: Run, people: Sequence[Person], go: str) -> tuple[Settings, ...]:
    """What `go env -json` says to each of `people`, run as them with nothing but HOME and a system
    PATH. `go` is the path of the command. No C compiler is started: GOGCCFLAGS, which is nobody's
    setting and comes of starting it, is left out. Raises CannotRead, and what `run` raises."""
    nonce = secrets.token_hex(8)
    script = host_script("trace/settings", nonce=nonce, people=people, go=go)
    found = []
    for name, fields in records(decode(run(script), nonce)):
        if name == "settings":
            user = fields[0].decode("utf-8", "replace")
            try:
                parts = bytes.fromhex(fields[1].decode()).split(b"\0")
            except ValueError as error:
                raise CannotRead(f"the settings are not of their form: {error}") from None
            texts = [part.decode("utf-8", "surrogateescape") for part in parts]
            found.append(_settings(user, texts))
    return tuple(found)


def _settings(user: str, texts: list[str]) -> Settings:
    if len(texts) < 5:
        return Settings(user, error="nothing was answered")
    answer, file, own, shipped, named = texts[:5]
    try:
        data = json.loads(answer) | json.loads(named)
        data.pop("GOGCCFLAGS", None)
        values = {str(name): str(value) for name, value in data.items()}
    except (ValueError, AttributeError, TypeError):
        return Settings(user, error=printable(answer.removeprefix("! ").strip(), 300))
    from_file, from_go_env = _lines(own), _lines(shipped)
    values["GOTOOLCHAIN"] = from_file.get("GOTOOLCHAIN") or from_go_env.get("GOTOOLCHAIN", "local")
    known = {}
    for name, value in sorted(values.items()):
        origin: Origin = "built in"
        if name in from_file:
            origin = "settings file"
        elif name in from_go_env:
            origin = "go.env"
        known[name] = Setting(name, value, origin)
    return Settings(user, printable(file), known)


def _lines(text: str) -> dict[str, str]:
    found = {}
    for line in text.split("\n"):
        name, equals, value = line.partition("=")
        if equals and "A" <= name[:1] <= "Z" and value:
            found[name] = value
    return found
