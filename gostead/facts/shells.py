"""The start-up files through which shells find Go on a host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gostead.facts.entries import Entry
from gostead.facts.people import Home
from gostead.facts.systemd import blocks


@dataclass(frozen=True)
class RunnerService:
    """A service of a CI runner's that is active: the directory it works in and the user it runs as
    (empty: root), as systemd says; `invocation` is another one each time it is started."""

    name: str
    directory: str
    user: str
    invocation: str


@dataclass(frozen=True)
class ShellsState:
    """`entries` by path, contents included; `leads` maps a start-up file that is a link to the
    next place on its way; `installed` are the shells found on the system's own PATH; `homes` are
    the users', `nobody` the declared names that the user database does not know; `services` those
    of CI runners, where there are any to look for."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    leads: Mapping[str, str] = field(default_factory=dict)
    installed: tuple[str, ...] = ()
    homes: tuple[Home, ...] = ()
    nobody: tuple[str, ...] = ()
    services: tuple[RunnerService, ...] = ()

    def entry(self, path: str) -> Entry:
        """What stands at `path`; absent where the probe did not see it."""
        return self.entries.get(path) or Entry(path)

    def resolve(self, path: str) -> str:
        """The file that a start-up file leads to through its links."""
        for _ in range(16):
            if path not in self.leads:
                break
            path = self.leads[path]
        return path


def parse_services(shown: str) -> Iterator[RunnerService]:
    """What `systemctl show` says of the units that are named as GitHub's runner names its own."""
    for values in blocks(shown):
        if values.get("ActiveState") in ("active", "reloading"):
            yield RunnerService(
                values["Id"], values.get("WorkingDirectory", ""), values.get("User", ""),
                values.get("InvocationID", ""),
            )  # fmt: skip
