"""From a toolchain module (zip) to the canonical tar."""

import hashlib
import zlib
from collections.abc import Iterator

from gostead.sources.errors import Contents
from gostead.sources.names import sort_key
from gostead.sources.native import Prefetch
from gostead.sources.packed import PackedFile
from gostead.sources.redact import printable
from gostead.sources.writer import MAX_TREE, CanonicalWriter
from gostead.sources.zipindex import STORED, ZipEntry, data_offset, zip_entries

_LANES = 2
_BATCH = 512 << 10
_PIECE = 512 << 10
_AHEAD = 4

File = tuple[str, ZipEntry]
Batch = list[File]
Item = list[tuple[bytes, str]] | bytes
"""What a lane hands over: a batch's (content, digest) pairs, or a piece of one big file."""


def unpack_module(source: PackedFile, writer: CanonicalWriter, module: str) -> None:
    """Feeds the files of the module zip to `writer`, in canonical order.

    Two native threads inflate and hash, this one writes. Raises Contents for names outside
    `<module>/`, for a go.mod (a module has them as _go.mod), for data that is damaged or of
    another size than announced, and for what the directory or the writer refuses.
    """
    files = [(_path(entry.name, module), entry) for entry in zip_entries(source)]
    if sum(entry.size for _, entry in files) > MAX_TREE:
        raise Contents(f"more than {MAX_TREE >> 20} MiB unpacked")
    files.sort(key=lambda file: sort_key(file[0]))
    batches = _batches(files)
    lanes = [Prefetch(_inflate_all(source, batches[i::_LANES]), _AHEAD) for i in range(_LANES)]
    with lanes[0], lanes[1]:
        for number, batch in enumerate(batches):
            lane = lanes[number % _LANES]
            if _is_big(batch):
                path, entry = batch[0]
                writer.add(path, entry.size, _pieces(lane, entry.size))
                continue
            item = next(lane)
            assert isinstance(item, list)  # noqa: S101 - the lane made it of this very batch
            for (path, entry), (data, digest) in zip(batch, item, strict=True):
                writer.add(path, entry.size, (data,), digest)


def _path(name: str, module: str) -> str:
    """The path in the tree of a member of the zip."""
    shown = printable(name, 120)
    path = name.removeprefix(module + "/")
    if path == name:
        raise Contents(f"member {shown!r} is outside {module}/")
    head, slash, last = path.rpartition("/")
    if last == "go.mod":
        raise Contents(f"member {shown!r}: a toolchain module has go.mod files as _go.mod only")
    return f"{head}{slash}go.mod" if last == "_go.mod" else path


def _batches(files: list[File]) -> list[Batch]:
    """Consecutive files in lots worth a switch of threads; a big file is a lot of its own."""
    batches: list[Batch] = []
    room = 0
    for file in files:
        size = file[1].size
        if size > room or not batches or _is_big(batches[-1]):
            batches.append([])
            room = _BATCH
        batches[-1].append(file)
        room -= size + 1024
    return batches


def _is_big(batch: Batch) -> bool:
    return batch[0][1].size > _BATCH


def _inflate_all(source: PackedFile, batches: list[Batch]) -> Iterator[Item]:
    """Runs in a native thread."""
    for batch in batches:
        if _is_big(batch):
            yield from _inflate(source, batch[0][1])
            continue
        whole = []
        for _, entry in batch:
            data = b"".join(_inflate(source, entry))
            whole.append((data, hashlib.sha256(data).hexdigest()))
        yield whole


def _inflate(source: PackedFile, entry: ZipEntry) -> Iterator[bytes]:
    """The content of an entry: exactly as many bytes as it announces, or Contents."""
    shown = printable(entry.name, 120)
    offset = data_offset(source, entry)
    packed, size = entry.packed, entry.size
    unpacker = zlib.decompressobj(-15)
    while size or not (unpacker.eof or entry.method == STORED):
        pending = unpacker.unconsumed_tail
        if not pending and packed:
            pending = source.read(min(packed, _PIECE), offset)
            if not pending:
                break
            offset += len(pending)
            packed -= len(pending)
        if entry.method == STORED:
            piece = pending
        else:
            try:
                piece = unpacker.decompress(pending, min(size, _PIECE) or 1)
            except zlib.error as error:
                raise Contents(f"member {shown!r} is damaged ({error})") from error
            if not pending and not piece and not unpacker.eof:
                break
        if len(piece) > size:
            raise Contents(f"member {shown!r} is bigger than it announces")
        size -= len(piece)
        if piece:
            yield piece
        if unpacker.eof or (entry.method == STORED and not packed):
            break
    if size:
        raise Contents(f"member {shown!r} is smaller than it announces, or cut short")


def _pieces(lane: Iterator[Item], size: int) -> Iterator[bytes]:
    """The pieces of one big file, as they come out of its lane."""
    while size:
        piece = next(lane)
        assert isinstance(piece, bytes)  # noqa: S101 - the lane made it of this very file
        size -= len(piece)
        yield piece
