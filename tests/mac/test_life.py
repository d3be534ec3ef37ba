"""The whole life of a declared Go in the home of a real Mac's user, with real releases."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

GOSTEAD = [sys.executable, "-c", "from gostead.cli import script; script()"]
ROOT = Path.home() / ".local/share/gostead"


class Here:
    """gostead over this Mac, with a declaration of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def declare(self, **go: Any) -> None:
        """Writes the declaration."""
        (self.directory / "all.yaml").write_text(json.dumps({"go": {"scope": "user", **go}}))

    def ask(self, *words: str) -> dict[str, Any]:
        """A report: this host's part of it, with the exit code."""
        done = subprocess.run(
            [*GOSTEAD, words[0], "@local", "--declaration", str(self.directory), "--json",
             *words[1:]], text=True, capture_output=True, check=False,
        )  # fmt: skip
        assert done.stdout, done.stderr
        (host,) = json.loads(done.stdout)["hosts"].values()
        return {**host, "exit": done.returncode}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    """Removed afterwards, whatever happened."""
    made = Here(tmp_path)
    yield made
    made.declare()
    made.ask("remove", "-y")


def test_converge_again_audit_switch_remove(here: Here) -> None:
    here.declare(env={"GOPRIVATE": "git.example.com"}, cache={"max_size": "20GiB"})
    first = here.ask("apply", "-y")
    assert first["exit"] == 0, first
    second = here.ask("apply", "-y")
    assert (second["exit"], second["changes"]) == (0, [])
    audit = here.ask("audit")
    assert [f for f in audit["findings"] if f["severity"] == "error"] == []
    for shell in (["/bin/zsh", "-lc"], ["/bin/bash", "-lc"]):
        said = subprocess.run(
            [*shell, "command -v go"], text=True, capture_output=True, check=True,
            env={"HOME": str(Path.home()), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        ).stdout  # fmt: skip
        assert said.strip() == f"{ROOT}/current/bin/go"
    signed = ["codesign", "--verify", "--strict", str(ROOT / "toolchains/go1.27.3/bin/go")]
    assert subprocess.run(signed, check=False).returncode == 0
    here.declare(toolchains={"default": "1.26.8"})
    assert here.ask("apply", "-y")["exit"] == 0
    assert here.ask("rollback")["exit"] == 0
    assert here.ask("release")["exit"] == 0
    assert here.ask("remove", "-y")["exit"] == 0
    assert not ROOT.exists()
