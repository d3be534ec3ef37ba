"""Fixtures of the fault tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.cache import remove
from tests.support.faults import Ground, lay_out, open_ground
from tests.support.requirements import need_hosts
from tests.support.root import Mount
from tests.support.sandbox import Sandbox
from tests.support.source_fixtures import (  # noqa: F401 - pytest finds fixtures by name
    cache,
    quick,
    server,
    toolchain,
)


@pytest.fixture
def make_ground(tmp_path: Path) -> Iterator[Callable[..., Ground]]:
    """Return a function that starts a root for faults: `make_ground("ann", size="64m")`."""
    need_hosts()
    with ExitStack() as stack:

        def make(user: str = "root", **options: Any) -> Ground:
            return stack.enter_context(open_ground(tmp_path, user, **options))

        yield make


@pytest.fixture
def ground(make_ground: Callable[..., Ground]) -> Ground:
    """A root that root converges; nothing has been done to it yet."""
    return make_ground()


@pytest.fixture
def begin_ground(
    tmp_path_factory: pytest.TempPathFactory, begin: Callable[..., Sandbox]
) -> Iterator[Callable[..., Ground]]:
    """`begin_ground("ann", toolchains, cache=…)`: a ground that was converged to this declaration,
    once for all tests of this worker."""
    directory = tmp_path_factory.getbasetemp() / "ground"
    site = lay_out(directory)

    def make(
        user: str = "root", toolchains: Mapping[str, object] | None = None, **go: Any
    ) -> Ground:
        site.declare(toolchains, **go)

        def do(sandbox: Sandbox) -> None:
            Ground(sandbox, site, user).converge()

        declared = (site.declaration / "all.yaml").read_text()
        sandbox = begin(
            f"ground {user} {declared}", do, mounts=[Mount(site.directory)],
            go_cache=directory / "cache", go_cache_user=user,
        )  # fmt: skip
        return Ground(sandbox, site, user)

    yield make
    remove(directory)


@pytest.fixture(params=["root", "ann"])
def any_ground(request: pytest.FixtureRequest, make_ground: Callable[..., Ground]) -> Ground:
    """System scope as root, and user scope as somebody without any rights."""
    return make_ground(request.param)


@pytest.fixture(scope="module", params=["root", "ann"])
def converged(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    """A converged root, by root and by ann, for all tests of a module that put it right again."""
    need_hosts()
    with open_ground(tmp_path_factory.mktemp("converged"), request.param) as ground:
        ground.converge()
        yield ground
