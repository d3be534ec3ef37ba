"""The users whose shells are ours, and what stands in their homes, as they themselves see it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gostead.armour import CannotRead, Unfinished, records
from gostead.facts.entries import Entry, parse_entry, text


@dataclass(frozen=True)
class Home:
    """A user and their start-up files. `entries` by path, contents included; `leads` maps a link to
    the next place on its way; `zdotdir` and `config` are where zsh and fish look. `declared`: false
    for a user who was, and whose changes are to be taken back. `trace` is what was learned by
    running their shells. `build_cache`: where Go's own default leads, its bytes, and those that
    may go. `gobin`: why `go install` cannot write the declared GOBIN. `unloaded`: labels of agents
    of ours that are there and that launchd does not have, though this user is logged in at the
    screen. `error` says why the home could not be read; then nothing else is known.
    """

    name: str
    uid: int
    gid: int
    home: str
    shell: str
    declared: bool = True
    trace: str = ""
    error: str = ""
    zdotdir: str = ""
    config: str = ""
    writable: bool = False
    entries: Mapping[str, Entry] = field(default_factory=dict)
    leads: Mapping[str, str] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()
    crontab: str | None = None
    runners: tuple[str, ...] = ()
    build_cache: tuple[str, int, int] = ("", 0, 0)
    gobin: str = ""
    unloaded: tuple[str, ...] = ()

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


@dataclass
class Looked:
    """What a probe's `look` and `entry` found: entries by path (files with their bytes), links and
    where they lead, paths that cannot be read."""

    entries: dict[str, Entry] = field(default_factory=dict)
    leads: dict[str, str] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)

    def rest(
        self, found: Iterable[tuple[str, tuple[bytes, ...]]]
    ) -> Iterator[tuple[str, tuple[bytes, ...]]]:
        """Takes its own from a probe's records; yields all others. Raises Unfinished where a file
        changed while it was looked at."""
        files: list[Entry] = []
        for name, fields in found:
            if name == "files":
                files = list(_files(fields))
            elif name == "contents":
                if len(files) != len(fields) - 1:
                    raise Unfinished("files and their contents are not of one number")
                for entry, content in zip(files, fields[1:], strict=True):
                    self.entries[entry.path] = dataclasses.replace(entry, content=content)
            elif name == "entry":
                entry = parse_entry(fields)
                self.entries[entry.path] = entry
            elif name == "leads":
                self.leads[text(fields[0])] = text(fields[1])
            elif name == "unreadable":
                self.unreadable.append(text(fields[0]))
            else:
                yield name, fields


def _files(fields: tuple[bytes, ...]) -> Iterator[Entry]:
    lines = text(fields[0]).splitlines()
    if len(lines) != len(fields) - 1:
        raise Unfinished("a file went away while it was looked at")
    for line, path in zip(lines, fields[1:], strict=True):
        uid, gid, mode, names = line.split()
        yield Entry(text(path), "file", int(uid), int(gid), mode.lstrip("0") or "0",
                    names=int(names))  # fmt: skip


def parse_person(fields: tuple[bytes, ...]) -> Home:
    """A `person` record; what cannot be read there is that user's error alone. Raises ValueError
    where the record is not of the probe's form."""
    name, uid, gid, home, shell, declared, trace, answer = (text(value) for value in fields)
    person = Home(name, int(uid), int(gid), home, shell, declared == "declared", trace)
    if not home.startswith("/") or "\n" in home:
        return dataclasses.replace(person, error=f"the user database names no home: {home!r}")
    try:
        return _home(person, bytes.fromhex(answer))
    except (CannotRead, ValueError, IndexError) as error:
        why = "nothing was answered" if not answer else str(error)
        return dataclasses.replace(person, error=f"cannot read {home} as {name}: {why}")


def _home(person: Home, answer: bytes) -> Home:
    looked = Looked()
    values: dict[str, list[str]] = {}
    runners, unloaded = [], []
    for name, fields in looked.rest(records(answer)):
        values[name] = [text(value) for value in fields]
        if name == "runner":
            runners.append(text(fields[0]))
        elif name == "unloaded":
            unloaded.append(text(fields[0]))
    _, zdotdir, config = values["home"]
    path, sizes = values.get("size", ["", ""])
    all_, old = (int(word) for word in (sizes or "0 0").split())
    person = dataclasses.replace(
        person, zdotdir=zdotdir, config=config, entries=looked.entries, leads=looked.leads,
        unreadable=tuple(looked.unreadable), writable=values.get("writable") == ["yes"],
        crontab=values["crontab"][0] if "crontab" in values else None, runners=tuple(runners),
        build_cache=(path, all_, old), gobin=values.get("gobin", [""])[0],
        unloaded=tuple(unloaded),
    )  # fmt: skip
    if person.entries.get(person.home, Entry("", "directory")).kind != "directory":
        kind = person.entry(person.home).describe()
        return dataclasses.replace(person, error=f"the home {person.home} is {kind}")
    return person
