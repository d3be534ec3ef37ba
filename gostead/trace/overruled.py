"""Declared settings that a variable of a shell overrules: it comes before every settings file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gostead.trace.causes import variable_line
from gostead.trace.model import Cause, Cell


@dataclass(frozen=True)
class Overruled:
    """A variable of a user that is not as declared: as it may be shown, where it is exported
    (empty: the line is not known), and in which ways of starting a shell."""

    user: str
    name: str
    shown: str
    where: str
    cells: tuple[Cell, ...]


def overruled(
    cells: Sequence[Cell],
    chains: Mapping[tuple[str, str, str], tuple[Cause, ...]],
    declared: Mapping[str, Mapping[str, str]],
) -> list[Overruled]:
    """What the cells' variables overrule of `declared`: for each user, the sha256 of each declared
    value by the setting's name."""
    found: dict[tuple[str, str, str, str], list[Cell]] = {}
    for cell in cells:
        for variable in cell.variables:
            digest = declared.get(cell.user, {}).get(variable.name)
            if digest is not None and digest != variable.digest:
                chain = chains.get((cell.user, cell.shell, cell.mode), ())
                line = variable_line(chain, variable.name)
                where = f"{line.file}:{line.line}" if line else ""
                key = (cell.user, variable.name, variable.shown, where)
                found.setdefault(key, []).append(cell)
    return [Overruled(*key, tuple(where)) for key, where in found.items()]
