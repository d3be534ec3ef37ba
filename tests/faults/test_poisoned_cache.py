"""Scorecard: the cache is hashed again before reuse; what differs is fetched again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gostead.sources import CanonicalTar
from tests.support.badserver import BadServer
from tests.support.source_fixtures import CacheDirectory
from tests.support.toolchain import Toolchain


def _flip(tar: Path) -> None:
    """One bit, with size and mtime as they were."""
    before = tar.stat()
    body = bytearray(tar.read_bytes())
    body[len(body) // 2] ^= 1
    tar.chmod(0o600)
    tar.write_bytes(body)
    os.utime(tar, ns=(before.st_atime_ns, before.st_mtime_ns))


def _shorten(tar: Path) -> None:
    os.truncate(tar, tar.stat().st_size - 512)


def _replace_by_link(tar: Path) -> None:
    copy = tar.with_name("copy")
    tar.rename(copy)
    tar.symlink_to(copy)


def _replace_by_fifo(tar: Path) -> None:
    tar.unlink()
    os.mkfifo(tar)


@pytest.mark.parametrize(
    "poison", [_flip, _shorten, _replace_by_link, _replace_by_fifo, Path.unlink]
)
def test_a_changed_tar_is_not_used(
    poison: Callable[[Path], None], server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.files[toolchain.module_path] = toolchain.zip()
    request = toolchain.request(sources=("module",), goproxy=server.url)
    first = cache.obtain(request)
    good = first.path.read_bytes()
    server.seen.clear()
    poison(first.path)
    second = cache.obtain(request)
    assert len(server.seen) == 1
    assert second.path.read_bytes() == good
    assert not second.path.is_symlink()


def _index_garbage(entry: Path, _: CanonicalTar) -> None:
    entry.write_bytes(b"\xff{")


def _index_elsewhere(entry: Path, _: CanonicalTar) -> None:
    """What does not match is removed, so the index must not be able to name anything else."""
    record = json.loads(entry.read_text())
    entry.write_text(json.dumps({**record, "sha256": "../../victim"}))


def _index_of_another_h1(entry: Path, _: CanonicalTar) -> None:
    record = json.loads(entry.read_text())
    entry.write_text(json.dumps({**record, "h1": "h1:" + "A" * 43 + "="}))


def _index_of_a_later_format(entry: Path, _: CanonicalTar) -> None:
    record = json.loads(entry.read_text())
    entry.write_text(json.dumps({**record, "format": 2}))


@pytest.mark.parametrize(
    "change", [_index_garbage, _index_elsewhere, _index_of_another_h1, _index_of_a_later_format]
)
def test_a_changed_index_leads_nowhere_else(
    change: Callable[[Path, CanonicalTar], None],
    server: BadServer,
    toolchain: Toolchain,
    cache: CacheDirectory,
) -> None:
    server.files[toolchain.module_path] = toolchain.zip()
    request = toolchain.request(sources=("module",), goproxy=server.url)
    first = cache.obtain(request)
    (entry,) = cache.root.glob("index/*.json")
    victim = cache.root.parent / "victim.tar"
    victim.write_bytes(b"somebody's")
    change(entry, first)
    server.seen.clear()
    assert cache.obtain(request).sha256 == first.sha256
    assert len(server.seen) == 1
    assert victim.read_bytes() == b"somebody's"


@pytest.mark.parametrize("poison", [_flip, _shorten, _replace_by_link, Path.unlink])
def test_a_changed_compressed_copy_is_made_again(
    poison: Callable[[Path], None], server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.files[toolchain.module_path] = toolchain.zip()
    tar = cache.obtain(toolchain.request(sources=("module",), goproxy=server.url))
    good = tar.compressed().read_bytes()
    poison(tar.compressed())
    assert tar.compressed().read_bytes() == good
    assert not tar.compressed().is_symlink()
