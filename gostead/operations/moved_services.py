"""Part of the subject slices: services that are to run in the slice. A changed Slice= moves no
process, so they are started again; work of theirs is waited for, and never disturbed."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from gostead.declaration import GoSetup
from gostead.declaration.slices import stands_on
from gostead.facts.host_state import HostState
from gostead.facts.slices import Unit
from gostead.facts.systemd import UNITS
from gostead.operations.change import Change, Finding, Script
from gostead.operations.unit_files import SLICE, movable

SUBJECT = "slices"


def services(declared: GoSetup, state: HostState) -> Iterator[Change | Finding]:
    """What is to be said and done of each declared service."""
    patterns, matched = declared.slices.units, state.slices.matched
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in matched):
            yield Finding(SUBJECT, pattern, "note", "no service of that name is here yet",
                          "gostead apply, when there is one")  # fmt: skip
    for name in filter(stands_on, matched):
        # systemctl shows a service under another name than that of its alias.
        by = [pattern for pattern in patterns if fnmatchcase(name, pattern)] or patterns
        yield Finding(SUBJECT, name, "error", f"{' and '.join(by)} would move it: a service that "
                      "the host itself stands on stays where it is",
                      "say in slices.units more closely which services are meant")  # fmt: skip
    for name in movable(state.slices):
        unit = state.slices.unit(name)
        if unit.active and not unit.group.startswith(f"/{SLICE}/"):
            yield _restart(state, unit)
        if (
            unit.loaded
            and not unit.stale
            and (
                (unit.slice, unit.kill_mode) != (SLICE, "control-group")
                and f"{UNITS}/{name}.d/gostead.conf" in unit.drop_ins
            )
        ):
            others = [p for p in unit.drop_ins if not p.endswith("/gostead.conf")]
            yield Finding(SUBJECT, name, "error", f"another file overrides its place: Slice="
                          f"{unit.slice}, KillMode={unit.kill_mode}",
                          "take the line out", others[-1] if others else "")  # fmt: skip


def _restart(state: HostState, unit: Unit) -> Change:
    why = "started again: it has no job now"
    if unit.work:
        why = f"started again when its work is done (process {unit.work}); it is not disturbed"
    values = {"root": state.system.root, "unit": unit.name, "slice": SLICE,
              "until": f"runs outside of {SLICE}"}  # fmt: skip
    return Change(SUBJECT, unit.name, f"in {unit.group}", f"in /{SLICE}", why, "slices.units",
                  Script("change/restart", values), alone=True)  # fmt: skip
