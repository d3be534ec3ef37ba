"""Starts users' shells in every way there is, by one script, and reads what each does with Go."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence

from gostead.armour import CannotRead, decode, records
from gostead.templates import host_script
from gostead.trace.model import MODES, Cell, Person, Run, Variable

SHELL_MODES = ("login", "interactive", "both", "plain", "script")
_USERINFO = re.compile(r"(?<=//)[^/\s]*@")
_NAME = re.compile(r"[A-Z][A-Z0-9_]{1,40}")
SHELLS = ("bash", "zsh", "fish", "sh")
#: What shells say of having no terminal, which is our doing and not a start-up file's.
_OURS = re.compile(
    r"(cannot set terminal process group|no job control in this shell|full job control"
    r"|can.t access tty|job control turned off|gostead-answer:)"
)
_CONTROL = re.compile(
    r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-_])"
    r"|[\x00-\x08\x0b-\x1f\x7f]"
)


def survey(
    run: Run,
    people: Sequence[Person],
    directory: str,
    *,
    shells: Sequence[str] = SHELLS,
    modes: Sequence[str] = MODES,
    limit: float = 10.0,
    budget: float = 120.0,
    jobs: int = 6,
) -> tuple[Cell, ...]:
    """Each way of starting each of `shells` for each of `people`, and the `go` that it runs.

    `directory` is the declared Go's (…/current/bin); `limit` ends a start after so many seconds,
    and after `budget` seconds no other begins; `jobs` start at a time. `shells` are the installed
    ones: a missing one is a failed cell. One script does all of it, leaves nothing behind, and ends
    what start-up files left running. Raises CannotRead where the answer is not whole, and what
    `run` raises.
    """
    wanted = [
        (person, shell, mode)
        for person in people
        for shell, mode in _ways(person, shells, modes)
    ]  # fmt: skip
    if not wanted:
        return ()
    nonce = secrets.token_hex(8)
    index = {person: number for number, person in enumerate(people)}
    tasks = [(number, index[p], shell, mode) for number, (p, shell, mode) in enumerate(wanted)]
    script = host_script(
        "trace/survey", nonce=nonce, limit=max(1, round(limit)), budget=max(1, round(budget)),
        people=people, tasks=tasks, jobs=max(1, min(jobs, len(tasks))),
    )  # fmt: skip
    return _parse(run(script), nonce, wanted, directory)


def _ways(person: Person, shells: Sequence[str], modes: Sequence[str]) -> list[tuple[str, str]]:
    login = person.shell.rpartition("/")[2] or "sh"
    named = [*shells, *([login] if login == "mksh" else [])]
    found = [(shell, mode) for shell in named for mode in modes if mode in SHELL_MODES]
    others = {"cron": "sh", "bare": "sh", "nested": "zsh", "sudo": "-"}
    return found + [(others.get(mode, login), mode) for mode in modes if mode not in SHELL_MODES]


def _parse(
    output: bytes, nonce: str, wanted: list[tuple[Person, str, str]], directory: str
) -> tuple[Cell, ...]:
    how: dict[int, tuple[bytes, ...]] = {}
    printed: dict[int, bytes] = {}
    answers: dict[int, list[str]] = {}
    for name, fields in records(decode(output, nonce)):
        try:
            if name == "cell":
                how[int(fields[0])] = fields
            elif name == "printed":
                printed[int(fields[0])] = bytes.fromhex(fields[1].decode())
            elif name == "answers":
                owner = fields[0].decode()
                for line in fields[1].decode().splitlines():
                    number, _, answer = line.partition(" ")
                    if wanted[int(number)][0].name == owner:  # nobody answers for others
                        answers[int(number)] = _fields(answer)
        except (ValueError, IndexError) as error:
            raise CannotRead(f"the survey's answer is not of its form: {error}") from None
    found = []
    for index, (person, shell, mode) in enumerate(wanted):
        if index not in how:
            raise CannotRead(f"the survey says nothing of {person.name}, {shell}, {mode}")
        if mode == "sudo":
            match = re.search(rb"gostead-answer:([0-9a-f]+):", printed.get(index, b""))
            if match:
                answers[index] = _fields(match[1].decode())
        found.append(
            _cell(person, shell, mode, how[index], printed.get(index, b""),
                  answers.get(index), directory)
        )  # fmt: skip
    return tuple(found)


def _fields(answer: str) -> list[str]:
    return bytes.fromhex(answer).decode("utf-8", "surrogateescape").split("\0")


def _cell(
    person: Person, shell: str, mode: str, how: tuple[bytes, ...], printed: bytes,
    answer: list[str] | None, directory: str,
) -> Cell:  # fmt: skip
    _, _, _, _, status, why, took = (field.decode("utf-8", "replace") for field in how)
    said = _said(printed)
    seconds = int(took) / 100
    if status == "not-applicable":
        return Cell(person.name, shell, mode, "not-applicable", why)
    if answer is None or len(answer) < 4:
        if status == "timeout":
            why = why or "start-up did not end within the time limit"
        else:
            why = "the shell ended before it could be asked" + (f": {said[-200:]}" if said else "")
        status = "timeout" if status == "timeout" else "failed"
        return Cell(person.name, shell, mode, status, why, printed=said, seconds=seconds)  # type: ignore[arg-type]
    go, resolved, path, goroot = answer[:4]
    places = path.split(":")
    return Cell(
        person.name, shell, mode, "asked", "", printable(go), printable(resolved),
        places.count(directory), places.index(directory) + 1 if directory in places else 0,
        printable(path, 4000), printable(goroot), said, seconds,
        _variables(answer[4] if len(answer) > 5 else ""),
    )  # fmt: skip


def _variables(lines: str) -> tuple[Variable, ...]:
    found = []
    for line in lines.splitlines()[:100]:
        name, equals, value = line.partition("=")
        ours = "/gostead-trace." in value  # where we let fish make its directories
        if equals and _NAME.fullmatch(name) and name != "GOROOT" and not ours:
            digest = hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()
            found.append(Variable(name, printable(redacted(value)), digest))
    return tuple(found)


def _said(printed: bytes) -> str:
    text = _CONTROL.sub("", printed.decode("utf-8", "replace").replace("\r", ""))
    lines = [line for line in text.splitlines() if line.strip() and not _OURS.search(line)]
    return printable("\n".join(lines), 400)


def printable(text: str, most: int = 400) -> str:
    """What a host said, safe for a terminal: control characters as escapes, cut at `most`."""
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape", "replace").decode()
        for c in text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")[:most]
    )


def redacted(text: str) -> str:
    """The text with the credentials of every URL in it replaced by ***."""
    return _USERINFO.sub("***@", text)
