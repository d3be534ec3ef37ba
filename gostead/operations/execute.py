"""Carries out one change: renders its script, brings what it streams, reads what it answered."""

from __future__ import annotations

import io
from contextlib import closing
from typing import TYPE_CHECKING, Any, BinaryIO

from gostead import sources, transport
from gostead.declaration import GoSetup, pin_for
from gostead.facts.host_state import HostState
from gostead.operations import fetch
from gostead.operations.change import Change, Content, Toolchain
from gostead.operations.context import options
from gostead.templates import host_script

if TYPE_CHECKING:
    from pyinfra.api.host import Host

CONFLICT = 10
LOCKED = 11


class ChangeFailed(Exception):
    """The host refused or could not make the change; the message says what it said."""


class ChangedSincePlanned(Exception):
    """What the plan was made for was no longer there; nothing was touched."""


def execute(host: Host, change: Change, declared: GoSetup, state: HostState) -> str:
    """Makes `change` so on `host`; says where a toolchain came from, for the report.

    Raises ChangeFailed, ChangedSincePlanned, transport.TransportError.
    """
    stream = change.script.stream
    if isinstance(stream, Toolchain):
        try:
            return _install(host, change, stream, declared, state)
        except sources.SourceError as error:
            raise ChangeFailed(str(error)) from None
    _run(host, change, {}, io.BytesIO(stream.data) if isinstance(stream, Content) else None)
    return ""


def _install(
    host: Host, change: Change, wanted: Toolchain, declared: GoSetup, state: HostState
) -> str:
    pin = pin_for(declared, wanted.version, wanted.platform)
    request = fetch.request(declared, wanted, pin)
    if fetch.by_host(host, declared, state, pin):
        url = sources.archive_url_for(request)
        try:
            origin = f"archive {url}, fetched by the host"
            _run(host, change, fetch.archive_values(request) | {"origin": origin}, None)
            return origin
        except ChangeFailed:
            if declared.toolchains.fetch == "host":
                raise  # the controller was not asked to
    tar = fetch.obtain(request)
    compressed = fetch.is_remote(host)
    path = tar.compressed() if compressed else tar.path
    with closing(path.open("rb")) as file:
        values = {"archive": "", "origin": tar.origin, "compressed": compressed}
        _run(host, change, values, file)
    return tar.origin


def _run(
    host: Host, change: Change, values: dict[str, Any], stream: BinaryIO | None
) -> transport.Answer:
    chosen = options(host)
    script = host_script(
        change.script.template,
        **{
            "run": chosen.run,
            "lock_wait": chosen.lock_wait,
            "archive": "",
            "compressed": False,
            **change.script.values,
            **values,
        },
    )
    answer = transport.run(host, script, stream=stream, timeout=chosen.timeout)
    said = transport.printable(answer.stderr[-4000:])
    if answer.code == CONFLICT:
        raise ChangedSincePlanned(said)
    if answer.code != 0:
        raise ChangeFailed(said or f"the script ended with exit code {answer.code}")
    return answer
