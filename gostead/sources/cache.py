"""The controller's cache of verified canonical tars, addressed by their content.

    toolchains/<sha256>.tar      the tar; .tar.gz and .tar.gz.sha256 beside it on demand
    index/<platform>-<h1>.json   which tar has this h1, and where it came from
    locks/, tmp/                 one builder per toolchain; private files while they are written

Everything is 0700/0600. What is taken from it is hashed again first.
"""

import hashlib
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path

from gostead.sources.canonical import CanonicalTar, mount_point
from gostead.sources.dirhash import parse_h1
from gostead.sources.errors import CacheError
from gostead.sources.locks import hold
from gostead.sources.request import Request
from gostead.sources.spool import Spool, spool, sweep

SPACE_NEEDED = 384 << 20
"""Bytes free before anything is fetched: an archive and its unpacked tar, with room to spare."""

UNUSED_FOR = 30 * 86400.0
"""Seconds after which a tar that nobody asked for is removed."""

_PIECE = 1 << 20
_FORMAT = 1


def default_cache(environ: Mapping[str, str]) -> Path:
    """Where the cache is unless told: the platform's own place below the user's home.

    $XDG_CACHE_HOME/gostead, else ~/.cache/gostead; on macOS ~/Library/Caches/gostead. Root uses
    root's own home even where sudo kept HOME: root never writes below a user's.
    """
    import pwd

    told = environ.get("XDG_CACHE_HOME", "")
    home = Path(environ.get("HOME") or pwd.getpwuid(os.geteuid()).pw_dir)
    if os.geteuid() == 0 and _foreign(home):
        home, told = Path(pwd.getpwuid(0).pw_dir), ""
    if told.startswith("/"):
        return Path(told) / "gostead"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "gostead"
    return home / ".cache" / "gostead"


def _foreign(path: Path) -> bool:
    try:
        return path.stat().st_uid != os.geteuid()
    except OSError:
        return False


class Cache:
    """The cache at `root`, made when missing.

    Raises CacheError when the directory is not the user's own, or others can write to it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.toolchains = root / "toolchains"
        self._index = root / "index"
        self._locks = root / "locks"
        self._tmp = root / "tmp"
        with self.disk_errors():
            for directory in (root, self.toolchains, self._index, self._locks, self._tmp):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                _must_be_private(directory)

    @contextmanager
    def lock(self, request: Request, waiting: Callable[[], None]) -> Iterator[None]:
        """One builder per toolchain, across processes, threads and greenlets."""
        with hold(self._locks / f"{_key(request)}.lock", waiting):
            yield

    @contextmanager
    def spool(self) -> Iterator[Spool]:
        """A private temporary file on the cache's file system."""
        with spool(self._tmp) as made:
            yield made

    @contextmanager
    def disk_errors(self) -> Iterator[None]:
        """Turns an OSError of the disk into a CacheError that names the file system."""
        try:
            yield
        except OSError as error:
            raise CacheError(
                f"the cache {self.root} on the file system {mount_point(self.root)} cannot be "
                f"used: {error.strerror or error}; make room or set XDG_CACHE_HOME"
            ) from error

    def require_space(self, needed: int = SPACE_NEEDED) -> None:
        """Raises CacheError, naming the file system, when `needed` bytes are not free."""
        with self.disk_errors():
            status = os.statvfs(self._tmp)
        free = status.f_bavail * status.f_frsize
        if free < needed:
            raise CacheError(
                f"the file system {mount_point(self.root)} has {free >> 20} MiB free, and "
                f"{needed >> 20} MiB are needed in the cache {self.root}; make room there or "
                "set XDG_CACHE_HOME"
            )

    def find(self, request: Request) -> CanonicalTar | None:
        """The tar for a request if it is there and still has its sha256; a damaged one goes."""
        entry = self._index / f"{_key(request)}.json"
        found = _read_index(entry, self.toolchains)
        if found is None or found.h1 != request.h1:
            return None
        if not _intact(found):
            for path in (entry, found.path, found.path.with_suffix(".tar.gz")):
                with suppress(OSError):
                    path.unlink()
            return None
        with suppress(OSError):
            os.utime(found.path)
            _remember(found)
        return replace(found, origin=f"controller cache ({found.origin})")

    def keep(self, tar: CanonicalTar, spooled: Spool, request: Request) -> CanonicalTar:
        """Takes a verified tar in: the content first, then the index that points to it."""
        path = self.toolchains / f"{tar.sha256}.tar"
        kept = replace(tar, path=path)
        with self.disk_errors():
            os.fchmod(spooled.fd, 0o400)
            spooled.path.rename(path)
            with spool(self._tmp) as index:
                record = {**asdict(kept), "format": _FORMAT, "path": path.name}
                index.append(json.dumps(record, indent=1, sort_keys=True).encode() + b"\n")
                index.path.rename(self._index / f"{_key(request)}.json")
        _remember(kept)
        return kept

    def tidy(self) -> None:
        """Removes what killed runs left, and tars that were not asked for in a long time."""
        with suppress(OSError):
            sweep(self._tmp)
            for path in self.toolchains.iterdir():
                if time.time() - path.lstat().st_mtime > UNUSED_FOR:
                    path.unlink(missing_ok=True)


def _key(request: Request) -> str:
    raw = parse_h1(request.h1)
    return f"{request.platform}-{(raw or b'').hex()}"


def _must_be_private(directory: Path) -> None:
    status = directory.stat()
    if not stat.S_ISDIR(status.st_mode):
        raise CacheError(f"the cache {directory} is no directory; move it away")
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise CacheError(
            f"the cache {directory} belongs to uid {status.st_uid} with mode "
            f"{stat.S_IMODE(status.st_mode):o}: others could change what is in it; it has to be "
            "yours with mode 0700, or set XDG_CACHE_HOME"
        )


def _read_index(path: Path, toolchains: Path) -> CanonicalTar | None:
    """What an index file says; None for one that is missing, damaged or of another format."""
    try:
        record = json.loads(path.read_bytes()[:65536])
        if record.pop("format") != _FORMAT:
            return None
        found = CanonicalTar(**{**record, "path": toolchains / f"{record['sha256']}.tar"})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    texts = (found.sha256, found.h1, found.origin)
    numbers = (found.size, found.entries, found.tree_bytes)
    sound = all(isinstance(t, str) for t in texts) and all(isinstance(n, int) for n in numbers)
    return found if sound and "/" not in found.sha256 else None


_verified: dict[Path, tuple[int, ...]] = {}
"""Tars that this process has hashed, and what stat said then: fifty hosts cost one hashing."""


def _stamp(path: Path) -> tuple[int, ...]:
    status = path.lstat()
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _remember(tar: CanonicalTar) -> None:
    with suppress(OSError):
        _verified[tar.path] = _stamp(tar.path)


def _intact(tar: CanonicalTar) -> bool:
    """Whether the file still is what its name says; read whole, unless just done and untouched."""
    try:
        if tar.path.lstat().st_size != tar.size:
            return False
        if _verified.get(tar.path) == _stamp(tar.path):
            return True
        return file_sha256(tar.path) == tar.sha256
    except OSError:
        return False


def file_sha256(path: Path) -> str:
    """Hex sha256 of a regular file, never following a link."""
    sha = hashlib.sha256()
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        buffer = memoryview(bytearray(_PIECE))
        while got := os.readv(fd, [buffer]):
            sha.update(buffer[:got])
    finally:
        os.close(fd)
    return sha.hexdigest()
