"""Carries out one change: renders its script, brings what it streams, reads what it answered."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

from gostead import transport
from gostead.declaration import GoSetup
from gostead.facts.host_state import HostState
from gostead.operations.change import Change, Content, Toolchain
from gostead.operations.context import options, record
from gostead.templates import host_script, quote

if TYPE_CHECKING:
    from pyinfra.api.host import Host

CONFLICT = 10
BUSY = 12
#: Seconds for which a run waits, in all, for services that are at work.
PATIENCE = 60
MAIN = "main\n"  # how every script ends
#: Told how far a script is: host, item, a line (empty: it ended). Set by whoever shows it.
progress: Callable[[str, str, str], None] | None = None
EMBEDDED = 64 * 1024  # bytes; a script is read at once, a stream byte by byte until it begins


class ChangeFailed(Exception):
    """The host refused or could not make the change; the message says what it said."""


class ChangedSincePlanned(Exception):
    """What the plan was made for was no longer there; nothing was touched."""


class PutOff(Exception):
    """It must not be done now; nothing was touched, and the next run comes back to it."""


def execute(host: Host, change: Change, declared: GoSetup, state: HostState) -> str:
    """Makes `change` so on `host`; returns what is to be said of it: where a toolchain came from,
    what its script printed.

    Raises ChangeFailed, ChangedSincePlanned, PutOff, transport.TransportError.
    """
    stream = change.script.stream
    if isinstance(stream, Toolchain):
        # Late: a run that installs nothing loads nothing that fetches.
        from gostead.operations.fetch import install

        return install(host, change, stream, declared, state)
    content = stream.data if isinstance(stream, Content) else None
    if content is not None and len(content) <= EMBEDDED and b"\0" not in content:
        answer = run_script(host, change, {}, None, content)
    else:
        answer = run_script(host, change, {}, None if content is None else io.BytesIO(content))
    return transport.printable(answer.stdout)[:400]


def run_script(
    host: Host,
    change: Change,
    values: dict[str, Any],
    stream: BinaryIO | None,
    content: bytes | None = None,
) -> transport.Answer:
    """Runs the change's script with `values` over its own. What it finds on its standard input is
    `stream`, or the small `content`, which travels in the script. Raises as `execute` does."""
    chosen = options(host)
    script = host_script(
        change.script.template,
        **{
            "run": chosen.run,
            "lock_wait": chosen.lock_wait,
            "patience": max(0, round(PATIENCE - record(host).waited)),
            "archive": "",
            "compressed": False,
            **change.script.values,
            **values,
        },
    )
    body = script.removesuffix(MAIN)
    if content is not None and body != script:
        word = quote(content.decode("utf-8", "surrogateescape"))
        script = f"{body}printf %s {word} | {MAIN}"
    elif content is not None:
        stream = io.BytesIO(content)
    limit = chosen.timeout or change.script.limit
    began = time.monotonic()
    try:
        answer = transport.run(
            host, script, stream=stream, timeout=limit, told=_telling(host, change)
        )
    finally:
        if progress:
            progress(host.name, change.item, "")
    if "until" in change.script.values:
        record(host).waited += time.monotonic() - began
    said = transport.printable(answer.stderr[-4000:])
    if answer.code == CONFLICT:
        raise ChangedSincePlanned(said)
    if answer.code == BUSY:
        raise PutOff(said)
    if answer.code != 0:
        raise ChangeFailed(said or f"the script ended with exit code {answer.code}")
    return answer


def _telling(host: Host, change: Change) -> Callable[[str], None] | None:
    shown = progress
    return (lambda line: shown(host.name, change.item, line)) if shown else None
