"""Writes the canonical tar while its files arrive, and computes the h1 and sha256 on the way."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gostead.sources.canonical import BLOCK, END, header, padding, parents
from gostead.sources.dirhash import Hash1
from gostead.sources.errors import Contents
from gostead.sources.names import check_name, mode_of, sort_key

MAX_TREE = 1 << 30
MAX_MEMBERS = 60_000
_FLUSH = 1 << 20
_COPY = 1 << 20
Chunk = bytes | memoryview


@dataclass(frozen=True)
class Written:
    """What was written: see CanonicalTar for the meaning of the numbers."""

    size: int
    entries: int
    tree_bytes: int
    sha256: str
    h1: str
    version: str


class CanonicalWriter:
    """Takes a tree's files in any order and leaves the canonical tar in the file `fd`.

    Files that come in canonical order cost one pass; otherwise the tar is put in order by one more
    copy at the end. Memory stays bounded by a few buffers and a line per file. Raises Contents for
    names, duplicates and sizes that no toolchain has. `fd` is written from its start; the rest
    of it is cut off.
    """

    def __init__(self, fd: int, module: str) -> None:
        self._fd = fd
        self._hash = Hash1(module)
        self._sha = hashlib.sha256()
        self._buffer = bytearray()
        self._offset = 0
        self._files: dict[str, tuple[int, int]] = {}
        self._directories: set[str] = set()
        self._last = ""
        self._ordered = True
        self._tree_bytes = 0
        self.version = ""
        os.lseek(fd, 0, os.SEEK_SET)
        os.ftruncate(fd, 0)

    def add(self, path: str, size: int, chunks: Iterable[Chunk], digest: str | None = None) -> None:
        """One file. `digest` is the hex sha256 of its content where the caller has it already.

        The chunks must add up to `size`.
        """
        start = self._begin(path, size)
        if digest is None:
            sha = hashlib.sha256()
            for chunk in chunks:
                sha.update(chunk)
                self._data(path, chunk)
            digest = sha.hexdigest()
        else:
            for chunk in chunks:
                self._data(path, chunk)
        if self._position() - start != BLOCK + size:
            raise Contents(f"member {path!r} does not have the size that it announces")
        self._put(padding(size))
        self._hash.add(path, digest)
        self._files[path] = (start, self._position() - start)

    def finish(self) -> Written:
        """Completes the tar and says what it holds."""
        self._put(END)
        self._flush()
        if not self._ordered:
            self._put_in_order()
        return Written(
            size=self._offset,
            entries=len(self._files) + len(self._directories),
            tree_bytes=self._tree_bytes,
            sha256=self._sha.hexdigest(),
            h1=self._hash.value(),
            version=self.version,
        )

    def _begin(self, path: str, size: int) -> int:
        """Checks a file, writes what stands before its data, and says where its header is."""
        check_name(path)
        if path in self._files or path in self._directories:
            raise Contents(f"member {path!r} comes twice")
        self._tree_bytes += size
        if self._tree_bytes > MAX_TREE:
            raise Contents(f"more than {MAX_TREE >> 20} MiB unpacked")
        if len(self._files) + len(self._directories) >= MAX_MEMBERS:
            raise Contents(f"more than {MAX_MEMBERS} members")
        key = sort_key(path)
        self._ordered = self._ordered and key > self._last
        self._last = key
        for directory in parents(path):
            if directory in self._directories:
                continue
            if directory in self._files:
                raise Contents(f"{directory!r} is a file and a directory")
            self._directories.add(directory)
            self._put(self._header(directory, 0, 0o755, directory=True))
        start = self._position()
        self._put(self._header(path, size, mode_of(path)))
        return start

    @staticmethod
    def _header(path: str, size: int, mode: int, *, directory: bool = False) -> bytes:
        try:
            return header(path, size, mode, directory=directory)
        except ValueError as error:
            raise Contents(str(error)) from error

    def _data(self, path: str, chunk: Chunk) -> None:
        if path == "VERSION" and len(self.version) < 4096:
            self.version += bytes(chunk[:4096]).decode("utf-8", "replace")
        self._put(chunk)

    def _position(self) -> int:
        return self._offset + len(self._buffer)

    def _put(self, data: Chunk) -> None:
        self._buffer += data
        if len(self._buffer) >= _FLUSH:
            self._flush()

    def _flush(self) -> None:
        self._sha.update(self._buffer)
        view = memoryview(self._buffer)
        while view:
            view = view[os.write(self._fd, view) :]
        view.release()
        self._offset += len(self._buffer)
        self._buffer = bytearray()

    def _put_in_order(self) -> None:
        """Writes the tar again behind itself, in order, and moves it to the front."""
        files = sorted((sort_key(path), path, *where) for path, where in self._files.items())
        arrived = self._offset
        self._sha = hashlib.sha256()
        seen: set[str] = set()
        for _, path, start, length in files:
            for directory in parents(path):
                if directory not in seen:
                    seen.add(directory)
                    self._put(self._header(directory, 0, 0o755, directory=True))
            for chunk in self._read(start, length):
                self._put(chunk)
        self._put(END)
        self._flush()
        length = self._offset - arrived
        target = 0
        for chunk in self._read(arrived, length):
            view = memoryview(chunk)
            while view:
                done = os.pwrite(self._fd, view, target)
                view, target = view[done:], target + done
        os.ftruncate(self._fd, length)
        self._offset = length

    def _read(self, start: int, length: int) -> Iterator[bytes]:
        while length:
            chunk = os.pread(self._fd, min(length, _COPY), start)
            if not chunk:
                raise Contents("the unpacked tree was cut short on disk")
            yield chunk
            start += len(chunk)
            length -= len(chunk)
