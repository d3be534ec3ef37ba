"""Real Go toolchains, fetched once through the machine's own GOPROXY and kept for all tests."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gostead.declaration.pins import shipped_pins
from gostead.sources import CanonicalTar, Request, SourceError, obtain
from gostead.sources.goproxy import ask_go
from tests.support.cache import built_once, cache_dir
from tests.support.requirements import cannot_run

PLATFORM = "linux-amd64"

#: Directories of a release archive that the toolchain module leaves out.
DROPPED = {f"{top}/dropped.txt": b"not in the module\n" for top in ("api", "doc", "misc", "test")}


@dataclass(frozen=True)
class GoCache:
    """A controller's cache with real toolchains in it: give its `path` to a `Sandbox`."""

    path: Path

    def tar(self, version: str, platform: str = PLATFORM) -> CanonicalTar:
        """Return a toolchain's canonical tar, verified; fetched when it is not there yet."""
        return _obtained(version, platform, self.path)

    def archive(self, version: str) -> Path:
        """Return a release archive as go.dev/dl has it, made from the tar: `go/…`, gzipped.

        Its tree is the released one, its compressed bytes are not: pin its own sha256.
        """
        name = f"go{version}.{PLATFORM}.tar.gz"
        return built_once(name, lambda path: _write_archive(path, self.tar(version)))

    def module(self, version: str) -> Path:
        """Return a toolchain module's zip as a GOPROXY has it."""
        name = f"v0.0.1-go{version}.{PLATFORM}.zip"
        return built_once(name, lambda path: _write_module(path, version, self.tar(version)))


def go_cache() -> GoCache:
    """Return the cache; toolchains come into it as tests ask for them."""
    path = cache_dir() / "gostead"
    path.mkdir(mode=0o700, exist_ok=True)
    return GoCache(path)


def own_goproxy() -> str:
    """The GOPROXY list of this machine, for what tests let a real go fetch."""
    found = os.environ.get("GOPROXY", "").strip() or ask_go(os.environ)
    return found or cannot_run("this machine has no GOPROXY")


@cache
def _obtained(version: str, platform: str, directory: Path) -> CanonicalTar:
    pin = shipped_pins()[version][platform]
    request = Request(version=version, platform=platform, h1=pin.h1, sources=("module", "archive"))
    try:
        return obtain(request, cache=directory)
    except SourceError as error:
        cannot_run(
            f"go{version} ({platform}) is not in the tests' cache and cannot be fetched: {error}"
        )


def _members(tar: CanonicalTar) -> Iterator[tuple[str, int, bytes]]:
    with tarfile.open(tar.path) as opened:
        for member in opened:
            if member.isfile():
                content = opened.extractfile(member)
                assert content is not None
                yield member.name, member.mode, content.read()


def _write_archive(path: Path, tar: CanonicalTar) -> None:
    with tarfile.open(path, "w:gz", compresslevel=6) as made:
        for name, body in DROPPED.items():
            _add(made, name, 0o644, body)
        for name, mode, body in _members(tar):
            _add(made, name, mode | 0o200, body)


def _add(made: tarfile.TarFile, name: str, mode: int, body: bytes) -> None:
    info = tarfile.TarInfo(f"go/{name}")
    info.size, info.mode = len(body), mode
    made.addfile(info, io.BytesIO(body))


def _write_module(path: Path, version: str, tar: CanonicalTar) -> None:
    prefix = f"golang.org/toolchain@v0.0.1-go{version}.{PLATFORM}/"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, _mode, body in _members(tar):
            parts = name.split("/")
            parts[-1] = "_go.mod" if parts[-1] == "go.mod" else parts[-1]
            made.writestr(prefix + "/".join(parts), body)
