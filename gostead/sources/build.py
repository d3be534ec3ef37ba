"""Fetches, checks and unpacks one toolchain from one place."""

from collections.abc import Callable

from gostead.sources.archive import unpack_archive
from gostead.sources.cache import Cache
from gostead.sources.canonical import CanonicalTar
from gostead.sources.errors import Refused
from gostead.sources.limits import Limits
from gostead.sources.module import unpack_module
from gostead.sources.redact import printable, redact_url
from gostead.sources.request import Request
from gostead.sources.spool import Fetched, Spool
from gostead.sources.writer import CanonicalWriter, Written

_GZIP_MAGIC = b"\x1f\x8b"
_ZIP_MAGIC = b"PK"


class Build:
    """Makes the canonical tar for one request; each method tries one URL.

    They raise SourceError of the kind that says what is wrong, CacheError when it is this
    machine's disk. Whatever was not verified is gone afterwards.
    """

    def __init__(
        self,
        request: Request,
        store: Cache,
        limits: Limits,
        report: Callable[[str, int, int | None], None],
    ) -> None:
        self._request = request
        self._store = store
        self._limits = limits
        self._report = report

    def from_archive(self, url: str, authorization: str | None) -> CanonicalTar:
        """From a release archive. With a sha256 pin nothing is unpacked before it matches."""
        with self._store.disk_errors(), self._store.spool() as packed:
            fetched = self._fetch(url, packed, _GZIP_MAGIC, authorization)
            pin = self._request.sha256
            if pin is not None and fetched.sha256 != pin:
                raise Refused(
                    f"{redact_url(url)}: its sha256 is {fetched.sha256}, the pin says {pin}: "
                    "not the archive that was released"
                )
            return self._unpack(url, packed, f"archive {redact_url(url)}", unpack_archive)

    def from_module(self, url: str, base: str, authorization: str | None) -> CanonicalTar:
        """From the toolchain module's zip at the GOPROXY `base`."""
        module = self._request.module
        with self._store.disk_errors(), self._store.spool() as packed:
            self._fetch(url, packed, _ZIP_MAGIC, authorization)
            return self._unpack(
                url,
                packed,
                f"toolchain module from a GOPROXY ({redact_url(base)})",
                lambda fd, writer: unpack_module(fd, writer, module),
            )

    def _fetch(self, url: str, into: Spool, magic: bytes, authorization: str | None) -> Fetched:
        what = f"fetching {self._request.what} from {redact_url(url)}"

        def progress(done: int, total: int | None) -> None:
            self._report(what, done, total)

        if url.startswith("file:"):
            from gostead.sources.localfile import copy_file

            return copy_file(url, into, self._limits, magic=magic, progress=progress)
        from gostead.sources.client import Client
        from gostead.sources.download import Download

        client = Client(self._request.proxy, self._request.ca_bundle, self._limits)
        download = Download(
            client,
            self._limits,
            url,
            into,
            magic=magic,
            authorization=authorization,
            progress=progress,
        )
        return download.run()

    def _unpack(
        self,
        url: str,
        packed: Spool,
        origin: str,
        unpack: Callable[[int, CanonicalWriter], None],
    ) -> CanonicalTar:
        self._report(f"unpacking and verifying {self._request.what}", 0, None)
        with self._store.spool() as tree:
            writer = CanonicalWriter(tree.fd, self._request.module)
            try:
                unpack(packed.fd, writer)
                written = writer.finish()
                self._verify(written)
            except Refused as error:
                raise Refused(f"{redact_url(url)}: {error}") from error
            tar = CanonicalTar(
                path=tree.path,
                size=written.size,
                entries=written.entries,
                tree_bytes=written.tree_bytes,
                sha256=written.sha256,
                h1=written.h1,
                origin=origin,
            )
            return self._store.keep(tar, tree, self._request)

    def _verify(self, written: Written) -> None:
        """The version first: it says best what went wrong when somebody mixed files up."""
        expected = f"go{self._request.version}"
        inside = (written.version.splitlines() or ["no VERSION file"])[0]
        if inside != expected:
            raise Refused(f"holds {printable(inside, 60)!r} instead of {expected!r}")
        if written.h1 != self._request.h1:
            raise Refused(
                f"its tree has {written.h1}, the pin says {self._request.h1}: not the toolchain "
                "that Go's checksum database knows, or a wrong pin"
            )
