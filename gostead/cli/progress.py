"""How far things are, on standard error: a bar for each download of the controller's, on a terminal
and nowhere else; and what hosts say while they work, a line for each on a terminal, else line by
line."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gostead.operations import execute, fetch

#: Without a terminal, a host's percentages are told so many seconds apart.
SELDOM = 30.0


@contextmanager
def shown(bars: bool) -> Iterator[None]:
    """While it lasts, hosts and downloads show how far they are; `bars`: not line by line, where
    standard error is a terminal."""
    if bars and sys.stderr.isatty():
        with _moving() as (downloads, hosts):
            fetch.progress, execute.progress = downloads, hosts
            try:
                yield
            finally:
                fetch.progress = execute.progress = None
        return
    execute.progress = _plain()
    try:
        yield
    finally:
        execute.progress = None


def _plain() -> Callable[[str, str, str], None]:
    latest: dict[tuple[str, str], float] = {}

    def report(host: str, item: str, line: str) -> None:
        if "%" in line:
            now = time.monotonic()
            if now - latest.get((host, item), -SELDOM) < SELDOM:
                return
            latest[host, item] = now
        if line:
            print(f"{host}: {item}: {line}", file=sys.stderr, flush=True)

    return report


@contextmanager
def _moving() -> Iterator[
    tuple[Callable[[str, int, int | None], None], Callable[[str, str, str], None]]
]:
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        SpinnerColumn,
        TaskID,
        TextColumn,
        TransferSpeedColumn,
    )

    # What is shown comes from elsewhere: it is no markup.
    text = TextColumn("{task.description}", markup=False)
    bar = Progress(text, BarColumn(), DownloadColumn(), TransferSpeedColumn())
    lines = Progress(SpinnerColumn(), text)
    tasks: dict[str, TaskID] = {}
    told: dict[tuple[str, str], TaskID] = {}

    def downloads(what: str, done: int, total: int | None) -> None:
        if what not in tasks:
            tasks[what] = bar.add_task(what.partition(" from ")[0], total=total)
        bar.update(tasks[what], completed=done, total=total)

    def hosts(host: str, item: str, line: str) -> None:
        known = told.get((host, item))
        if line and known is None:
            told[host, item] = lines.add_task(f"{host}: {item}: {line}", total=None)
        elif line and known is not None:
            lines.update(known, description=f"{host}: {item}: {line}")
        elif known is not None:
            lines.remove_task(told.pop((host, item)))

    with Live(Group(bar, lines), console=Console(stderr=True), transient=True):
        yield downloads, hosts
