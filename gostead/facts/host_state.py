"""What a host is, read by one command: every subject's probe, joined."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from gostead import transport
from gostead.armour import MAX_BYTES, CannotRead, Unfinished, decode, records
from gostead.facts.caches import CachesState, parse_size, parse_volume
from gostead.facts.cgo import CgoState, parse_compiler
from gostead.facts.entries import Entry, text
from gostead.facts.orphans import OrphansState, parse_orphans
from gostead.facts.people import Looked, parse_person
from gostead.facts.schedule import ScheduleState, parse_schedule
from gostead.facts.shells import ShellsState, parse_services
from gostead.facts.slices import SlicesState, parse_group, parse_machine, parse_told, parse_units
from gostead.facts.system import System, parse_system
from gostead.facts.toolchains import (
    FORMAT,
    Registered,
    ToolchainsState,
    parse_hold,
    parse_registry,
    parse_tree,
)
from gostead.facts.tools import ToolsState, parse_digests
from gostead.facts.xcode import XcodeState, parse_xcode
from gostead.templates import host_script

if TYPE_CHECKING:
    from pyinfra.api.host import Host

ATTEMPTS = 3
SUBJECTS = ("system", "toolchains", "shells", "caches", "xcode", "cgo", "tools", "slices",
            "orphans", "schedule")  # fmt: skip


@dataclass(frozen=True)
class HostState:
    """A snapshot of a host. `unreadable` are paths that exist and could not be read."""

    system: System
    toolchains: ToolchainsState
    shells: ShellsState
    caches: CachesState = field(default_factory=CachesState)
    cgo: CgoState = field(default_factory=CgoState)
    tools: ToolsState = field(default_factory=ToolsState)
    slices: SlicesState = field(default_factory=SlicesState)
    orphans: OrphansState = field(default_factory=OrphansState)
    schedule: ScheduleState = field(default_factory=ScheduleState)
    xcode: XcodeState = field(default_factory=XcodeState)
    unreadable: tuple[str, ...] = ()


_cache: WeakKeyDictionary[Host, HostState] = WeakKeyDictionary()


def read(
    host: Host,
    scope: Mapping[str, str],
    *,
    users: tuple[str, ...] = ("self",),
    cron: bool = False,
    runners: tuple[str, ...] = (),
    settings: bool = False,
    gobin: str = "",
    caches: tuple[tuple[str, str], ...] = (),
    bounded: bool = False,
    cgo: tuple[str, str] | None = None,
    slices: Mapping[str, Any] | None = None,
    orphans: bool = False,
    scheduled: bool = False,
    offers: bool = False,
    deep: bool = False,
) -> HostState:
    """The state of `host`, from the last reading of it where nothing was executed since.

    `scope` is the declared scope per operating system, `users` the declared ones, whose crontabs
    are read with `cron`, Go's settings with `settings`, whether they can write `gobin`, and whose
    `runners`; `caches` the declared directories for caches by kind, measured where they are
    `bounded`; `cgo` the commands for C and C++, where those are to be looked at; `slices` the users
    and units that have a budget; `orphans`: whether processes are looked at; the schedule is,
    where one is `scheduled`, or may be there; a Mac is asked which Command Line Tools it knows to
    be on `offers`; `deep` hashes every tree. Raises CannotRead where the answer is not whole, and
    transport.TransportError where there is none.
    """
    for attempt in range(ATTEMPTS):
        if host in _cache:
            break
        nonce = secrets.token_hex(8)
        script = host_script(
            "probe/main", nonce=nonce, subjects=SUBJECTS, scope=dict(scope), deep=deep,
            users=users, cron=cron, runners=runners, settings=settings, gobin=gobin,
            caches=caches, bounded=bounded, cgo=cgo, orphans=orphans, scheduled=scheduled,
            offers=offers,
            slices=dict(slices or {"wanted": False, "users": (), "units": (), "mac": False}),
        )  # fmt: skip
        answer = transport.run(host, script, max_output=MAX_BYTES)
        try:
            _cache[host] = parse(answer.stdout, nonce)
        except CannotRead as error:
            # Another run may have taken away what the probe was looking at.
            if isinstance(error, Unfinished) and attempt + 1 < ATTEMPTS:
                continue
            said = transport.printable(answer.stderr)[-400:]
            raise CannotRead(f"{error}{': ' + said if said else ''}") from None
    return _cache[host]


def forget(host: Host) -> None:
    """Drops what was read: something was executed."""
    _cache.pop(host, None)


def parse(output: bytes, nonce: str) -> HostState:
    """The probe's answer as a state. Raises CannotRead."""
    try:
        return _join(list(records(decode(output, nonce))))
    except (ValueError, KeyError, IndexError) as error:
        raise CannotRead(f"the answer is not of the probe's form: {error}") from None


