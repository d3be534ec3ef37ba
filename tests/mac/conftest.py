"""Tests for a real Mac, which is changed below the home of who runs them: for CI's machines.

.github/workflows/macos.yml runs them. `script/test` does not: they are for no other system.
"""

from __future__ import annotations

import sys

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Elsewhere they say so."""
    if sys.platform == "darwin":
        return
    for item in items:
        if "tests/mac/" in item.nodeid:
            item.add_marker(pytest.mark.skip(reason="this is no Mac"))
