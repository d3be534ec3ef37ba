"""Scorecard: a body that ends early is taken up again or refused; nothing partial stays."""

from __future__ import annotations

import pytest

from gostead.sources import SourceError
from tests.support.badserver import BadServer, reset, truncated
from tests.support.source_fixtures import CacheDirectory
from tests.support.toolchain import Toolchain


@pytest.mark.parametrize("cut", [truncated(100_000), reset(100_000), truncated(0)])
def test_a_cut_body_is_resumed(
    cut: object, server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.files[toolchain.module_path] = toolchain.zip()
    server.script[toolchain.module_path] = [cut]  # type: ignore[list-item]
    tar = cache.obtain(toolchain.request(sources=("module",), goproxy=server.url))
    assert tar.h1 == toolchain.h1
    assert len(server.seen) == 2


def test_what_came_is_not_asked_for_again(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.files[toolchain.archive_path] = toolchain.archive()
    server.script[toolchain.archive_path] = [truncated(200_000)]
    cache.obtain(toolchain.request(sources=("archive",), archive_url=server.url))
    second = server.seen[1].headers
    start = int(second["range"].removeprefix("bytes=").removesuffix("-"))
    assert 100_000 < start <= 200_000
    assert "if-range" in second


def test_a_body_that_always_ends_early_is_given_up(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    good = Toolchain(version="1.26.8")
    server.files[good.archive_path] = good.archive()
    old = cache.obtain(good.request(archive_url=server.url))
    server.files[toolchain.archive_path] = toolchain.archive()
    server.script[toolchain.archive_path] = [truncated(1000, tagged=False) for _ in range(9)]
    server.seen.clear()
    with pytest.raises(SourceError, match=r"cut short .*gave up after 3 attempts"):
        cache.obtain(toolchain.request(sources=("archive",), archive_url=server.url))
    assert len(server.seen) == 3
    assert cache.tars() == [old.path]
    assert cache.leftovers() == []


def test_an_archive_that_is_short_in_itself_is_refused(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.files[toolchain.archive_path] = toolchain.archive()[:-20_000]
    server.files[toolchain.module_path] = toolchain.zip()[:-20_000]
    request = toolchain.request(archive_url=server.url, goproxy=server.url)
    with pytest.raises(SourceError, match=r"(?s)truncated.*cut short"):
        cache.obtain(request)
    assert cache.tars() == []
    assert cache.leftovers() == []
