"""Scorecard: an archive that is not the released one is refused, before extraction when pinned."""

from __future__ import annotations

import hashlib

import pytest

from gostead.sources import SourceError
from tests.support.badserver import BadServer
from tests.support.source_fixtures import CacheDirectory
from tests.support.toolchain import Toolchain


def test_a_sha256_that_differs_is_refused_before_anything_is_unpacked(
    server: BadServer,
    toolchain: Toolchain,
    cache: CacheDirectory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unpacked = []
    monkeypatch.setattr(
        "gostead.sources.build.unpack_archive", lambda *given: unpacked.append(given)
    )
    released = hashlib.sha256(toolchain.archive()).hexdigest()
    toolchain_h1 = toolchain.h1
    toolchain.files["src/fmt/print.go"] += b"// evil\n"
    server.files[toolchain.archive_path] = toolchain.archive()
    request = toolchain.request(
        h1=toolchain_h1, sha256=released, sources=("archive",), archive_url=server.url
    )
    with pytest.raises(SourceError, match=rf"REFUSED .*its sha256 is .*the pin says {released}"):
        cache.obtain(request)
    assert unpacked == []
    assert cache.tars() == cache.leftovers() == []


def test_a_matching_sha256_is_accepted(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    body = server.files[toolchain.archive_path] = toolchain.archive()
    pin = hashlib.sha256(body).hexdigest()
    assert cache.obtain(toolchain.request(sha256=pin, archive_url=server.url)).h1 == toolchain.h1


@pytest.mark.parametrize("path", ["src/fmt/print.go", "go.env", "bin/go"])
@pytest.mark.parametrize("source", ["archive", "module"])
def test_one_byte_is_enough_for_the_tree_hash(
    source: str, path: str, server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    pin = toolchain.h1
    body = toolchain.files[path]
    toolchain.files[path] = body[:-1] + bytes([body[-1] ^ 1])
    server.files[toolchain.archive_path] = toolchain.archive()
    server.files[toolchain.module_path] = toolchain.zip()
    request = toolchain.request(
        h1=pin, sources=(source,), archive_url=server.url, goproxy=server.url
    )
    with pytest.raises(SourceError, match=rf"REFUSED .*its tree has h1:.*the pin says {pin[:9]}"):
        cache.obtain(request)
    assert cache.tars() == cache.leftovers() == []


@pytest.mark.parametrize("change", ["added", "removed", "renamed"])
def test_the_list_of_files_counts_too(
    change: str, server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    pin = toolchain.h1
    if change != "added":
        body = toolchain.files.pop("src/fmt.go")
    if change != "removed":
        toolchain.files["src/other.go"] = b"" if change == "added" else body
    server.files[toolchain.module_path] = toolchain.zip()
    with pytest.raises(SourceError, match="REFUSED"):
        cache.obtain(toolchain.request(h1=pin, sources=("module",), goproxy=server.url))


def test_a_good_source_after_a_tampered_one_serves_and_nothing_of_the_bad_one_is_kept(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    pin, good = toolchain.h1, toolchain.zip()
    toolchain.files["bin/go"] = b"evil"
    server.files[toolchain.archive_path] = toolchain.archive()
    server.files[toolchain.module_path] = good
    tar = cache.obtain(toolchain.request(h1=pin, archive_url=server.url, goproxy=server.url))
    assert tar.origin.startswith("toolchain module")
    assert cache.tars() == [tar.path]
