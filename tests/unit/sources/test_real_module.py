"""The real thing, once: a toolchain module from the GOPROXY that this machine uses."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gostead.declaration import GoSetup, pin_for
from gostead.sources import Request, goproxy_list, obtain


@pytest.mark.network
def test_a_real_toolchain_has_the_shipped_pin_and_runs(tmp_path: Path) -> None:
    if not goproxy_list(None, os.environ):
        pytest.skip("no GOPROXY in the environment, and no go on PATH that knows one")
    pin = pin_for(GoSetup(), "1.27.3", "linux-amd64")
    tar = obtain(
        Request("1.27.3", "linux-amd64", pin.h1, sources=("module",)), cache=tmp_path / "cache"
    )
    assert tar.h1 == pin.h1
    assert tar.entries == 13452
    tree = tmp_path / "tree"
    tree.mkdir()
    subprocess.run(["tar", "-xf", str(tar.path)], cwd=tree, check=True)
    said = subprocess.run(
        [str(tree / "bin/go"), "version"],
        env={"HOME": str(tmp_path), "GOTOOLCHAIN": "local", "GOENV": "off"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "go version go1.27.3 linux/amd64\n"
