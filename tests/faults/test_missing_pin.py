"""Scorecard: a version without a pin for the platform is refused before anything is fetched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.faults import NEW, Ground, told
from tests.support.mirror import Served


@pytest.fixture
def served(ground: Ground) -> Iterator[Served]:
    """The site's mirror, by HTTP on the loopback of the ground."""
    server = Served(ground.site.mirror, ground.sandbox)
    yield server
    server.close()


@pytest.mark.parametrize("fetch", ["host", "controller"])
def test_platform_and_version_are_named(fetch: str, ground: Ground, served: Served) -> None:
    before = ground.sandbox.digest()
    other = {"darwin-arm64": ground.site.pins(sha256=True)[NEW]["linux-amd64"]}
    wanted = {"default": "1.99.1", "pins": {"1.99.1": other}, "fetch": fetch}
    ground.site.declare({"archive_url": served.url, **wanted})
    for report in (ground.plan(), ground.apply()):
        assert report["exit"] == 1
        assert "1.99.1" in told(report)
        assert "linux-amd64" in told(report)
    assert served.requests == []
    assert before.changes(ground.sandbox.digest()) == []
