"""Fixtures of the fault tests that need no host."""

from __future__ import annotations

from tests.support.source_fixtures import (  # noqa: F401 - pytest finds fixtures by name
    cache,
    quick,
    server,
    toolchain,
)
