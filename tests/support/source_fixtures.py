"""Fixtures of the tests about sources and their faults: a server, a toolchain, a cache."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gostead.sources import CanonicalTar, Request, obtain
from gostead.sources.limits import Limits
from tests.support.badserver import BadServer
from tests.support.toolchain import Toolchain

QUICK = Limits(connect=2.0, stall=1.0, total=20.0, attempts=3, backoff=0.02, retry_after=0.2)


@pytest.fixture
def server() -> Iterator[BadServer]:
    """A server without TLS."""
    with BadServer() as made:
        yield made


@pytest.fixture
def toolchain() -> Toolchain:
    """The made-up toolchain."""
    return Toolchain()


@pytest.fixture
def quick() -> Limits:
    """Bounds short enough for tests."""
    return QUICK


class CacheDirectory:
    """A cache of the test's own, and what is in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def obtain(
        self, request: Request, limits: Limits = QUICK, environ: dict[str, str] | None = None
    ) -> CanonicalTar:
        """`obtain` with this cache, short limits, and an environment that leads nowhere."""
        nowhere = {"GOPROXY": "off"}
        return obtain(request, cache=self.root, limits=limits, environ=environ or nowhere)

    def tars(self) -> list[Path]:
        """The toolchains kept."""
        return sorted(self.root.glob("toolchains/*.tar"))

    def leftovers(self) -> list[Path]:
        """Temporary files that should be gone."""
        return sorted(self.root.glob("tmp/*"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CacheDirectory:
    """An empty cache, and an environment without proxies."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return CacheDirectory(tmp_path / "cache")
