"""The fixtures that every tier may use; tests/conftest.py makes them known to pytest.

Each root or host is a fresh one for each test: it takes 30 ms (a root) or 150 ms (an ssh host).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest

from tests.support.busybox import busybox
from tests.support.go_cache import GoCache
from tests.support.go_cache import go_cache as open_go_cache
from tests.support.mirror import Mirror
from tests.support.netns import Network
from tests.support.requirements import need_hosts
from tests.support.root import Root
from tests.support.rootfs import debian
from tests.support.sandbox import Sandbox
from tests.support.ssh_host import Fleet, SshHost
from tests.support.starts import Starts

#: Kind of host -> its root file system.
KINDS = {"debian": debian, "busybox": busybox}


@pytest.fixture
def make_sandbox() -> Iterator[Callable[..., Sandbox]]:
    """Return a function that starts a `Sandbox` with its arguments; all end with the test."""
    need_hosts()
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Sandbox(**options))


@pytest.fixture(scope="session")
def starts() -> Iterator[Starts]:
    """What was done in a root once, for all tests of this worker."""
    with ExitStack() as roots:
        yield Starts(roots)


@pytest.fixture
def begin(starts: Starts, make_sandbox: Callable[..., Sandbox]) -> Callable[..., Sandbox]:
    """`begin("name", do, mounts=…)`: a root in which `do` was done; see `Starts`."""
    return partial(starts.begin, make=make_sandbox)


@pytest.fixture
def sandbox(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A throw-away root where this project runs with @local; loopback network only."""
    return make_sandbox()


@pytest.fixture
def make_root() -> Iterator[Callable[..., Root]]:
    """Return a function that starts a bare `Root`: `make_root("busybox", size="64m")`."""
    need_hosts()
    with ExitStack() as stack:

        def make(kind: str = "debian", **options: Any) -> Root:
            return stack.enter_context(Root(KINDS[kind](), **options))

        yield make


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    """The network of all ssh hosts of this test run (of this worker, with xdist)."""
    need_hosts()
    with Network() as network:
        yield network


@pytest.fixture
def fleet(network: Network) -> Iterator[Callable[..., Fleet]]:
    """Return a function that starts ssh hosts: `fleet(3)`, `fleet(2, kind="busybox")`."""
    with ExitStack() as stack:

        def make(count: int, *, kind: str = "debian", prefix: str = "web", **options: Any) -> Fleet:
            lower = KINDS[kind]()
            names = [f"{prefix}{number}" for number in range(1, count + 1)]
            hosts = [SshHost(lower, network, name=name, **options) for name in names]
            return stack.enter_context(Fleet(hosts))

        yield make


@pytest.fixture
def ssh_host(fleet: Callable[..., Fleet]) -> SshHost:
    """A Debian host: root, deploy (sudo), zed (zsh) and ann (no sudo) come in by ssh."""
    return fleet(1, prefix="debian")[0]


@pytest.fixture
def busybox_host(fleet: Callable[..., Fleet]) -> SshHost:
    """An Alpine-like host: ash and busybox only; the same users, no sudo."""
    return fleet(1, kind="busybox", prefix="busybox")[0]


@pytest.fixture(scope="session")
def go_cache() -> GoCache:
    """Real toolchains: `go_cache.tar("1.27.3")`, or `make_sandbox(go_cache=go_cache.path)`."""
    return open_go_cache()


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    """An empty mirror of Go releases: `mirror.publish(madeup("1.99.1"))`, `mirror.serve()`."""
    with Mirror() as mirror:
        yield mirror
