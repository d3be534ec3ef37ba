"""What one run knows of a host: its options, its declaration and what became of each change."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from gostead.declaration import Declared, GoSetup, load
from gostead.facts import host_state
from gostead.facts.host_state import HostState
from gostead.operations.change import Change, Finding, Outcome

if TYPE_CHECKING:
    from pyinfra.api.host import Host

_PROCESS_RUN = secrets.token_hex(6)


@dataclass(frozen=True)
class Options:
    """One run's options, as host data `gostead` (a dictionary of these names) or the defaults.

    `timeout` is a script's limit in seconds, `lock_wait` how long another run is waited for;
    `remove` treats every host as declared absent, `purge` takes the users' caches too; `subjects`
    empty means all."""

    declaration: str = "group_data"
    run: str = _PROCESS_RUN
    deep: bool = False
    remove: bool = False
    purge: bool = False
    timeout: float | None = None
    lock_wait: int = 300
    subjects: tuple[str, ...] = ()


@dataclass
class Record:
    """What became of a host's changes in this run."""

    outcomes: list[Outcome] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    planned: list[Change] = field(default_factory=list)
    error: str | None = None
    conflict: bool = False
    executed: list[Outcome] = field(default_factory=list)
    #: What had to be left for the next run, by subject, item and user; seconds that were waited.
    put_off: dict[tuple[str, str, str | None], Finding] = field(default_factory=dict)
    waited: float = 0.0


# Set by Ctrl-C: a change that has begun ends, and no other begins.
stopping: list[bool] = []

_declared: WeakKeyDictionary[Host, Declared] = WeakKeyDictionary()
_records: WeakKeyDictionary[Host, Record] = WeakKeyDictionary()


def options(host: Host) -> Options:
    """This run's options for `host`."""
    return Options(**host.data.get("gostead", {}))


def record(host: Host) -> Record:
    """This run's record of `host`."""
    if host not in _records:
        _records[host] = Record()
    return _records[host]


def declared(host: Host, directory: str | None = None) -> Declared:
    """The declaration of `host`. Raises declaration.DeclarationError."""
    if host not in _declared:
        where = Path(directory or options(host).declaration)
        groups = [group for group in dict.fromkeys(host.groups) if group != "all"]
        _declared[host] = load(where, groups, host.name)
    return _declared[host]


def current(host: Host, directory: str | None = None) -> tuple[GoSetup, HostState]:
    """What is declared for `host`, and what it is. Raises DeclarationError, CannotRead and
    TransportError."""
    known, chosen = declared(host, directory), options(host)
    scope = {"linux": known.linux.scope, "darwin": known.darwin.scope}
    # Both systems' users: which of them this host has is known when it has answered.
    both = (known.linux, known.darwin)
    users = tuple(dict.fromkeys(user for setup in both for user in setup.users))
    bounded = any(setup.cache.max_size for setup in both)
    cron = any(setup.shells.cron for setup in both) or bounded
    caches = dict.fromkeys(place for setup in both for place in setup.cache.places())
    runners = tuple(dict.fromkeys(path for setup in both for path in setup.shells.runners))
    gobin = known.linux.env.get("GOBIN") or known.darwin.env.get("GOBIN")
    state = host_state.read(
        host, scope, users=users, cron=cron, runners=runners, deep=chosen.deep,
        settings=any(setup.settings(0) or setup.telemetry or setup.xcode.sdkroot for setup in both),
        gobin=gobin if isinstance(gobin, str) else "", caches=tuple(caches), bounded=bounded,
        scheduled=any(setup.schedule.every for setup in both),
        offers=known.darwin.xcode.command_line_tools == "latest",
        cgo=known.linux.compilers() if any(setup.cgo.required for setup in both) else None,
        slices=_slices(known, chosen),
        orphans=any(setup.orphans.action != "off" for setup in both),
    )  # fmt: skip
    setup = known.for_system(state.system.name)
    if chosen.remove:
        setup = setup.model_copy(update={"state": "absent"})
    return setup, state


def _slices(known: Declared, chosen: Options) -> dict[str, Any]:
    """What the probe of budgets looks at: nothing where none is declared and none was."""
    setup = known.linux
    gone = setup.state == "absent" or chosen.remove
    return {"wanted": bool(setup.slices.builds) or gone, "users": setup.slices.users,
            "units": setup.slices.units, "mac": bool(known.darwin.slices.builds)}  # fmt: skip
