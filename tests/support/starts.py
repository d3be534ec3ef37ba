"""Where tests begin: a root that gostead converged once, under each of them as a read-only layer.

What a first run does is shown by the tests of first runs. Others need only what it leaves behind,
which is the same each time: the site stands at the same path in all tests of a worker.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.cache import cache_dir, file_system_of, remove
from tests.support.sandbox import Sandbox


def layers_last() -> bool:
    """Say whether what a root wrote is there after its end: not where an overlay holds the cache,
    on which no other can be; there it is in memory that only the root sees."""
    return file_system_of(cache_dir()) != "overlay"


@dataclass
class Starts:
    """What was done in a root once, by name; `roots` ends the roots that it was done in."""

    roots: ExitStack
    done: dict[str, tuple[Path, Path | None]] = field(default_factory=dict)

    def begin(
        self, name: str, do: Callable[[Sandbox], None], make: Callable[..., Sandbox], *,
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
        if name not in self.done:
            first = self.roots.enter_context(Sandbox(**options))
            do(first)
            first.stop()
            kept = _copy(beside, first.base / "beside") if beside else None
            self.done[name] = (first.upper, kept)
        upper, kept = self.done[name]
        if beside is not None and kept is not None:
            remove(beside)
            _copy(kept, beside)
        return make(layers=[upper], **options)


def _copy(source: Path, target: Path) -> Path:
    subprocess.run(["cp", "-a", "--", source, target], check=True)
    return target
