"""Streams a gzip file unpacked, in bounded memory."""

import zlib
from collections.abc import Iterator

from gostead.sources.errors import Contents
from gostead.sources.packed import PackedFile

MAX_UNPACKED = 1536 << 20
"""Bytes of tar behind one archive: a tree of at most 1 GiB and what is dropped from it."""

_READ = 256 << 10
_PIECE = 1 << 20
_GZIP = 31


def gunzip(packed: PackedFile) -> Iterator[bytes]:
    """The unpacked bytes of a gzip file, read from its start, in pieces of at most 1 MiB.

    Several gzip members in a row are one stream, as for gzip(1). Raises Contents for what is not
    gzip, ends early, has trailing garbage, or unpacks to more than MAX_UNPACKED bytes.
    """
    offset = 0
    total = 0
    unpacker = zlib.decompressobj(_GZIP)
    pending = b""
    while True:
        if not pending:
            pending = packed.read(_READ, offset)
            offset += len(pending)
        if unpacker.eof:
            pending = pending.lstrip(b"\0") if not pending.startswith(b"\x1f") else pending
            if not pending:
                if not packed.read(1, offset):
                    return
                continue
            unpacker = zlib.decompressobj(_GZIP)
        elif not pending:
            raise Contents("the gzip data ends early: truncated")
        try:
            piece = unpacker.decompress(pending, _PIECE)
        except zlib.error as error:
            raise Contents(f"not valid gzip data ({error})") from error
        pending = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
        total += len(piece)
        if total > MAX_UNPACKED:
            raise Contents(f"unpacks to more than {MAX_UNPACKED >> 20} MiB")
        if piece:
            yield piece
