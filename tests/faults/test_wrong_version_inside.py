"""Scorecard: another version under the right name is refused, and the message says which."""

from __future__ import annotations

import pytest

from gostead.sources import SourceError
from tests.support.badserver import BadServer
from tests.support.source_fixtures import CacheDirectory
from tests.support.toolchain import Toolchain


@pytest.mark.parametrize("source", ["archive", "module"])
@pytest.mark.parametrize("inside", [b"go1.26.8\n", b"devel go1.27.3", b"", None])
def test_the_version_file_must_say_the_version_even_if_the_pin_matches(
    inside: bytes | None,
    source: str,
    server: BadServer,
    toolchain: Toolchain,
    cache: CacheDirectory,
) -> None:
    if inside is None:
        del toolchain.files["VERSION"]
    else:
        toolchain.files["VERSION"] = inside
    server.files[toolchain.archive_path] = toolchain.archive()
    server.files[toolchain.module_path] = toolchain.zip()
    request = toolchain.request(sources=(source,), archive_url=server.url, goproxy=server.url)
    said = inside.decode().strip() if inside else "no VERSION file"
    with pytest.raises(SourceError, match=rf"REFUSED .*holds '{said}' instead of 'go1\.27\.3'"):
        cache.obtain(request)
    assert cache.tars() == cache.leftovers() == []


def test_another_platform_inside_the_zip_is_refused(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.files[toolchain.module_path] = Toolchain(platform="darwin-arm64").zip()
    with pytest.raises(SourceError, match=r"REFUSED .*outside golang.org/toolchain@.*linux-amd64/"):
        cache.obtain(toolchain.request(sources=("module",), goproxy=server.url))
