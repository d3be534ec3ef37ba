"""The gzip copy of a cached tar, for hosts behind a slow link."""

import os
import zlib
from pathlib import Path

from gostead.sources.cache import file_sha256
from gostead.sources.canonical import mount_point
from gostead.sources.errors import CacheError
from gostead.sources.locks import hold
from gostead.sources.spool import spool

_PIECE = 1 << 20
_LEVEL = 1
_GZIP = 31


def compressed_copy(tar: Path, sha256: str) -> Path:
    """Path of `<tar>.gz`, made when missing; an existing one is hashed again before reuse."""
    copy = tar.with_suffix(".tar.gz")
    stamp = tar.with_suffix(".tar.gz.sha256")
    cache = tar.parent.parent
    with hold(cache / "locks" / f"{sha256}.gz.lock", lambda: None):
        try:
            if copy.exists() and stamp.read_text().strip() == file_sha256(copy):
                os.utime(copy)
                return copy
        except (OSError, UnicodeDecodeError):
            pass
        try:
            with spool(cache / "tmp") as made, tar.open("rb") as source:
                packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
                while piece := source.read(_PIECE):
                    made.append(packer.compress(piece))
                made.append(packer.flush())
                digest = file_sha256(made.path)
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
