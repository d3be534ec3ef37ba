"""Fixtures of the fault tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.faults import Ground
from tests.support.root import Mount
from tests.support.sandbox import Sandbox
from tests.support.site import Site
from tests.support.source_fixtures import (  # noqa: F401 - pytest finds fixtures by name
    cache,
    quick,
    server,
    toolchain,
)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A declaration and a mirror of small made-up releases."""
    directory = tmp_path / "site"
    directory.mkdir()
    return Site(directory)


@pytest.fixture
def make_ground(
    make_sandbox: Callable[..., Sandbox], site: Site, tmp_path: Path
) -> Callable[..., Ground]:
    """Return a function that starts a root for faults: `make_ground("ann", size="64m")`."""

    def make(user: str = "root", **options: Any) -> Ground:
        (tmp_path / "cache").mkdir(exist_ok=True)
        mounts = [Mount(site.directory), *options.pop("mounts", ())]
        made = make_sandbox(
            mounts=mounts, go_cache=tmp_path / "cache", go_cache_user=user, **options
        )
        return Ground(made, site, user)

    return make


@pytest.fixture
def ground(make_ground: Callable[..., Ground]) -> Ground:
    """A root that root converges; nothing has been done to it yet."""
    return make_ground()


@pytest.fixture(params=["root", "ann"])
def any_ground(request: pytest.FixtureRequest, make_ground: Callable[..., Ground]) -> Ground:
    """System scope as root, and user scope as somebody without any rights."""
    return make_ground(request.param)
