"""The Go toolchains on a host: trees, profiles, the active one, the registry and the hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gostead.facts.entries import Entry, text

FORMAT = 1


@dataclass(frozen=True)
class Tree:
    """A directory below toolchains/. `stamped`: as when it was last verified (count and ctimes of
    its entries); otherwise it was hashed now, and `hash` is the hexadecimal h1 of what is there.
    `oddities` are modes, owners, links and empty directories; `differences` name changed files."""

    name: str
    status: Literal["stamped", "hashed"]
    stamp: str
    summary: str
    hash: str = ""
    oddities: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()

    @property
    def stamped_hash(self) -> str:
        """The hexadecimal h1 that the stamp vouches for; empty without a stamp of our format."""
        words = self.stamp.split("\n", 1)[0].split(" ")
        return words[4] if len(words) == 5 and words[0] == "1" else ""

    @property
    def origin(self) -> str:
        """Where the tree came from, as the stamp remembers it."""
        return self.stamp.partition("\n")[2].strip()


@dataclass(frozen=True)
class Hold:
    """Keeps the active version: which, who set it, why, until when (ISO time, or empty)."""

    version: str
    who: str
    why: str
    until: str


@dataclass(frozen=True)
class Registered:
    """A line of the registry: what we made. `detail` is what a replaced link led to."""

    kind: str
    path: str
    detail: str = ""


@dataclass(frozen=True)
class ToolchainsState:
    """All of the subject. Paths that the probe did not meet are absent from `entries`."""

    root: Entry
    entries: Mapping[str, Entry] = field(default_factory=dict)
    trees: Mapping[str, Tree] = field(default_factory=dict)
    format: int | None = None
    registry: frozenset[Registered] = frozenset()
    hold: Hold | None = None
    staging: tuple[str, ...] = ()
    lock: str = ""
    free_kib: int | None = None
    free_inodes: int | None = None
    filesystem: str = ""

    def entry(self, path: str) -> Entry:
        """What stands at `path`; absent where the probe did not see it."""
        return self.entries.get(path) or Entry(path)

    def active(self) -> str:
        """The name of the active profile (`go1.27.3`), or empty."""
        return _profile(self.entry(f"{self.root.path}/current"))

    def previous(self) -> str:
        """The name of the profile that `rollback` goes back to, or empty."""
        return _profile(self.entry(f"{self.root.path}/previous"))

    def children(self, directory: str) -> tuple[str, ...]:
        """The names that the probe saw right below `directory`."""
        prefix = f"{self.root.path}/{directory}/"
        return tuple(
            sorted(
                path[len(prefix) :]
                for path, entry in self.entries.items()
                if path.startswith(prefix)
                and "/" not in path[len(prefix) :]
                and entry.kind != "absent"
            )
        )


def _profile(entry: Entry) -> str:
    directory, _, name = entry.target.rpartition("/")
    return name if entry.kind == "link" and directory == "profiles" else ""


def parse_tree(fields: tuple[bytes, ...]) -> Tree:
    """A `tree` record. Raises ValueError where it is not of the probe's form."""
    name, status, stamp, summary, hash_, oddities, differences = map(text, fields)
    return Tree(
        name=name,
        status="stamped" if status == "stamped" else "hashed",
        stamp=stamp,
        summary=summary,
        hash=hash_,
        oddities=tuple(line.removeprefix("./") for line in oddities.splitlines()),
        differences=tuple(differences.splitlines()),
    )


def parse_registry(content: bytes) -> frozenset[Registered]:
    """The registry file: kind, path, detail, separated by tabs. Raises ValueError."""
    found = set()
    for line in text(content).split("\n"):
        if line:
            kind, path, detail = line.split("\t")
            if not path.startswith("/"):
                raise ValueError(f"the registry names a path that is not absolute: {path!r}")
            found.add(Registered(kind, path, detail))
    return frozenset(found)


def parse_hold(content: bytes) -> Hold:
    """The hold file: version, who, why, until, a line each. Raises ValueError."""
    version, who, why, until = text(content).split("\n")[:4]
    return Hold(version, who, why, until)
