"""What is wanted: one toolchain for one platform, and where it may be had."""

import re
from dataclasses import dataclass, field
from typing import Literal

from gostead.sources.dirhash import parse_h1
from gostead.sources.errors import SourceError

DEFAULT_ARCHIVE_URL = "https://go.dev/dl"

_VERSION = re.compile(r"[1-9]\d{0,3}(\.\d{1,4}){1,2}((rc|beta)\d{1,3})?", re.ASCII)
_PLATFORM = re.compile(r"[a-z0-9]{2,16}-[a-z0-9]{2,16}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True)
class Request:
    """One toolchain: `version` "1.27.3", `platform` "linux-amd64", its `h1` pin, and where from.

    `sha256` pins the archive (64 hex digits). `goproxy` is what was declared; None means the
    controller's own setting. `proxy`, `ca_bundle`, `auth` are the declared network settings; what
    may hold a secret never shows in repr. Raises SourceError on a value that is no such thing.
    """

    version: str
    platform: str
    h1: str
    sha256: str | None = None
    sources: tuple[Literal["archive", "module"], ...] = ("archive", "module")
    archive_url: str = field(default=DEFAULT_ARCHIVE_URL, repr=False)
    goproxy: str | None = field(default=None, repr=False)
    proxy: str | None = field(default=None, repr=False)
    ca_bundle: str | None = None
    auth: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Versions and platforms become parts of URLs and file names: only their own grammar."""
        for value, grammar, what in (
            (self.version, _VERSION, "a Go version such as 1.27.3"),
            (self.platform, _PLATFORM, "a platform such as linux-amd64"),
            (self.sha256 or "0" * 64, _SHA256, "a sha256 of 64 lower-case hex digits"),
        ):
            if not grammar.fullmatch(value):
                raise SourceError(f"{value!r} is not {what}; correct the declaration")
        if parse_h1(self.h1) is None:
            raise SourceError(
                f"{self.h1!r} is not a pin like h1:<base64 of 32 bytes>; correct toolchains.pins"
            )

    @property
    def module(self) -> str:
        """Module path and version as they stand in the checksum database."""
        return f"golang.org/toolchain@{self.module_version}"

    @property
    def module_version(self) -> str:
        """Version of the toolchain module."""
        return f"v0.0.1-go{self.version}.{self.platform}"

    @property
    def what(self) -> str:
        """For messages: which toolchain this is about."""
        return f"Go {self.version} for {self.platform}"


def archive_url_for(request: Request) -> str:
    """URL of the release archive under the declared base; userinfo in it is kept."""
    return f"{request.archive_url.rstrip('/')}/go{request.version}.{request.platform}.tar.gz"


def module_url(base: str, request: Request) -> str:
    """URL of the toolchain module's zip at the GOPROXY `base`."""
    return f"{base.rstrip('/')}/golang.org/toolchain/@v/{request.module_version}.zip"
