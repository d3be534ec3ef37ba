"""Scorecard: a server that stops sending meets a time limit, bounded retries, the next mirror."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from gostead.sources import SourceError
from gostead.sources.limits import Limits
from tests.support.badserver import BadServer, Step, dribbling, stalled
from tests.support.source_fixtures import QUICK, CacheDirectory
from tests.support.toolchain import Toolchain


@pytest.mark.parametrize(
    "step", [stalled(0), stalled(50_000), stalled(0, head=False), dribbling(0.05)],
    ids=["no-body", "in-the-body", "no-head", "dribbling"],
)  # fmt: skip
def test_the_next_mirror_serves(
    step: Step, server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.files[toolchain.archive_path] = toolchain.archive()
    server.files[toolchain.module_path] = toolchain.zip()
    server.script[toolchain.archive_path] = [step] * 9
    started = time.monotonic()
    tar = cache.obtain(toolchain.request(archive_url=server.url, goproxy=server.url))
    assert tar.origin.startswith("toolchain module")
    assert [s.target for s in server.seen].count(toolchain.archive_path) == QUICK.attempts
    assert time.monotonic() - started < 8


def test_the_time_for_all_attempts_together_is_bounded(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.files[toolchain.archive_path] = toolchain.archive()
    server.script[toolchain.archive_path] = [stalled(0)] * 99
    limits = Limits(stall=60, total=1.0, attempts=99, backoff=0.01)
    started = time.monotonic()
    with pytest.raises(SourceError, match="stalled"):
        cache.obtain(toolchain.request(sources=("archive",), archive_url=server.url), limits)
    assert time.monotonic() - started < 4
    assert cache.leftovers() == []


def test_a_host_that_accepts_nothing_is_left_within_the_connect_limit(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.files[toolchain.module_path] = toolchain.zip()
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        fillers = _fill(deaf)
        try:
            started = time.monotonic()
            mute = f"http://127.0.0.1:{deaf.getsockname()[1]}"
            cache.obtain(
                toolchain.request(sources=("module",), goproxy=f"{mute},{server.url}"),
                Limits(connect=1.0),
            )
            assert time.monotonic() - started < 4
        finally:
            for filler in fillers:
                filler.close()


def _fill(deaf: socket.socket) -> list[socket.socket]:
    """Connections until the backlog is full and the kernel drops what follows."""
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(deaf.getsockname())
        fillers.append(filler)
    time.sleep(0.1)
    return fillers


def test_a_name_server_that_does_not_answer_is_not_waited_for(
    server: BadServer,
    toolchain: Toolchain,
    cache: CacheDirectory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.files[toolchain.module_path] = toolchain.zip()
    resolve = socket.getaddrinfo

    def hang(host: Any, *rest: Any, **named: Any) -> Any:
        if host == "mirror.test":
            time.sleep(30)
        return resolve(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    started = time.monotonic()
    request = toolchain.request(archive_url="http://mirror.test", goproxy=server.url)
    assert cache.obtain(request, Limits(connect=0.5)).h1 == toolchain.h1
    assert time.monotonic() - started < 3
