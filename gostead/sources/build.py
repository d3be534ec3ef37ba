"""Fetches, checks and unpacks one toolchain from one place."""

from collections.abc import Callable

from gostead.sources.archive import unpack_archive
from gostead.sources.cache import Cache
from gostead.sources.canonical import CanonicalTar
from gostead.sources.errors import Contents, Refused
from gostead.sources.limits import Limits
from gostead.sources.module import unpack_module
from gostead.sources.redact import printable, redact_url
from gostead.sources.request import Request
from gostead.sources.spool import Fetched, Spool
from gostead.sources.unpacking import Unpacker, Unpacking
from gostead.sources.writer import Written

_GZIP_MAGIC = b"\x1f\x8b"
_ZIP_MAGIC = b"PK"


def _nothing(_: Fetched) -> None:
    """The check of a download that has no pin of its own."""


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
        """From a release archive.

        With a sha256 pin nothing is unpacked before it matches; without one the archive is
        unpacked while it comes, and the h1 of the tree decides.
        """
        pin = self._request.sha256

        def check(fetched: Fetched) -> None:
            if pin is not None and fetched.sha256 != pin:
                raise Refused(
                    f"{redact_url(url)}: its sha256 is {fetched.sha256}, the pin says {pin}: "
                    "not the archive that was released"
                )

        origin = f"archive {redact_url(url)}"
        return self._make(
            url, _GZIP_MAGIC, authorization, origin, unpack_archive, check, follow=pin is None
        )

    def from_module(self, url: str, base: str, authorization: str | None) -> CanonicalTar:
        """From the toolchain module's zip at the GOPROXY `base`."""
        module = self._request.module
        return self._make(
            url,
            _ZIP_MAGIC,
            authorization,
            f"toolchain module from a GOPROXY ({redact_url(base)})",
            lambda packed, writer: unpack_module(packed, writer, module),
            _nothing,
            follow=False,  # a zip's directory comes last
        )

    def _make(
        self,
        url: str,
        magic: bytes,
        authorization: str | None,
        origin: str,
        unpacker: Unpacker,
        check: Callable[[Fetched], None],
        *,
        follow: bool,
    ) -> CanonicalTar:
        """The common way: fetch, check, unpack, verify, keep."""
        store, module = self._store, self._request.module
        with (
            store.disk_errors(),
            store.spool() as packed,
            store.spool() as tree,
            Unpacking(packed, tree, module, unpacker) as unpacking,
        ):
            if follow:
                unpacking.follow()
            try:
                check(self._fetch(url, packed, magic, authorization))
                self._report(f"unpacking and verifying {self._request.what}", 0, None)
                written = unpacking.finish()
                self._verify(written)
            except Contents as error:
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
            return store.keep(tar, tree, self._request)

    def _fetch(self, url: str, into: Spool, magic: bytes, authorization: str | None) -> Fetched:
        what = f"fetching {self._request.what} from {redact_url(url)}"

        def progress(done: int, total: int | None) -> None:
            self._report(what, done, total)

        # Here, not above: a mirror on the disk needs no HTTP client, whose import costs 80 ms.
        if url.startswith("file:"):
            from gostead.sources.localfile import copy_file

            return copy_file(url, into, self._limits, magic=magic, progress=progress)
        from gostead.sources.client import Client
        from gostead.sources.download import Download

        client = Client(self._request.proxy, self._request.ca_bundle, self._limits)
        return Download(
            client,
            self._limits,
            url,
            into,
            magic=magic,
            authorization=authorization,
            progress=progress,
        ).run()

    def _verify(self, written: Written) -> None:
        """The version first: it says best what went wrong when somebody mixed files up."""
        expected = f"go{self._request.version}"
        inside = (written.version.splitlines() or ["no VERSION file"])[0]
        if inside != expected:
            raise Contents(f"holds {printable(inside, 60)!r} instead of {expected!r}")
        if written.h1 != self._request.h1:
            raise Contents(
                f"its tree has {written.h1}, the pin says {self._request.h1}: not the toolchain "
                "that Go's checksum database knows, or a wrong pin"
            )
