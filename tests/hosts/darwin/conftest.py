"""Macs that are none, and a controller of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.darwin.mac import Mac
from tests.hosts.darwin.scenarios import SCENARIOS, Scenario
from tests.support.controller import Controller
from tests.support.netns import Network
from tests.support.site import Site
from tests.support.ssh_host import Fleet


@pytest.fixture
def macs(network: Network) -> Iterator[Callable[..., Fleet]]:
    """Return a function that starts stand-ins: `macs("tahoe")`, `macs(TAHOE.but(…))`."""
    with ExitStack() as stack:

        def make(*scenarios: str | Scenario, **options: Any) -> Fleet:
            made = [
                Mac(SCENARIOS[s] if isinstance(s, str) else s, network, name=f"mac{n}", **options)
                for n, s in enumerate(scenarios, 1)
            ]
            return stack.enter_context(Fleet(made))

        yield make


@pytest.fixture
def mac(macs: Callable[..., Fleet]) -> Mac:
    """An Apple silicon Mac with macOS 26 and no developer tools."""
    host = macs("tahoe")[0]
    assert isinstance(host, Mac)
    return host


@pytest.fixture
def apple(tmp_path: Path, macs: Callable[..., Fleet]) -> Callable[..., tuple[Mac, Controller]]:
    """Return a function that starts a stand-in and a controller of it, with made-up releases for
    both of a Mac's architectures: `apple("tahoe", user="kim")`."""
    for name in ("site", "home"):
        (tmp_path / name).mkdir()
    # The last three are for Macs that newer ones do not run on.
    versions = ("1.27.3", "1.26.8", "1.25.14", "1.24.13", "1.22.12", "1.21.13")
    site = Site(tmp_path / "site", versions, platforms=("darwin-arm64", "darwin-amd64"))

    def make(
        scenario: str | Scenario = "tahoe", user: str = "root", **more: object
    ) -> tuple[Mac, Controller]:
        hosts = macs(scenario)
        host = hosts[0]
        assert isinstance(host, Mac)
        return host, Controller(site, hosts, tmp_path / "home", user, more)

    return make
