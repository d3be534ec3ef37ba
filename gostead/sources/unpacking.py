"""Unpacks a spooled download in a native thread: when it is complete, or while it comes."""

from collections.abc import Callable
from types import TracebackType

from gostead.sources.native import Background
from gostead.sources.packed import PackedFile
from gostead.sources.spool import Spool
from gostead.sources.writer import CanonicalWriter, Written

Unpacker = Callable[[PackedFile, CanonicalWriter], None]


class Unpacking:
    """Unpacks the Spool `packed` into the Spool `tree`; to be used in a `with` block.

    After `follow()` it works along with the download: an error of the unpacker then ends the
    download too, and a transfer that starts anew starts the unpacking anew.
    """

    def __init__(self, packed: Spool, tree: Spool, module: str, unpacker: Unpacker) -> None:
        self._packed = packed
        self._tree = tree
        self._module = module
        self._unpacker = unpacker
        self._running: _Running | None = None

    def follow(self) -> None:
        """Begins while the file is still being written."""
        self._begin(complete=False)
        self._packed.listener = self

    def finish(self) -> Written:
        """What was written, now that the file is complete. Raises Contents or OSError."""
        self._packed.listener = None
        running = self._running or self._begin(complete=True)
        running.file.complete()
        return running.work.wait()

    def grown(self) -> None:
        """The download wrote something."""
        if self._running is not None:
            self._running.file.grown()
            self._running.work.check()

    def restarted(self) -> None:
        """The download begins anew."""
        self._end()
        self._begin(complete=False)

    def _begin(self, *, complete: bool) -> "_Running":
        file = PackedFile(self._packed.fd, complete=complete)
        self._running = _Running(file, Background(lambda: self._write(file), file.stop))
        return self._running

    def _write(self, file: PackedFile) -> Written:
        """Runs in the native thread."""
        writer = CanonicalWriter(self._tree.fd, self._module)
        self._unpacker(file, writer)
        return writer.finish()

    def _end(self) -> None:
        if self._running is not None:
            self._running.work.end()

    def __enter__(self) -> "Unpacking":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._packed.listener = None
        self._end()


class _Running:
    """A file and the thread that reads it."""

    def __init__(self, file: PackedFile, work: Background[Written]) -> None:
        self.file = file
        self.work = work
