"""All starts together have a time of their own: what hangs is ended, told, and asked once."""

from __future__ import annotations

import getpass
import os
import subprocess
import time
from pathlib import Path

import pytest

from gostead.trace import Cell, Person, chains, survey
from gostead.trace.causes import end_line

BIN = "/opt/gostead/current/bin"


def run(script: str) -> bytes:
    return subprocess.run(
        ["sh", "-s"], input=script.encode(), capture_output=True, check=True, timeout=60
    ).stdout


@pytest.fixture
def me(tmp_path: Path) -> Person:
    """Who runs this, with a home of their own."""
    return Person(getpass.getuser(), os.getuid(), os.getgid(), str(tmp_path), "/bin/bash")


def test_what_hangs_is_asked_once_for_all_that_read_the_same(me: Person, tmp_path: Path) -> None:
    (tmp_path / ".profile").write_text("true\nsleep 300\n")
    began = time.monotonic()
    cells = survey(run, [me], BIN, shells=["bash"], modes=["login", "both", "plain"],
                   limit=1, jobs=1)  # fmt: skip
    assert time.monotonic() - began < 30
    found = {cell.mode: cell for cell in cells}
    assert "time limit" in found["login"].why
    assert "reads the same files hangs" in found["both"].why
    assert {found["login"].status, found["both"].status} == {"timeout"}
    assert found["plain"].status == "asked"


def test_after_its_time_nothing_is_started(me: Person, tmp_path: Path) -> None:
    for name in (".profile", ".bashrc"):
        (tmp_path / name).write_text("sleep 300\n")
    cells = survey(run, [me], BIN, shells=["bash"], modes=["login", "interactive", "plain"],
                   limit=2, budget=1, jobs=1)  # fmt: skip
    assert [cell.status for cell in cells] == ["timeout"] * 3
    assert ["not asked: the time" in cell.why for cell in cells] == [False, True, True]


@pytest.mark.parametrize("shell", ["bash", "sh"])
@pytest.mark.parametrize("last", ["sleep 300", "exit 3"])
def test_the_line_that_hangs_or_ends_is_named(
    me: Person, tmp_path: Path, shell: str, last: str
) -> None:
    (tmp_path / ".profile").write_text(f"# {last}\nA=1\n{last}\nB=2\n")
    cell = Cell(me.name, shell, "login", "timeout")
    (chain,) = chains(run, [cell], [me], BIN, limit=2).values()
    end = end_line(chain)
    assert end is not None
    assert (end.file, end.line, end.text) == (f"{tmp_path}/.profile", 3, last)
