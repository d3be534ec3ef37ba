"""The fixtures of guests; tests/vm/conftest.py makes them known to pytest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.controller import Controller
from tests.support.site import Site
from tests.support.vm.accelerator import need_guests
from tests.support.vm.guest import Guest
from tests.support.vm.image import RELEASES


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    """Each Debian release that guests are made of."""
    need_guests()
    return str(request.param)


@pytest.fixture
def make_guest() -> Iterator[Callable[..., Guest]]:
    """Return a function that starts a guest: `make_guest("trixie", name="web1", cpus=2)`."""
    need_guests()
    with ExitStack() as stack:
        yield lambda *arguments, **options: stack.enter_context(Guest(*arguments, **options))


@pytest.fixture
def guest(release: str, make_guest: Callable[..., Guest]) -> Guest:
    """A fresh guest of each release."""
    return make_guest(release)


@pytest.fixture(scope="module")
def standing(release: str) -> Iterator[Guest]:
    """A guest for the tests of a module that leave it as they found it."""
    with Guest(release) as guest:
        yield guest


@pytest.fixture
def control_guest(tmp_path: Path) -> Callable[..., Controller]:
    """Return a function that makes a controller of a guest: `control_guest(guest, "deploy")`."""
    for name in ("site", "home"):
        (tmp_path / name).mkdir()
    site = Site(tmp_path / "site")

    def make(guest: Guest, user: str = "root", **more: Any) -> Controller:
        return Controller(site, guest, tmp_path / "home", user, more, seconds=600)

    return make
