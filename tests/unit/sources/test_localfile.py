"""file: URLs: only plain files of this machine, within the same bounds as downloads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gostead.sources import SourceError
from gostead.sources.limits import Limits
from tests.support.source_fixtures import QUICK, CacheDirectory
from tests.support.toolchain import Toolchain


def obtain(
    place: Path | str, toolchain: Toolchain, cache: CacheDirectory, limits: Limits = QUICK
) -> None:
    url = place if isinstance(place, str) else place.as_uri()
    cache.obtain(toolchain.request(sources=("archive",), archive_url=url), limits)


@pytest.fixture
def archive(tmp_path: Path, toolchain: Toolchain) -> Path:
    """Where the archive has to be."""
    return tmp_path / toolchain.archive_path[1:]


def test_what_is_not_there_is_said(
    archive: Path, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    with pytest.raises(SourceError, match=rf"file://{archive}: no such file"):
        obtain(archive.parent, toolchain, cache)


def test_a_fifo_is_refused_and_not_waited_for(
    archive: Path, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    os.mkfifo(archive)
    with pytest.raises(SourceError, match=r"REFUSED .*no regular file"):
        obtain(archive.parent, toolchain, cache)


def test_a_directory_is_refused(archive: Path, toolchain: Toolchain, cache: CacheDirectory) -> None:
    archive.mkdir()
    with pytest.raises(SourceError, match="no regular file"):
        obtain(archive.parent, toolchain, cache)


def test_another_machine_is_refused(toolchain: Toolchain, cache: CacheDirectory) -> None:
    with pytest.raises(SourceError, match="file URL of another machine"):
        obtain("file://server/share", toolchain, cache)


def test_a_file_over_the_cap_is_refused(
    archive: Path, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    with archive.open("wb") as sparse:
        sparse.truncate(5_000_000)
    with pytest.raises(SourceError, match=r"REFUSED .*5000000 bytes, far more"):
        obtain(archive.parent, toolchain, cache, Limits(max_bytes=4_000_000))


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html>"])
def test_something_else_is_refused(
    content: bytes, archive: Path, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    archive.write_bytes(content)
    with pytest.raises(SourceError, match=r"empty|no such file .begins"):
        obtain(archive.parent, toolchain, cache)
