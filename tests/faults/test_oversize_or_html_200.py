"""Scorecard: what is too big, or a web page with status 200, is turned away."""

from __future__ import annotations

import gzip

import pytest

from gostead.sources import SourceError
from gostead.sources.limits import Limits
from tests.support.badserver import BadServer, endless, page
from tests.support.source_fixtures import CacheDirectory
from tests.support.toolchain import Toolchain, file

SMALL = Limits(stall=2.0, attempts=2, backoff=0.01, max_bytes=3_000_000)


def test_a_login_page_is_named_as_such(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.script[toolchain.archive_path] = [page]
    with pytest.raises(SourceError, match="got an HTML page"):
        cache.obtain(toolchain.request(sources=("archive",), archive_url=server.url))


def test_a_page_without_its_type_is_recognised_by_its_bytes(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.files[toolchain.archive_path] = b"<!DOCTYPE html>" + bytes(5000)
    with pytest.raises(SourceError, match=r"what came is no such file .*DOCTYPE"):
        cache.obtain(toolchain.request(sources=("archive",), archive_url=server.url))


def test_an_announced_size_over_the_cap_is_refused_before_the_body(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.script[toolchain.archive_path] = [
        lambda handler, _: handler.reply(200, {"Content-Length": "99999999999"}, b"\x1f\x8b")
    ]
    with pytest.raises(SourceError, match=r"REFUSED .*announces 99999999999 bytes"):
        cache.obtain(toolchain.request(sources=("archive",), archive_url=server.url))


def test_an_endless_body_is_cut_off_at_the_cap(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.script[toolchain.module_path] = [endless(b"PK")]
    with pytest.raises(SourceError, match=r"REFUSED .*more than 2 MiB"):
        cache.obtain(toolchain.request(sources=("module",), goproxy=server.url), SMALL)
    assert cache.leftovers() == []


def test_a_body_that_cannot_become_a_toolchain_is_not_fetched_to_its_end(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.script[toolchain.archive_path] = [endless(b"\x1f\x8b")]
    with pytest.raises(SourceError, match=r"REFUSED .*not valid gzip data"):
        cache.obtain(toolchain.request(sources=("archive",), archive_url=server.url))
    assert cache.leftovers() == []


def test_a_gzip_bomb_is_refused(
    server: BadServer,
    toolchain: Toolchain,
    cache: CacheDirectory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gostead.sources.gunzip.MAX_UNPACKED", 20 << 20)
    bomb = toolchain.archive()
    server.files[toolchain.archive_path] = bomb + gzip.compress(bytes(40 << 20))
    with pytest.raises(SourceError, match=r"REFUSED .*unpacks to more than 20 MiB"):
        cache.obtain(toolchain.request(sources=("archive",), archive_url=server.url))
    assert cache.tars() == cache.leftovers() == []


def test_a_tree_that_is_too_big_is_refused(
    server: BadServer,
    toolchain: Toolchain,
    cache: CacheDirectory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gostead.sources.writer.MAX_TREE", 20 << 20)
    toolchain.files["src/zeros"] = bytes(40 << 20)
    server.files[toolchain.archive_path] = toolchain.archive()
    with pytest.raises(SourceError, match=r"REFUSED .*more than 20 MiB unpacked"):
        cache.obtain(toolchain.request(sources=("archive",), archive_url=server.url))


def test_a_zip_bomb_is_refused_before_it_unpacks(
    server: BadServer,
    toolchain: Toolchain,
    cache: CacheDirectory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gostead.sources.module.MAX_TREE", 20 << 20)
    name = toolchain.module_name("src/zeros")
    server.files[toolchain.module_path] = toolchain.zip([(name, bytes(40 << 20))])
    with pytest.raises(SourceError, match=r"REFUSED .*more than 20 MiB"):
        cache.obtain(toolchain.request(sources=("module",), goproxy=server.url))


@pytest.mark.parametrize(("announced", "said"), [(1000, "bigger"), (5_000_000, "smaller")])
def test_a_zip_member_of_another_size_than_it_announces_is_refused(
    announced: int, said: str, server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    body = bytes(4_000_000)
    name = toolchain.module_name("src/zeros").encode()
    made = bytearray(toolchain.zip([(name.decode(), body)]))
    at = made.rindex(b"PK\x01\x02", 0, made.rindex(name))
    made[at + 24 : at + 28] = announced.to_bytes(4, "little")
    server.files[toolchain.module_path] = bytes(made)
    with pytest.raises(SourceError, match=rf"REFUSED .*{said} than it announces"):
        cache.obtain(toolchain.request(sources=("module",), goproxy=server.url))


@pytest.mark.parametrize("form", ["archive", "zip"])
def test_too_many_members_are_refused(
    form: str,
    server: BadServer,
    toolchain: Toolchain,
    cache: CacheDirectory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = "writer" if form == "archive" else "zipindex"
    monkeypatch.setattr(f"gostead.sources.{room}.MAX_MEMBERS", 20)
    toolchain.files |= {f"src/{n}.go": b"" for n in range(30)}
    server.files[toolchain.archive_path] = toolchain.archive()
    server.files[toolchain.module_path] = toolchain.zip()
    source = "archive" if form == "archive" else "module"
    request = toolchain.request(sources=(source,), archive_url=server.url, goproxy=server.url)
    with pytest.raises(SourceError, match=r"REFUSED .*(more than 20 members|zip directory of 4)"):
        cache.obtain(request)


def test_too_many_members_are_refused_among_what_is_left_out_too(
    server: BadServer,
    toolchain: Toolchain,
    cache: CacheDirectory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gostead.sources.archive.MAX_MEMBERS", 20)
    extra = [(file(f"go/test/{n}.go", 0), b"") for n in range(40)]
    server.files[toolchain.archive_path] = toolchain.archive(extra)
    with pytest.raises(SourceError, match=r"REFUSED .*more than 40 members"):
        cache.obtain(toolchain.request(sources=("archive",), archive_url=server.url))
