"""A site with made-up releases, and a throw-away root that sees it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.root import Mount
from tests.support.sandbox import Sandbox
from tests.support.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A declaration and a mirror of its own."""
    directory = tmp_path / "site"
    directory.mkdir()
    for parent in (tmp_path, tmp_path.parent):
        parent.chmod(0o755)
    return Site(directory)


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
