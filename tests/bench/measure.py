"""Side by side: two commands in turn, so that a machine that slows down slows both."""

from __future__ import annotations

import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """Wall seconds of several runs of one thing."""

    name: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median, in seconds."""
        return statistics.median(self.seconds)

    def line(self) -> str:
        """A table row: name, minimum, median, maximum."""
        low, high = min(self.seconds), max(self.seconds)
        return f"| {self.name} | {low:.3f} | {self.median:.3f} | {high:.3f} |"


def in_turn(
    tasks: Mapping[str, Callable[[], object]],
    runs: int,
    between: Callable[[], object] | None = None,
) -> list[Figure]:
    """Runs the tasks A B A B …, one uncounted round first; `between` is not timed."""
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(runs + 1):
        for name, task in tasks.items():
            if between:
                between()
            started = time.perf_counter()
            task()
            if number:
                seconds[name].append(time.perf_counter() - started)
    return [Figure(name, tuple(values)) for name, values in seconds.items()]


def ratio(first: Figure, second: Figure) -> str:
    """The ratio of two figures, run by run: its median and its range."""
    pairs = [a / b for a, b in zip(first.seconds, second.seconds, strict=True)]
    return f"{statistics.median(pairs):.2f} ({min(pairs):.2f} to {max(pairs):.2f})"


def show(title: str, figures: Sequence[Figure]) -> None:
    """Prints a table."""
    print(f"\n### {title}\n\n| | min s | median s | max s |\n|---|---|---|---|")
    for figure in figures:
        print(figure.line())


def checked(command: Sequence[str], **options: object) -> Callable[[], object]:
    """A task that runs `command` and fails where it fails."""

    def run() -> object:
        done = subprocess.run(command, capture_output=True, text=True, **options)  # type: ignore[call-overload]
        if done.returncode:
            raise SystemExit(f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    return run


def children_cpu() -> float:
    """CPU seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
