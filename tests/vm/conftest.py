"""What the tests on guests share: the fixtures, and how workers divide the work."""

from __future__ import annotations

import pytest

from tests.support.vm.fixtures import (  # noqa: F401 - pytest finds fixtures by name
    control_guest,
    guest,
    make_guest,
    release,
    standing,
)

#: What takes longest begins first, or one worker ends up alone with it.
LONGEST = ("test_schedule", "test_slices", "test_hungry_build")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With --dist loadgroup a worker takes a file's tests on one release, and one guest for them.

    On an empty cache that has the two releases built side by side.
    """
    if not config.pluginmanager.hasplugin("xdist"):
        return
    mine = [item for item in items if "tests/vm/" in item.nodeid]
    mine.sort(key=lambda item: item.path.stem not in LONGEST)
    items[:] = [*mine, *(item for item in items if "tests/vm/" not in item.nodeid)]
    for item in mine:
        told = getattr(item, "callspec", None)
        which = told.params.get("release", "") if told is not None else ""
        item.add_marker(pytest.mark.xdist_group(f"{item.path.stem}-{which}"))
