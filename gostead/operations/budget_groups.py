"""Part of the subject slices: the cgroups that have a budget, the units in them, and what was
counted in each since the last run."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gostead.facts.kills import clean
from gostead.facts.slices import Counted, Seen, SlicesState
from gostead.operations.unit_files import SLICE

#: The slice of the same name in a user's own systemd: there while somebody uses it.
_OWN = re.compile(
    rf"/user\.slice/user-[0-9]+\.slice/user@[0-9]+\.service/{re.escape(SLICE)}(?=/|$)"
)


def declared(state: SlicesState) -> list[str]:
    """The paths that have a budget whether they are there or not: the slice, and those of users."""
    users = [f"/user.slice/user-{uid}.slice" for uid in state.users.values() if uid is not None]
    return [f"/{SLICE}", *dict.fromkeys(users)]


def roots(state: SlicesState) -> list[str]:
    """Every path that has a budget: also the slices in users' own systemd, of which some may be
    gone and known only by who was killed there."""
    paths = [*state.groups, *(kill.group for kill in state.journal.kills)]
    own = [found[0] for path in paths if (found := _OWN.match(path))]
    return [*declared(state), *dict.fromkeys(own)]


def root_of(path: str, among: list[str]) -> str:
    """The innermost budget that holds there; empty: none does."""
    holding = [root for root in among if path == root or path.startswith(f"{root}/")]
    return max(holding, key=len, default="")


def unit_of(path: str, root: str) -> str:
    """The path of the unit that a cgroup below `root` belongs to; `root`, where it is no unit's.
    What a unit makes below itself may be named like a unit; a user's manager holds others."""
    units = []
    parts = path[len(root) :].split("/")
    for number, part in enumerate(parts):
        if part.endswith((".service", ".scope")):
            units.append(root + "/".join(parts[: number + 1]))
            if not part.startswith("user@"):
                break
    return units[-1] if units else root


def label(path: str) -> str:
    """How people know it: a unit by its name, what is a user's with their slice before it."""
    parts = clean(path).strip("/").split("/")
    return "/".join(dict.fromkeys((parts[1], parts[-1]))) if len(parts) > 2 else parts[-1]


def since(state: SlicesState, path: str) -> Counted:
    """What was counted there since the last run. A cgroup that is another one than then began with
    nothing; where nothing was kept of its budget, what is older than that is nobody's news."""
    group = state.groups.get(path)
    if group is None:
        return Counted()
    now, before = group.counted(), state.seen.get(path)
    if before is None:
        root = root_of(path, declared(state))
        known = root in state.seen if root else bool(state.seen)
        return now if known else Counted()
    if before.made != group.made:
        return now
    return Counted(*(max(0, a - b) for a, b in zip(now, before.counted, strict=True)))


def kept(state: SlicesState) -> dict[str, Seen]:
    """What the next run compares with: every budget, and each unit that counted something."""
    found = {path: Seen(group.made, group.counted()) for path, group in state.groups.items()
             if any(group.counted()) and path.split() == [path]}  # fmt: skip
    for root in roots(state):
        group = state.groups.get(root)
        seen = Seen(group.made, group.counted()) if group else Seen("", Counted())
        # A line of the kernel's may be ahead of the counter: it is told now, and not once more.
        told = sum(root_of(kill.group, [root]) == root for kill in state.journal.kills)
        before = state.seen.get(root)
        if before is not None and before.made == seen.made:
            told += before.counted.kills
        kills = max(seen.counted.kills, told)
        found[root] = Seen(seen.made, seen.counted._replace(kills=kills))
    return found


def children(paths: Mapping[str, object], path: str) -> list[str]:
    """Those of `paths` right below `path`: with none of the others between."""
    below = [p for p in paths if p.startswith(f"{path}/")]
    return [p for p in below if not any(p.startswith(f"{other}/") for other in below)]
