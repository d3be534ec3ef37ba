"""While the Command Line Tools are installed it is told how far that is, and it may take long."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading

import pytest

from tests.hosts.darwin.developer_tools import ITEM, ONLY, Apple, declare, left_alone, receipt
from tests.hosts.darwin.mac import Mac
from tests.support.cache import PROJECT
from tests.support.fault_driver import Fault
from tests.support.preloaded import FACE

LOOKS = [f"mac1: {ITEM}: looking for the Command Line Tools, look {n} of 12" for n in (1, 2, 3)]


def slowly(mac: Mac, seconds: int) -> None:
    """A download takes so long, and its percentage is overwritten, with an escape in it; other
    waits pass in no time."""
    program = mac.path / "usr/sbin/softwareupdate"
    known = '      logged "softwareupdate -i $label"\n'
    text = program.read_text()
    assert text.count(known) == 1
    more = (
        f"printf 'Downloading: 1%%\\rDownloading: 12.50%%\\033[2J\\r'; perl -e 'sleep {seconds}'\n"
    )
    program.write_text(text.replace(known, known + more))
    (mac.path / "bin/sleep").unlink()
    (mac.path / "bin/sleep").write_text("#!/bin/sh\nperl -e 'select undef, undef, undef, 0.2'\n")
    (mac.path / "bin/sleep").chmod(0o755)


def test_each_look_and_the_percentages_are_told(apple: Apple) -> None:
    """Also that the tools may take longer than other scripts: these have 10 seconds here."""
    mac, controller = apple("third look")
    slowly(mac, 14)
    declare(controller, command_line_tools="latest")
    report = controller.ask("apply", "-y", *ONLY, fault=Fault(seconds=10))
    assert report["exit"] == 0, report
    assert receipt(mac).startswith("26.6.")
    told = [line for line in report["stderr"].splitlines() if line.startswith("mac1: ")]
    begun = [*LOOKS, f"mac1: {ITEM}: installing Command Line Tools for Xcode 26.6-26.6"]
    assert told[: len(begun)] == begun
    # It is the last line that is told, again and again: what does not stay is seen by chance.
    *passing, stays = told[len(begun) :]
    assert stays == f"mac1: {ITEM}: Downloading: 12.50%\\x1b[2J"
    assert "%" not in "".join(passing)
    left_alone(mac)


def test_an_explicit_limit_wins(apple: Apple) -> None:
    mac, controller = apple("tahoe")
    slowly(mac, 30)
    declare(controller, command_line_tools="latest")
    report = controller.ask("apply", "-y", *ONLY, "--timeout", "12")
    assert report["exit"] == 1
    (host,) = report["hosts"].values()
    errors = [change["error"] for change in host["changes"] if change["item"] == ITEM]
    assert errors == ["mac1: no answer within 12 s"]


def test_what_failed_is_told_without_how_far_it_was(apple: Apple) -> None:
    mac, controller = apple("failing download")
    slowly(mac, 0)
    declare(controller, command_line_tools="latest")
    report = controller.ask("apply", "-y", *ONLY)
    (host,) = report["hosts"].values()
    (error,) = [change["error"] for change in host["changes"] if change["item"] == ITEM]
    assert error.startswith("softwareupdate -i")
    assert "look 1 of 12" not in error


@pytest.mark.parametrize("to", [(), ("--json", "-")], ids=["report", "json"])
def test_on_a_terminal_a_line_moves(to: tuple[str, ...], apple: Apple) -> None:
    """With the report on standard output as JSON nothing moves, and nothing else is there."""
    mac, controller = apple("third look")
    slowly(mac, 3)
    declare(controller, command_line_tools="latest")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, *FACE, "apply",
         controller.inventory, "--declaration", str(controller.site.declaration), "-y", *ONLY, *to],
        cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs, text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(controller.home), "PYTHONPATH": str(PROJECT),
             "TERM": "xterm", "COLUMNS": "160"},
    )  # fmt: skip
    os.close(theirs)
    seen: list[bytes] = []
    reader = threading.Thread(target=_read, args=(ours, seen))
    reader.start()
    stdout, _ = process.communicate(timeout=120)
    reader.join()
    os.close(ours)
    screen = b"".join(seen).decode()
    assert process.returncode == 0, screen
    assert f"mac1: {ITEM}: Downloading: 12.50%\\x1b[2J" in screen
    assert "looking for" not in stdout
    assert "Downloading" not in stdout
    if to:
        assert json.loads(stdout)["hosts"]
        assert "\x1b[" not in screen
    else:
        assert "\x1b[" in screen
        assert f"\n{LOOKS[0]}" not in screen


def _read(terminal: int, into: list[bytes]) -> None:
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # nobody has the other end any more
            return
        into.append(piece)
