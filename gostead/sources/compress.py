"""The gzip copy of a cached tar, for hosts behind a slow link."""

import hashlib
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gostead.sources.cache import file_sha256
from gostead.sources.canonical import mount_point
from gostead.sources.errors import CacheError
from gostead.sources.locks import hold
from gostead.sources.native import Background, Prefetch
from gostead.sources.packed import PackedFile
from gostead.sources.spool import Spool, spool

_LEVEL = 1
_BLOCK = 1 << 20
_LANES = 2
_AHEAD = 3
_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\x04\xff"  # no name, no time: the same bytes each time
_LAST = b"\x03\0"  # an empty final block


def compressed_copy(tar: Path, sha256: str) -> Path:
    """Path of `<tar>.gz`, made when missing; an existing one is hashed again before reuse.

    Raises CacheError when it cannot be written.
    """
    copy = tar.with_suffix(".tar.gz")
    stamp = tar.with_suffix(".tar.gz.sha256")
    cache = tar.parent.parent
    with hold(cache / "locks" / f"{sha256}.gz.lock", lambda: None):
        with suppress(OSError, UnicodeDecodeError):
            if stamp.read_text().strip() == file_sha256(copy):
                os.utime(copy)
                return copy
        try:
            with spool(cache / "tmp") as made:
                digest = _compress(tar, made)
                made.path.rename(copy)
            with spool(cache / "tmp") as made:
                made.append(digest.encode() + b"\n")
                made.path.rename(stamp)
        except OSError as error:
            raise CacheError(
                f"{copy} on the file system {mount_point(cache)} cannot be written: "
                f"{error.strerror or error}; make room or set XDG_CACHE_HOME"
            ) from error
    return copy


def _compress(tar: Path, into: Spool) -> str:
    """Writes one gzip member, and returns the sha256 of it; other greenlets run meanwhile."""
    with tar.open("rb") as source:
        file = PackedFile(source.fileno(), complete=True)
        work = Background(lambda: _write(file, into), file.stop)
        try:
            return work.wait()
        finally:
            work.end()


def _write(file: PackedFile, into: Spool) -> str:
    """Runs in a native thread, with two more that deflate."""
    sha = hashlib.sha256()
    check, size = 0, file.size()

    def put(data: bytes) -> None:
        sha.update(data)
        into.append(data)

    put(_HEADER)
    lanes = [Prefetch(_deflate(file, lane), _AHEAD) for lane in range(_LANES)]
    with lanes[0], lanes[1]:
        for number in range(-(-size // _BLOCK)):
            plain, packed = next(lanes[number % _LANES])
            check = zlib.crc32(plain, check)
            put(packed)
    put(_LAST + struct.pack("<LL", check, size & 0xFFFFFFFF))
    return sha.hexdigest()


def _deflate(file: PackedFile, lane: int) -> Iterator[tuple[bytes, bytes]]:
    """Every second block, and the same deflated on its own and ended at a byte's edge."""
    offset = lane * _BLOCK
    while plain := file.read(_BLOCK, offset):
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15)
        yield plain, packer.compress(plain) + packer.flush(zlib.Z_SYNC_FLUSH)
        offset += _LANES * _BLOCK
