"""A mirror of Go releases: `dl/` as go.dev/dl has it, `proxy/` as a GOPROXY; as files or by HTTP.

Serving is done by a process of its own, so that it costs the test no time that it measures; it may
stand on this machine's loopback, in a test network, or on the loopback of a sandbox.
"""

from __future__ import annotations

import hashlib
import os
import re
import select
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.go_cache import PLATFORM, GoCache
from tests.support.netns import Network
from tests.support.processes import kill
from tests.support.root import Mount, Root
from tests.support.runs import new_run_dir, release_run_dir
from tests.support.toolchain import Toolchain

#: Where a sandbox has the mirror's files, see `Mirror.mount`.
MOUNTED = "/srv/mirror"


class Mirror:
    """Releases as files. A context manager; what is published goes when it is closed."""

    def __init__(self) -> None:
        self.directory = new_run_dir("mirror")
        self.directory.chmod(0o755)
        for path in (self.dl, self.versions):
            path.mkdir(parents=True)
        self._pins: dict[str, dict[str, dict[str, str]]] = {}
        self._servers: list[Served] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for server in self._servers:
            server.close()
        release_run_dir(self.directory)

    @property
    def dl(self) -> Path:
        """The directory of archives."""
        return self.directory / "dl"

    @property
    def versions(self) -> Path:
        """The directory of the toolchain module's versions."""
        return self.directory / "proxy/golang.org/toolchain/@v"

    @property
    def mount(self) -> Mount:
        """For a sandbox's `mounts`: the mirror's files at /srv/mirror."""
        return Mount(self.directory, MOUNTED)

    def publish(self, *toolchains: Toolchain) -> Self:
        """Put made-up releases into the mirror, archive and module, pinned."""
        for made in toolchains:
            archive = made.archive()
            (self.dl / made.archive_path.lstrip("/")).write_bytes(archive)
            (self.versions / Path(made.module_path).name).write_bytes(made.zip())
            self._pin(made.version, made.platform, made.h1, hashlib.sha256(archive).hexdigest())
        return self

    def publish_real(self, cache: GoCache, *versions: str, module: bool = False) -> Self:
        """Put real releases into the mirror: the archive, and with `module` the zip too."""
        for version in versions:
            archive = cache.archive(version)
            os.link(archive, self.dl / archive.name)
            if module:
                zipped = cache.module(version)
                os.link(zipped, self.versions / zipped.name)
            with archive.open("rb") as opened:
                sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
            self._pin(version, PLATFORM, cache.tar(version).h1, sha256)
        return self

    def toolchains(self, base: str = f"file://{MOUNTED}", **more: Any) -> dict[str, Any]:
        """Return the keys of `toolchains:` that lead to this mirror at `base`, pins included."""
        leads = {"archive_url": f"{base}/dl", "goproxy": f"{base}/proxy", "pins": self.pins}
        return {**leads, **more}

    @property
    def pins(self) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
        """Pins of all that is published, as `toolchains.pins` takes them."""
        return self._pins

    def serve(self, place: Network | Root | None = None) -> Served:
        """Serve it by HTTP: on this machine's loopback, in a `Network`, or inside a `Root`."""
        served = Served(self.directory, place)
        self._servers.append(served)
        return served

    def _pin(self, version: str, platform: str, h1: str, sha256: str) -> None:
        self._pins.setdefault(version, {})[platform] = {"h1": h1, "sha256": sha256}


class Served:
    """An HTTP server over a mirror's files: `url`, and what was asked of it."""

    def __init__(self, directory: Path, place: Network | Root | None) -> None:
        """Start serving; ready when this returns."""
        address = place.address if isinstance(place, Network) else "127.0.0.1"
        inside = ["nsenter", f"--net=/proc/{place.pid}/ns/net"] if isinstance(place, Root) else []
        # Ends with the test run, also when that is killed. Linux only; elsewhere with `close`.
        bound = ["setpriv", "--pdeathsig", "KILL"] if sys.platform == "linux" else []
        command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", address]
        handle, name = tempfile.mkstemp(prefix="requests-", suffix=".log", dir=directory)
        self._log = Path(name)
        with os.fdopen(handle, "wb") as log:
            self._process = subprocess.Popen(
                [*inside, *bound, *command, "--directory", str(directory)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], 10)
        said = self._process.stdout.readline().decode() if ready else ""
        port = re.search(r" port (\d+) ", said)
        if port is None:
            self.close()
            raise RuntimeError(f"the mirror did not start: {self._log.read_text()}")
        self.url = f"http://{address}:{port[1]}"

    @property
    def requests(self) -> list[str]:
        """What was asked for so far: `GET /dl/go1.27.3.linux-amd64.tar.gz`."""
        return re.findall(r'"([A-Z]+ \S+) HTTP/[\d.]+"', self._log.read_text())

    def close(self) -> None:
        """Stop serving."""
        kill(self._process.pid)
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
