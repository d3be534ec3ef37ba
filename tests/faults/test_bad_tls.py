"""Scorecard: a certificate that does not verify is refused, and there is no way around it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gostead.sources import SourceError
from tests.support.badserver import Authority, BadServer
from tests.support.source_fixtures import CacheDirectory
from tests.support.toolchain import Toolchain


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that no system knows."""
    return Authority.make(tmp_path_factory.mktemp("authority"))


def test_a_declared_authority_is_trusted(
    authority: Authority, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    with BadServer(authority.server()) as server:
        server.files[toolchain.archive_path] = toolchain.archive()
        request = toolchain.request(archive_url=server.url, ca_bundle=str(authority.bundle))
        assert cache.obtain(request).h1 == toolchain.h1


@pytest.mark.parametrize("fault", ["unknown", "expired", "another-host"])
def test_a_bad_certificate_is_refused(
    fault: str, authority: Authority, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    settings = {
        "unknown": authority.server(),
        "expired": authority.server(days=-1),
        "another-host": authority.server("mirror.test"),
    }[fault]
    bundle = None if fault == "unknown" else str(authority.bundle)
    with BadServer(settings) as server:
        server.files[toolchain.archive_path] = toolchain.archive()
        request = toolchain.request(
            sources=("archive",), archive_url=server.url, ca_bundle=bundle, auth="canary"
        )
        with pytest.raises(SourceError, match=r"REFUSED .*certificate cannot be verified"):
            cache.obtain(request)
        assert server.seen == []
    assert cache.tars() == cache.leftovers() == []


def test_plain_http_on_an_https_address_is_an_error(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.files[toolchain.archive_path] = toolchain.archive()
    url = server.url.replace("http:", "https:")
    with pytest.raises(SourceError, match="no TLS connection"):
        cache.obtain(toolchain.request(sources=("archive",), archive_url=url))


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_unusable_bundle_is_named(
    content: str | None, toolchain: Toolchain, cache: CacheDirectory, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.pem"
    if content:
        bundle.write_text(content)
    request = toolchain.request(
        sources=("archive",), archive_url="https://127.0.0.1:1", ca_bundle=str(bundle)
    )
    with pytest.raises(SourceError, match=r"network\.ca_bundle .*bundle\.pem cannot be used"):
        cache.obtain(request)
