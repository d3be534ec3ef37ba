"""Fixtures of the tests about sources: a server, a toolchain, a cache."""

from __future__ import annotations

from tests.support.source_fixtures import (  # noqa: F401 - pytest finds fixtures by name
    cache,
    quick,
    server,
    toolchain,
)
