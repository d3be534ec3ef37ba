"""The caches of the declared users below directories of our own, and what they stand on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gostead.facts.entries import Entry, text


@dataclass(frozen=True)
class Volume:
    """What a directory stands on: KiB and inodes free (None: not told), the filesystem's type and
    mount options (empty where the system does not say)."""

    free_kib: int | None = None
    free_inodes: int | None = None
    type: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class CachesState:
    """`entries` by path; `foreign`, for each cache that is there, something in it that is not its
    user's (empty: nothing was found); `volumes` by declared directory; `sizes`, by cache, bytes in
    all and bytes that may go; `init` what could run a timer: systemd or none; `loaded` the labels
    of our jobs that a Mac's launchd has for the whole machine."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    foreign: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    init: str = "none"
    loaded: frozenset[str] = frozenset()

    def entry(self, path: str) -> Entry:
        """What stands at `path`; absent where the probe did not see it."""
        return self.entries.get(path) or Entry(path)


def parse_volume(fields: tuple[bytes, ...]) -> tuple[str, Volume]:
    """A `volume` record. Raises ValueError where it is not of the probe's form."""
    path, space, inodes, volume = map(text, fields)
    kind, _, options = volume.partition(" ")
    return path, Volume(
        int(space) if space else None, int(inodes) if inodes else None, kind,
        tuple(options.split(",")) if options else (),
    )  # fmt: skip


def parse_size(fields: tuple[bytes, ...]) -> tuple[str, tuple[int, int]]:
    """A `size` record. Raises ValueError where it is not of the probe's form."""
    path, sizes = map(text, fields)
    words = sizes.split()
    return path, (int(words[0]), int(words[1])) if len(words) == 2 else (0, 0)
