"""A site with made-up releases, and a throw-away root that sees it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from tests.support import real_go
from tests.support.cache import remove
from tests.support.go_cache import GoCache
from tests.support.root import Mount
from tests.support.sandbox import Sandbox
from tests.support.scheduled import OLD, ScheduledHost
from tests.support.site import Site
from tests.support.upstream import ABLE, GIT, Upstream


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A declaration and a mirror of its own, at the path that all tests of this worker have."""
    directory = tmp_path_factory.getbasetemp() / "site"
    directory.mkdir()
    yield Site(directory)
    remove(directory)


@pytest.fixture
def converged(site: Site, begin: Callable[..., Sandbox]) -> Callable[[], Sandbox]:
    """`converged()`: a root that was brought to what the site declares by then, and no more."""

    def apply(sandbox: Sandbox) -> None:
        report = site.apply(sandbox)
        assert report["exit"] == 0, report

    def root() -> Sandbox:
        declared = "".join(path.read_text() for path in sorted(site.declaration.glob("*")))
        return begin(f"converged {declared}", apply, mounts=[Mount(site.directory)])

    return root


@pytest.fixture
def ground(site: Site, make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A throw-away root that sees the site."""
    return make_sandbox(mounts=[Mount(site.directory)])


@pytest.fixture
def run(site: Site, ground: Sandbox) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`run("apply", "-y")`: the command in the root, over @local, with the site's declaration."""

    def command(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        first, *rest = words
        return ground.gostead(
            first, "@local", "--declaration", str(site.declaration), *rest, cwd="/", **options
        )

    return command


@pytest.fixture
def upstream(site: Site) -> Upstream:
    """A repository that declares what the site has."""
    return Upstream(site)


@pytest.fixture
def host(site: Site, begin: Callable[..., Sandbox]) -> ScheduledHost:
    """Converged once from a controller, with OLD; then once by itself."""

    def do(sandbox: Sandbox) -> None:
        upstream = Upstream(site)
        sandbox.run(ABLE, check=True)
        upstream.declare(OLD)
        report = site.apply(sandbox)
        assert report["exit"] == 0, report
        upstream.commit()
        ScheduledHost(sandbox, upstream).converged()

    mounts = [Mount(site.directory), *GIT]
    sandbox = begin("scheduled", do, beside=site.directory, mounts=mounts)
    return ScheduledHost(sandbox, Upstream(site))


@pytest.fixture
def begin_go(go_cache: GoCache, begin: Callable[..., Sandbox]) -> Callable[..., Sandbox]:
    """`begin_go(network="machine")`: a root with go1.27.3 and go1.26.8, both real."""
    for version in real_go.VERSIONS:
        go_cache.tar(version)
    return partial(begin, "real go", real_go.install, go_cache=go_cache.path)


@pytest.fixture
def go_ground(begin_go: Callable[..., Sandbox]) -> Sandbox:
    """A throw-away root with go1.27.3 and go1.26.8, both real."""
    return begin_go()
