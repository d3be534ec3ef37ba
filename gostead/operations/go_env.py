"""Go's own settings for each declared user: the settings file that `go env` names, key by key, the
telemetry mode, and what Go takes from the environment alone.

It is the one writer of these files: caches and cgo contribute keys (GoSetup.settings). What was
written is proved by asking `go env` as that user, not by reading the file again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import posixpath
import time
from collections.abc import Generator, Iterator, Mapping
from typing import Any

from pydantic import SecretStr
from pyinfra.api.operation import operation

from gostead.declaration import GoSetup
from gostead.declaration.go_env import VARIABLES, shown, text_of
from gostead.declaration.xcode import SDK
from gostead.facts.entries import Entry
from gostead.facts.host_state import HostState
from gostead.facts.people import Home
from gostead.facts.toolchains import Registered
from gostead.operations import blocks, learning
from gostead.operations.change import Change, Finding, Plan
from gostead.operations.converge import converge
from gostead.operations.guard import check_host
from gostead.operations.home_files import home_script, is_declared, registered, registered_of
from gostead.operations.settings import Ledger, ledger, put, values
from gostead.templates import quote, render

SUBJECT = "go_env"
#: The registry's kinds of this subject, less the user's name.
KINDS = ("goenv", "telemetry", "variables")
MARKS = blocks.Marks(
    b"# >>> gostead >>> what Go reads from the environment; `gostead remove` takes it away",
    b"# <<< gostead <<<",
)
#: Settings that `go env` shows in a form of its own.
_UNPROVED = frozenset(("GOEXPERIMENT", "GOARM", "GOARM64", "GOFIPS140", "GOTOOLCHAIN"))
_OFFLINE = ("local", "auto", "path", "local+auto", "local+path")


def plan(declared: GoSetup, state: HostState) -> Plan:
    """What the subject would change. Raises PlanError where this host cannot be converged."""
    check_host(declared, state)
    if declared.state == "absent":
        return Plan()
    # The subject shells says which homes cannot be read.
    homes = [home for home in state.shells.homes if not home.error]
    return Plan.of(
        found
        for home in homes
        for found in _home(declared if is_declared(declared, state, home) else None, state, home)
    )


def _home(declared: GoSetup | None, state: HostState, home: Home) -> Iterator[Change | Finding]:
    settings = declared.settings(home.uid) if declared else {}
    met: set[tuple[str, str]] = set()
    wanted = {name: value for name, (value, _) in settings.items() if name not in VARIABLES}
    if wanted:
        for path in places(state, home):
            met.add(("goenv", path))
            yield from _settings(state, home, path, wanted, settings)
    if declared and declared.telemetry:
        path = f"{user_config(state, home)}/go/telemetry/mode"
        met.add(("telemetry", path))
        yield from _telemetry(state, home, path, declared.telemetry)
    variables = {n: text_of(v) for n, (v, _) in settings.items() if n in VARIABLES and v}
    if declared and state.system.name == "darwin" and declared.xcode.sdkroot == "default":
        variables.setdefault("SDKROOT", SDK)
    if variables and declared:
        for path, text in _exports(declared, state, home, variables):
            met.add(("variables", path))
            yield from _block(state, home, path, text)
    for known in registered_of(state, home.name):
        kind = known.kind.partition("@")[0]
        if kind in KINDS and (kind, known.path) not in met:
            yield from take_back(state, home, known, SUBJECT, "no longer declared", "env")
    if declared:
        yield from _overridden(home, settings)
        if home.gobin and settings.get("GOBIN", (None, ""))[0] is not None:
            yield Finding(SUBJECT, "GOBIN", "error", f"{shown(settings['GOBIN'][0] or '')}: "
                          f"{home.gobin} by {home.name}: go install would fail there",
                          "leave env.GOBIN out, and each user has ~/go/bin; or mend its owner",
                          user=home.name)  # fmt: skip


def user_config(state: HostState, home: Home) -> str:
    """os.UserConfigDir of Go, where no variable says otherwise."""
    mac = state.system.name == "darwin"
    return f"{home.home}/Library/Application Support" if mac else f"{home.home}/.config"


def places(state: HostState, home: Home) -> tuple[str, ...]:
    """The settings files that Go may read for that user: its own place, and the one to which an
    exported XDG_CONFIG_HOME leads, as running the shells showed."""
    found = [f"{user_config(state, home)}/go/env"]
    if state.system.name == "linux" and home.config not in ("", f"{home.home}/.config"):
        found.append(f"{home.config}/go/env")
    return tuple(found)


def _bytes(value: str | SecretStr | None) -> bytes | None:
    return None if value is None else text_of(value).encode("utf-8", "surrogateescape")


def _settings(
    state: HostState, home: Home, path: str,
    wanted: Mapping[str, str | SecretStr | None],
    settings: Mapping[str, tuple[str | SecretStr | None, str]],
) -> Iterator[Change | Finding]:  # fmt: skip
    entry = home.entry(home.resolve(path))
    if refusal := _refusal(home, entry, path):
        yield refusal
        return
    ours = registered(state, home.name, "goenv", entry.path)
    known = ledger(ours.detail) if ours else Ledger()
    content = entry.content if entry.kind == "file" else None
    after, kept, theirs = put(content, {n: _bytes(v) for n, v in wanted.items()}, known)
    for name in theirs:
        if name not in wanted:
            yield Finding(SUBJECT, entry.path, "warning", f"{name} was changed since gostead wrote "
                          "it: left", f"go env -u {name}, if nobody needs it",
                          user=home.name)  # fmt: skip
    secret = any(shown(value) != value for value in wanted.values() if value is not None)
    open_ = secret and entry.kind == "file" and int(entry.mode, 8) & 0o077 != 0
    if after == content and not open_:
        return
    if open_ and not kept.mode:
        kept = dataclasses.replace(kept, mode=entry.mode)
    present = values(content or b"")
    names = [n for n, v in wanted.items() if present.get(n) != _bytes(v)]
    names += [n for n in known.keys if n not in wanted]
    if open_ and not names:
        names = [n for n, v in wanted.items() if v is not None and shown(v) != v]
    before = ", ".join(f"{n}={_present(present, n, wanted)}" for n in names) or "another file"
    if open_:
        before += f" (mode {entry.mode}: others read a secret)"
    now = ", ".join(f"{n}={shown(wanted[n]) if n in wanted else 'as before'}" for n in names)
    config = posixpath.dirname(posixpath.dirname(entry.path))
    named = wanted.get("GOTOOLCHAIN")
    proof = render(
        "lib/prove_env.sh.j2", go=f"{state.system.root}/current/bin/go",
        config=config if entry.path != f"{user_config(state, home)}/go/env" else "",
        offline=named is not None and text_of(named) not in _OFFLINE,
        telemetry=f"{config}/go/telemetry",
    )  # fmt: skip
    told = [
        f"{name} {hashlib.sha256(data).hexdigest()}"
        for name, value in wanted.items()
        if (data := _bytes(value)) is not None and name not in _UNPROVED
    ]
    script = home_script(state, home, entry, f"goenv@{home.name}", kept.text(), after,
                         forget=not kept.keys, prove=proof, told="\n".join(told),
                         mode="600" if secret else "")  # fmt: skip
    key = settings[names[0]][1] if names and names[0] in settings else "env"
    yield Change(SUBJECT, entry.path, before, now, "go reads its settings there", key, script,
                 home.name)  # fmt: skip


def _present(
    present: Mapping[str, bytes], name: str, wanted: Mapping[str, str | SecretStr | None]
) -> str:
    """What stands in the file, less what may be a secret."""
    if name not in present:
        return "not set"
    if isinstance(wanted.get(name), SecretStr):
        return "another value"
    return shown(present[name].decode("utf-8", "replace"))


def _telemetry(state: HostState, home: Home, path: str, mode: str) -> Iterator[Change | Finding]:
    entry = home.entry(home.resolve(path))
    if refusal := _refusal(home, entry, path):
        yield refusal
        return
    words = (entry.content or b"").split()
    present = words[0].decode("utf-8", "replace") if words else "local"  # Go's own default
    if present == mode:
        return
    ours = registered(state, home.name, "telemetry", entry.path)
    known = ledger(ours.detail).before if ours else entry.content
    after = f"{mode} {time.strftime('%Y-%m-%d', time.gmtime())}".encode()
    detail = Ledger(known, hashlib.sha256(after).hexdigest()).text()
    proof = render(
        "lib/prove_env.sh.j2", go=f"{state.system.root}/current/bin/go", config="", offline=True,
        telemetry=posixpath.dirname(path),
    )  # fmt: skip
    told = f"GOTELEMETRY {hashlib.sha256(mode.encode()).hexdigest()}"
    script = home_script(state, home, entry, f"telemetry@{home.name}", detail, after,
                         prove=proof, told=told)  # fmt: skip
    yield Change(SUBJECT, entry.path, present, mode, "Go's telemetry", "telemetry", script,
                 home.name)  # fmt: skip


def _exports(
    declared: GoSetup, state: HostState, home: Home, variables: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    at = f"{home.home}/.config/gostead"
    lines = [f"export {name}={quote(value)}" for name, value in sorted(variables.items())]
    yield f"{at}/env.sh", "\n".join(lines)
    if "fish" in declared.shells.wanted(state.shells.installed):
        fish = [f"set -gx {name} {_fish(value)}" for name, value in sorted(variables.items())]
        yield f"{at}/env.fish", "\n".join(fish)


def _fish(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _block(state: HostState, home: Home, path: str, text: str) -> Iterator[Change | Finding]:
    entry = home.entry(home.resolve(path))
    if refusal := _refusal(home, entry, path):
        yield refusal
        return
    ours = registered(state, home.name, "variables", entry.path)
    before = entry.content or b""
    after, joint = blocks.put(before, text.encode("utf-8", "surrogateescape"), "last", MARKS)
    if after == before and ours:
        return
    detail = ours.detail if ours else "created" if entry.kind == "absent" else joint
    script = home_script(state, home, entry, f"variables@{home.name}", detail, after)
    yield Change(SUBJECT, entry.path, "another block" if ours else "no block", "with a block",
                 "Go reads these from the environment alone", "env", script, home.name)  # fmt: skip


def _refusal(home: Home, entry: Entry, path: str) -> Finding | None:
    """Why the file that `path` leads to is left alone; None where it can be ours."""
    if entry.kind not in ("absent", "file"):
        what = f"expected a file or nothing, found: {entry.describe()}"
    elif entry.kind == "absent" and entry.path != path:
        what = f"{path} is a link that leads nowhere ({entry.path})"
    elif entry.kind == "file" and entry.content is None:
        what = f"cannot be read by {home.name}, so it is not changed"
    elif entry.kind == "file" and entry.uid != home.uid:
        what = f"belongs to uid {entry.uid}, not to {home.name}: left alone"
    elif entry.names > 1:
        what = "is one file under several names: left alone"
    else:
        return None
    return Finding(SUBJECT, entry.path, "error", what, "mend it, and apply again", user=home.name)


def _overridden(
    home: Home, settings: Mapping[str, tuple[str | SecretStr | None, str]]
) -> Iterator[Finding]:
    """Declared settings that a variable overrides, as running the shells showed."""
    for name, where, digest in learning.parse(home.trace).of("variable"):
        value = _bytes(settings[name][0]) if name in settings else None
        if value is not None and hashlib.sha256(value).hexdigest() != digest:
            yield Finding(SUBJECT, name, "warning", "a variable that a start-up file exports "
                          "overrides what is declared: Go's settings file comes after it",
                          "take the line out", where, home.name)  # fmt: skip


def take_back(
    state: HostState, home: Home, item: Registered, subject: str, why: str, key: str
) -> Iterator[Change | Finding]:
    """What we did to one file of a home is undone; what was changed since stays, and is told."""
    entry, kind = home.entry(item.path), item.kind.partition("@")[0]
    content = entry.content if entry.kind == "file" else None
    known, after = ledger(item.detail), content
    theirs: tuple[str, ...] = ()
    if kind == "goenv" and content is not None:
        after, _, theirs = put(content, {}, known)
    elif kind == "telemetry" and content is not None:
        if hashlib.sha256(content).hexdigest() == known.written:
            after = known.before
        else:
            theirs = ("the mode",)
    elif kind == "variables" and content is not None:
        after = blocks.take(content, item.detail, MARKS)
        if item.detail == "created" and not after:
            after = None
    for name in theirs:
        yield Finding(subject, item.path, "warning", f"{name} was changed since gostead wrote it: "
                      "left", "it is not gostead's any more", user=home.name)  # fmt: skip
    script = home_script(state, home, entry, item.kind, item.detail, after, forget=True,
                         mode=known.mode)  # fmt: skip
    words = ("as declared", "as before") if entry.kind != "absent" else ("registered", "forgotten")
    yield Change(subject, item.path, *words, why, key, script, home.name)


@operation()
def go_env(directory: str | None = None) -> Generator[Any, None, None]:
    """
    Sets Go's own settings and telemetry mode for each declared user.

    + directory: where the declaration's YAML files are; default ``group_data``
    """
    yield from converge(SUBJECT, plan, directory)
