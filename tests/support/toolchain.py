"""A small made-up toolchain in every form that a source can have."""

from __future__ import annotations

import base64
import hashlib
import io
import random
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gostead.sources import Request

Extra = tuple[tarfile.TarInfo, bytes]


def _files(version: str) -> dict[str, bytes]:
    noise = random.Random(version)  # noqa: S311 - the same content in each run
    return {
        "VERSION": f"go{version}\ntime 2026-01-01T00:00:00Z\n".encode(),
        "LICENSE": b"do what you like\n",
        "bin/go": noise.randbytes(700_000) + bytes(700_000),
        "bin/gofmt": noise.randbytes(5_000),
        "go.env": b"GOTOOLCHAIN=auto\n",
        "lib/wasm/go_js_wasm_exec": b"#!/bin/sh\n",
        "lib/wasm/wasm_exec.js": b"// js\n",
        "pkg/tool/linux_amd64/compile": noise.randbytes(600_000),
        "src/empty.go": b"",
        "src/fmt/print.go": b"package fmt\n" * 40,
        "src/fmt.go": b"package main\n",
        "src/go.mod": b"module std\n",
        "src/cmd/go.mod": b"module cmd\n",
        "src/"
        + "deep/" * 20
        + "a_file_whose_whole_name_is_longer_than_100_bytes.go": b"package x\n",
    }


@dataclass
class Toolchain:
    """Files by their path in the tree; change them at will before asking for a form."""

    version: str = "1.27.3"
    platform: str = "linux-amd64"
    files: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.files:
            self.files = _files(self.version)

    @property
    def module(self) -> str:
        """Module path and version."""
        return f"golang.org/toolchain@v0.0.1-go{self.version}.{self.platform}"

    @property
    def archive_path(self) -> str:
        """Where a mirror has the archive."""
        return f"/go{self.version}.{self.platform}.tar.gz"

    @property
    def module_path(self) -> str:
        """Where a GOPROXY has the zip."""
        return f"/golang.org/toolchain/@v/v0.0.1-go{self.version}.{self.platform}.zip"

    def module_name(self, path: str) -> str:
        """The name of a file in the module."""
        parts = path.split("/")
        parts[-1] = "_go.mod" if parts[-1] == "go.mod" else parts[-1]
        return f"{self.module}/{'/'.join(parts)}"

    @property
    def h1(self) -> str:
        """The pin, written out here once more so that the code under test does not check itself."""
        lines = sorted(
            (self.module_name(path), hashlib.sha256(body).hexdigest())
            for path, body in self.files.items()
        )
        text = "".join(f"{digest}  {name}\n" for name, digest in lines)
        return "h1:" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    def zip(self, extra: Iterable[tuple[str | zipfile.ZipInfo, bytes]] = ()) -> bytes:
        """The module's zip."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
            for path, body in self.files.items():
                made.writestr(self.module_name(path), body)
            for name, body in extra:
                made.writestr(name, body)
        return out.getvalue()

    def archive(self, extra: Iterable[Extra] = (), **options: Any) -> bytes:
        """The release archive, with the directories that the module leaves out."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz", **options) as made:
            made.addfile(directory("go"))
            dropped = {f"{top}/x.txt": b"x" for top in ("api", "doc", "misc", "test")}
            for path, body in {**self.files, **dropped, "test/go.mod": b"module t\n"}.items():
                made.addfile(file(f"go/{path}", len(body)), io.BytesIO(body))
            for info, body in extra:
                made.addfile(info, io.BytesIO(body) if body else None)
        return out.getvalue()

    def request(self, **given: Any) -> Request:
        """A request for it; keywords override."""
        known = {"version": self.version, "platform": self.platform, "h1": self.h1}
        return Request(**{**known, **given})


def file(name: str, size: int, mode: int = 0o644) -> tarfile.TarInfo:
    """A regular member."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, mode
    return info


def directory(name: str) -> tarfile.TarInfo:
    """A directory member."""
    return special(name, tarfile.DIRTYPE, mode=0o755)


def special(name: str, kind: bytes, target: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    """A member of another type."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, target, mode
    return info
