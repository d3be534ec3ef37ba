"""Scorecard: a redirect never leaves https, never loops, and never carries a secret elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from gostead.sources import SourceError
from tests.support.badserver import Authority, BadServer, redirect
from tests.support.source_fixtures import CacheDirectory
from tests.support.toolchain import Toolchain


def test_https_to_http_is_refused(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory, tmp_path: Path
) -> None:
    authority = Authority.make(tmp_path)
    server.files[toolchain.archive_path] = toolchain.archive()
    with BadServer(authority.server()) as secure:
        secure.script[toolchain.archive_path] = [redirect(server.url + toolchain.archive_path)]
        request = toolchain.request(
            sources=("archive",), archive_url=secure.url, ca_bundle=str(authority.bundle)
        )
        with pytest.raises(SourceError, match=r"REFUSED .*redirects from https to http:"):
            cache.obtain(request)
    assert server.seen == []


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "", "http://["])
def test_a_redirect_to_something_else_is_refused(
    target: str, server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.script[toolchain.archive_path] = [redirect(target)]
    with pytest.raises(SourceError, match=r"REFUSED .*redirects to"):
        cache.obtain(toolchain.request(sources=("archive",), archive_url=server.url))


def test_a_loop_ends(server: BadServer, toolchain: Toolchain, cache: CacheDirectory) -> None:
    server.script[toolchain.archive_path] = [redirect(toolchain.archive_path)] * 99
    with pytest.raises(SourceError, match="more than 5 redirects"):
        cache.obtain(toolchain.request(sources=("archive",), archive_url=server.url))
    assert len(server.seen) == 6


@pytest.mark.parametrize("secret", ["user:canary", "canary"])
def test_the_secret_goes_to_the_declared_server_only(
    secret: str, server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    with BadServer() as elsewhere:
        elsewhere.files["/x"] = toolchain.archive()
        server.script[toolchain.archive_path] = [redirect("/again")]
        server.script["/again"] = [redirect(elsewhere.url + "/x?signature=canary")]
        tar = cache.obtain(toolchain.request(archive_url=server.url, auth=secret))
        assert tar.origin == f"archive {server.url}{toolchain.archive_path}"
        expected = "Basic dXNlcjpjYW5hcnk=" if ":" in secret else "Bearer canary"
        assert [s.headers.get("authorization") for s in server.seen] == [expected] * 2
        assert [s.headers.get("authorization") for s in elsewhere.seen] == [None]
