"""Which host this is: operating system, platform, who we are there, and where gostead lives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gostead.armour import CannotRead
from gostead.facts.entries import text

PLATFORMS = ("linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64")


@dataclass(frozen=True)
class System:
    """`platform` is Go's name for it (linux-amd64) or, where Go has no pins with us, what `uname`
    says; `scope` is resolved; `root` and `bin` follow from it. `home` is empty in system scope."""

    name: Literal["linux", "darwin"]
    platform: str
    version: tuple[int, ...]
    uid: int
    user: str
    sudo_user: str
    home: str
    scope: Literal["system", "user"]
    root: str
    bin: str
    fetcher: str

    @property
    def state(self) -> str:
        """The directory of registry, stamps, hold and staging."""
        return f"{self.root}/state"

    @property
    def supported(self) -> bool:
        """Whether Go is released, and pinned by us, for this platform."""
        return self.platform in PLATFORMS


def parse_system(fields: tuple[bytes, ...]) -> System:
    """The `system` record. Raises CannotRead for a system that is neither Linux nor macOS."""
    name, platform, version, uid, user, sudo_user, home, scope, root, bin_, fetcher = map(
        text, fields
    )
    if name not in ("Linux", "Darwin"):
        raise CannotRead(f"this host runs {name!r}: gostead knows Linux and macOS (Darwin)")
    if scope not in ("system", "user"):
        raise CannotRead(f"unknown scope {scope!r}")
    if not root.startswith("/") or not bin_.startswith("/"):
        raise CannotRead(f"the user database names no home for {user!r}: {home!r}")
    return System(
        name="linux" if name == "Linux" else "darwin",
        platform=platform,
        version=tuple(int(part) for part in version.split(".") if part.isdigit()),
        uid=int(uid),
        user=user,
        sudo_user=sudo_user,
        home=home,
        scope="system" if scope == "system" else "user",
        root=root,
        bin=bin_,
        fetcher=fetcher,
    )
