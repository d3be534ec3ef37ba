"""How a report begins: which run it is, when, who asked, and from which commit."""

from __future__ import annotations

import getpass
import secrets
import socket
import time
from datetime import UTC, datetime
from pathlib import Path

from gostead.report.model import RunReport


def run_id() -> str:
    """Sortable by time, and nobody else's."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


def who() -> str:
    """Who runs this, and on which controller."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "unknown"
    return f"{name}@{socket.gethostname()}"


def new_report(command: str, run: str, declaration: str) -> RunReport:
    """A report that begins now."""
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return RunReport(command, run, now, commit_of(Path(declaration)), who())


class Clock:
    """Wall seconds since it was made."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def seconds(self) -> float:
        """So many."""
        return time.monotonic() - self._started


def commit_of(directory: Path) -> str | None:
    """The commit that is checked out where `directory` lies; None outside of a repository.

    Read from git's files: on a Mac without the Command Line Tools running git opens a dialog.
    """
    for parent in (directory.absolute(), *directory.absolute().parents):
        git = parent / ".git"
        try:
            if git.is_file():  # a worktree
                git = (parent / git.read_text().partition(":")[2].strip()).resolve()
            head = (git / "HEAD").read_text().strip()
        except OSError:
            continue
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        common = git / "commondir"
        base = (git / common.read_text().strip()).resolve() if common.is_file() else git
        for where in (git, base):
            if (where / name).is_file():
                return (where / name).read_text().strip()
        packed = base / "packed-refs"
        lines = packed.read_text().splitlines() if packed.is_file() else []
        return next((line.split(" ")[0] for line in lines if line.endswith(f" {name}")), None)
    return None
