"""The tools that were built with our toolchains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gostead.facts.entries import Entry, text


@dataclass(frozen=True)
class ToolsState:
    """`entries` by path below <root>/tools; `digests` the sha256 of each file there."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)

    def entry(self, path: str) -> Entry:
        """What stands at `path`; absent where the probe did not see it."""
        return self.entries.get(path) or Entry(path)


def parse_digests(fields: tuple[bytes, ...]) -> dict[str, str]:
    """A `digests` record: lines as sha256sum, shasum and openssl -r print them."""
    found = {}
    for line in text(fields[0]).splitlines():
        digest, _, path = line.partition(" ")
        found[path.lstrip(" *")] = digest
    return found