def _join(found: list[tuple[str, tuple[bytes, ...]]]) -> HostState:
    system: System | None = None
    by_subject: dict[str, dict[str, Entry]] = {name: {} for name in SUBJECTS}
    contents: dict[str, bytes] = {}
    registry: frozenset[Registered] = frozenset()
    staging, homes, nobody, compilers = [], [], [], []
    values: dict[str, tuple[bytes, ...]] = {}
    trees = {}
    foreign, volumes, sizes = {}, {}, {}
    loaded: set[str] = set()
    slice_users: dict[str, int | None] = {}
    matched, groups, work = [], {}, {}
    left: list[tuple[str, tuple[bytes, ...]]] = []
    apple: dict[str, list[tuple[bytes, ...]]] = {"application": [], "sdk": [], "processor": []}
    looked = Looked()
    for name, fields in looked.rest(found):
        if name == "system":
            system = parse_system(fields)
        elif name == "subject":
            looked.entries = by_subject[text(fields[0])]
        elif name == "content":
            contents[text(fields[0])] = fields[2]
            if system and text(fields[0]) == f"{system.state}/registry":
                registry |= parse_registry(fields[2])  # read first and last
        elif name == "staging":
            staging.append(text(fields[0]))
        elif name == "tree":
            tree = parse_tree(fields)
            trees[tree.name] = tree
        elif name == "person":
            homes.append(parse_person(fields))
        elif name == "nobody":
            nobody += [text(fields[0])] if text(fields[1]) == "declared" else []
        elif name == "compiler":
            compilers.append(parse_compiler(fields))
        elif name == "cache":
            foreign[text(fields[0])] = text(fields[1])
        elif name in ("clock", "process", "elsewhere", "zombie", "scratch", "more"):
            left.append((name, fields))
        elif name == "volume":
            path, volume = parse_volume(fields)
            volumes[path] = volume
        elif name == "loaded":
            loaded.add(text(fields[0]))
        elif name == "size":
            path, size = parse_size(fields)
            sizes[path] = size
        elif name == "slice_user":
            number = text(fields[1])
            slice_users[text(fields[0])] = int(number) if number else None
        elif name == "slice_unit":
            matched.append(text(fields[0]))
        elif name == "work":
            work[text(fields[0])] = text(fields[1]).strip()
        elif name in apple:
            apple[name].append(fields)
        elif name == "cgroup":
            group = parse_group(fields)
            groups[group.path] = group
        else:
            values[name] = fields
    if system is None:
        raise CannotRead("the answer does not say which host this is")
    entries, startup = by_subject["toolchains"], by_subject["shells"]
    space = text(values["space"][0]).split(" ", 1)
    inodes = text(values["space"][1]).split()
    state = system.state
    format_ = _format(contents.get(f"{state}/format"))
    toolchains = ToolchainsState(
        root=entries.get(system.root, Entry(system.root)),
        entries=entries,
        trees=trees,
        format=format_,
        registry=registry,
        hold=parse_hold(contents[f"{state}/hold"]) if f"{state}/hold" in contents else None,
        staging=tuple(staging),
        lock=text(values["lock"][0]) if "lock" in values else "",
        free_kib=int(space[0]) if space[0].isdigit() else None,
        # A filesystem without a fixed number of inodes (btrfs) says it has none at all.
        free_inodes=int(inodes[1]) if len(inodes) == 2 and inodes[0] not in ("0", "-") else None,
        filesystem=space[1] if len(space) == 2 else "",
    )
    installed = tuple(text(values["shells"][0]).split())
    services = tuple(parse_services(text(values.get("runner_services", (b"",))[0])))
    shells = ShellsState(
        startup, looked.leads, installed, tuple(homes), tuple(nobody), services
    )  # fmt: skip
    init = text(values["init"][0])
    caches = CachesState(by_subject["caches"], foreign, volumes, sizes, init, frozenset(loaded))
    digests = parse_digests(values["digests"]) if "digests" in values else {}
    tools = ToolsState(by_subject["tools"], digests)
    libc, manager, proof = (text(value) for value in values.get("cgo", (b"", b"", b"")))
    cgo = CgoState(tuple(compilers), libc or "unknown", manager, proof.strip())
    slices = SlicesState()
    if "slices" in values:
        units = {unit.name: unit for unit in parse_units(values.get("units", (b"",))[0], work)}
        systemd, weights = map(text, values.get("holder", (b"none", b"no")))
        slices = SlicesState(
            *parse_machine(values["slices"]), by_subject["slices"], slice_users, units,
            tuple(matched), groups,
            *parse_told(contents.get(f"{state}/slices", b""), values.get("kills", (b"",))), systemd,
            weights == "yes",
        )  # fmt: skip
    orphans = parse_orphans(left)
    scheduled = ScheduleState()
    if "schedule" in values:
        result = f"{state}/schedule.json"
        scheduled = parse_schedule(values["schedule"], by_subject["schedule"], result)
    return HostState(
        system,
        toolchains,
        shells,
        caches,
        cgo,
        tools,
        slices,
        orphans,
        scheduled,
        parse_xcode(values["xcode"], **apple) if "xcode" in values else XcodeState(),
        tuple(looked.unreadable),
    )


def _format(content: bytes | None) -> int | None:
    if content is None:
        return None
    number = int(content)
    if number > FORMAT:
        raise CannotRead(
            f"the state there is of format {number}, this gostead knows up to {FORMAT}: "
            "use the newer gostead that wrote it"
        )
    return number
