"""Where tests begin: a root that gostead converged once, under each of them as a read-only layer.

What a first run does is shown by the tests of first runs. Others need only what it leaves behind,
which is the same each time: the site stands at the same path in all tests of a worker.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.cache import cache_dir, file_system_of, remove
from tests.support.sandbox import Sandbox

Begin = Callable[..., Sandbox]


def layers_last() -> bool:
    """Say whether what a root wrote is there after its end: not where an overlay holds the cache,
    on which no other can be; there it is in memory that only the root sees."""
    return file_system_of(cache_dir()) != "overlay"


class Starts:
    """What was done in a root once, by name. A context manager: its roots end with it."""

    def __init__(self) -> None:
        self._roots = ExitStack()
        self._done: dict[str, tuple[Path, Path | None]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._roots.close()

    def begin(
        self, name: str, do: Callable[[Sandbox], None], make: Begin, *,
        beside: Path | None = None, **options: Any,
    ) -> Sandbox:  # fmt: skip
        """A root of `make`, with its `options`, in which `do` was done, by this call or by an
        earlier one of that name. What is mounted or runs there is the root's own: /run is empty.

        `beside`: a directory of the machine's that is then as `do` left it, too.
        """
        if not layers_last():
            sandbox = make(**options)
            do(sandbox)
            return sandbox
        if name not in self._done:
            first = self._roots.enter_context(Sandbox(**options))
            do(first)
            first.stop()
            kept = _copy(beside, first.base / "beside") if beside else None
            self._done[name] = (first.upper, kept)
        upper, kept = self._done[name]
        if beside is not None and kept is not None:
            remove(beside)
            _copy(kept, beside)
        return make(layers=[upper], **options)


def _copy(source: Path, target: Path) -> Path:
    subprocess.run(["cp", "-a", "--", source, target], check=True)
    return target
