"""Which line of which start-up file decided: found by the shells' own tracing."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Mapping, Sequence

from gostead.armour import CannotRead, decode, records
from gostead.templates import host_script
from gostead.trace.model import Cause, Cell, Person, Run
from gostead.trace.survey import printable, redacted

#: How a mode is started to be traced; those not here read no start-up file.
_HOW = {
    "login": "login", "interactive": "interactive", "both": "both", "plain": "plain",
    "script": "plain", "ssh-command": "ssh", "ssh-terminal": "both", "su": "login",
    "sudo-login": "login", "tmux": "both", "nested": "both",
}  # fmt: skip
_TRACED = ("bash", "zsh", "fish", "sh", "mksh")

Key = tuple[str, str, str]


def chains(
    run: Run,
    cells: Sequence[Cell],
    people: Sequence[Person],
    directory: str,
    *,
    limit: float = 10.0,
    budget: float = 120.0,
    jobs: int = 6,
) -> Mapping[Key, tuple[Cause, ...]]:
    """For each of `cells`, by (user, shell, mode), the lines that changed PATH, GOROOT and the
    variables of the cells on its way, in order, with the value after each. Empty where the shell
    reads no file in that mode, or where its tracing says nothing. The last of each is the last
    command that was begun (`end`); a start takes `limit` seconds at most, and after `budget` none
    begins. Raises CannotRead, and what `run` raises."""
    known = {person.name: person for person in people}
    tasks: dict[Key, int] = {}
    for cell in cells:
        if cell.mode in _HOW and cell.shell in _TRACED and cell.user in known:
            tasks.setdefault((cell.user, cell.shell, _HOW[cell.mode]), len(tasks))
    if not tasks:
        return {}
    names = sorted({variable.name for cell in cells for variable in cell.variables})
    nonce = secrets.token_hex(8)
    who = [person for person in people if any(user == person.name for user, _, _ in tasks)]
    index = {person.name: number for number, person in enumerate(who)}
    words = [(number, index[user], shell, how) for (user, shell, how), number in tasks.items()]
    script = host_script(
        "trace/causes", nonce=nonce, directory=directory, limit=max(1, round(limit)),
        budget=max(1, round(budget)), people=who, tasks=words, names=names,
        jobs=max(1, min(jobs, len(words))),
    )  # fmt: skip
    found: dict[int, list[tuple[str, ...]]] = {}
    for name, fields in records(decode(run(script), nonce)):
        if name == "traced":
            try:
                found[int(fields[0])] = _changes(bytes.fromhex(fields[2].decode()))
            except ValueError as error:
                raise CannotRead(f"a trace is not of its form: {error}") from None
    return {
        (cell.user, cell.shell, cell.mode): tuple(
            Cause(cell.user, cell.shell, cell.mode,
                  what if what in ("path", "goroot", "end") else what.upper(),
                  printable(file), int(line) if line.isdigit() else 0,
                  printable(redacted(text.strip()), 200), printable(redacted(value), 4000))
            for what, file, line, value, text in found.get(
                tasks.get((cell.user, cell.shell, _HOW.get(cell.mode, "")), -1), [])
        )
        for cell in cells
    }  # fmt: skip


def _changes(answer: bytes) -> list[tuple[str, ...]]:
    text = answer.decode("utf-8", "surrogateescape")
    parts = (record.split("\001", 4) for record in text.split("\0") if record)
    return [tuple(part) for part in parts if len(part) == 5]


def culprit(chain: Sequence[Cause], directory: str) -> Cause | None:
    """The last line that took the declared directory from the front of PATH, or left it behind;
    None where the directory is in front at the end, or no line is known."""
    paths = [cause for cause in chain if cause.what == "path"]
    if not paths or paths[-1].value.split(":")[0] == directory:
        return None
    last = paths[0]
    for before, after in itertools.pairwise(paths):
        if before.value.split(":")[0] == directory:
            last = after
    if not any(cause.value.split(":")[0] == directory for cause in paths):
        last = paths[-1]
    return last


def goroot_line(chain: Sequence[Cause]) -> Cause | None:
    """The last line that set GOROOT, where it is still set at the end."""
    found = [cause for cause in chain if cause.what == "goroot"]
    return found[-1] if found and found[-1].value else None


def end_line(chain: Sequence[Cause]) -> Cause | None:
    """The last command that was begun, where its file is known: a shell that hangs or ends hangs
    or ends there."""
    found = [cause for cause in chain if cause.what == "end" and cause.line]
    return found[-1] if found else None


def variable_line(chain: Sequence[Cause], name: str) -> Cause | None:
    """The last line that set the variable `name`, where it is known."""
    found = [cause for cause in chain if cause.what == name and cause.line]
    return found[-1] if found and found[-1].value else None
