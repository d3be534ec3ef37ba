"""A bar for downloads, on a terminal and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from gostead.operations import fetch


@contextmanager
def shown(wanted: bool) -> Iterator[None]:
    """While it lasts, downloads by the controller show how far they are on standard error."""
    if not wanted or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(
        *columns, TransferSpeedColumn(), console=Console(stderr=True), transient=True
    ) as bar:
        tasks: dict[str, int] = {}

        def report(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what.partition(" from ")[0], total=total)
            bar.update(tasks[what], completed=done, total=total)  # type: ignore[arg-type]

        fetch.progress = report
        try:
            yield
        finally:
            fetch.progress = None
