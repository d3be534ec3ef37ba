"""Part of the subject slices: what the kernel holds, against what is declared and what there is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gostead.declaration.sizes import written
from gostead.declaration.slices import PROPERTIES, Budget, memory_bytes
from gostead.facts.slices import Group, SlicesState
from gostead.operations.change import Finding
from gostead.operations.unit_files import SLICE, agrees, expected, own

SUBJECT = "slices"
_MANAGER = re.compile(rf"/user\.slice/user-([0-9]+)\.slice/user@\1\.service/{re.escape(SLICE)}")


def differences(state: SlicesState, budget: Budget) -> Iterator[str]:
    """What the kernel holds that is not what is declared. A user's slice is there while they are
    logged in."""
    for path in (f"/{SLICE}", *(f"/user.slice/user-{uid}.slice" for uid in _declared(state))):
        if group := state.groups.get(path):
            for wrong in _against(group, budget, state.memory):
                yield f"{path}: {wrong}"


def managers(state: SlicesState, budget: Budget) -> Iterator[Finding]:
    """The slices of users' own managers: those are theirs, and root reloads none of them."""
    for uid, group in _managers(state).items():
        if wrong := "; ".join(_against(group, own(budget), state.memory)):
            yield Finding(SUBJECT, f"user@{uid}", "warning", "their own systemd holds go-slice to "
                          f"another budget: {wrong}", "go-slice true, as that user, has it read "
                          f"the files again; systemctl --user cat {SLICE} says what else is "
                          "there", group.path)  # fmt: skip


def together(state: SlicesState, budget: Budget) -> Iterator[Finding]:
    """All budgets that are there, against what the host has. That of a user's go-slice is within
    the one of their own slice, where that is declared."""
    share = budget.memory_max or budget.memory_high
    users = _declared(state)
    others = sorted(set(_managers(state)) - set(users))
    if share:
        total = memory_bytes(share, state.memory) * (1 + len(users) + len(others))
        if total > state.memory:
            whose = ["of the slice"]
            whose += [f"of {_people(len(users))}"] * bool(users)
            whose += [f"of go-slice for {_people(len(others))} more"] * bool(others)
            yield Finding(SUBJECT, SLICE, "warning", f"the budgets {', '.join(whose)} come to "
                          f"{written(total)}, the host has {written(state.memory)}: together they "
                          "can exhaust it", "lower them, or declare fewer users")  # fmt: skip
    if budget.cpu_quota and int(budget.cpu_quota[:-1]) > 100 * state.processors:
        yield Finding(SUBJECT, SLICE, "note", f"cpu_quota is {budget.cpu_quota}, more than the "
                      f"{state.processors} processors have: it limits nothing",
                      "lower it")  # fmt: skip


def _people(number: int) -> str:
    return f"{number} user{'s' * (number != 1)}"


def _declared(state: SlicesState) -> tuple[int, ...]:
    return tuple(uid for uid in state.users.values() if uid is not None)


def _managers(state: SlicesState) -> dict[int, Group]:
    """By uid: users who ran go-slice since their systemd runs."""
    found = {_MANAGER.fullmatch(path): group for path, group in state.groups.items()}
    return {int(match[1]): group for match, group in found.items() if match}


def _against(group: Group, budget: Budget, memory: int) -> Iterator[str]:
    for key, value in budget.limits().items():
        file = PROPERTIES[key][1]
        wanted, found = expected(key, value, memory), group.limits.get(file)
        if found is None:
            yield f"there is no {file}"
        elif not agrees(key, wanted, found):
            yield f"{file} is {found}, not {wanted}"
