"""Whether a way of starting a shell is as declared, and in plain words why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from gostead.trace.causes import culprit, end_line, goroot_line
from gostead.trace.model import Cause, Cell

Colour = Literal["good", "bad", "not-applicable"]
Severity = Literal["error", "warning", "note"]
#: Ways of starting that read no start-up file: only a link in a usual directory answers there.
READS_NOTHING = ("sudo", "cron", "bare")
LINKS = "/usr/local/bin"


@dataclass(frozen=True)
class Verdict:
    """What is to be said of one cell. `what` is empty where all is as declared."""

    cell: Cell
    colour: Colour
    severity: Severity = "error"
    what: str = ""
    where: str = ""
    mend: str = ""


def reads_nothing(cell: Cell) -> bool:
    """Whether no start-up file of a user is read in this way of starting."""
    return (
        cell.mode in READS_NOTHING
        or (cell.mode in ("plain", "script") and cell.shell not in ("zsh", "fish"))
        or (cell.shell in ("sh", "mksh") and cell.mode == "ssh-command")
        or (cell.shell == "sh" and cell.mode == "interactive")
    )


def judge(
    cell: Cell, chain: Iterable[Cause], directory: str, *, cron: bool = False, links: bool = True
) -> Verdict:
    """The verdict on one cell; `chain` is what its trace said, `directory` the declared Go's,
    `cron` whether crontabs are declared ours, `links` whether /usr/local/bin/go is."""
    lines = tuple(chain)
    root = directory.removesuffix("/current/bin")
    ours = cell.go == f"{directory}/go" or cell.resolved.startswith(f"{root}/")
    if cell.status == "not-applicable":
        return Verdict(cell, "not-applicable")
    if cell.status != "asked":
        end = None if cell.why.startswith("not asked") else end_line(lines)
        doing = f": {end.text or end.value}" if end else ""
        where = f"{end.file}:{end.line}" if end else ""
        mend = "mend that line" if end else "start that shell by hand, and mend what stops it"
        return Verdict(cell, "bad", "error", cell.why + doing, where, mend)
    if not ours:
        return _beaten(cell, lines, directory, cron, links)
    goroot = goroot_line(lines)
    if cell.goroot:
        where = f"{goroot.file}:{goroot.line}" if goroot else ""
        return Verdict(cell, "bad", "warning", f"GOROOT={cell.goroot} is exported", where,
                       "take it out, or declare `shells: {goroot: comment-out}`")  # fmt: skip
    if cell.count > 1:
        paths = [c for c in lines if c.what == "path" and c.value.split(":").count(directory) > 1]
        where = f"{paths[0].file}:{paths[0].line}" if paths else ""
        return Verdict(cell, "bad", "warning", f"{directory} is {cell.count} times on PATH", where,
                       "take that line out: gostead puts the directory there")  # fmt: skip
    return Verdict(cell, "good")


def _beaten(
    cell: Cell, lines: tuple[Cause, ...], directory: str, cron: bool, links: bool
) -> Verdict:
    found = f"{cell.go} runs" if cell.go else "there is no go"
    if reads_nothing(cell):
        if cell.mode == "cron":
            mend = "declare `shells: {cron: true}`, or write the full path into the crontab"
            return Verdict(cell, "bad" if cron else "not-applicable", "error" if cron else "note",
                           f"{found}: cron reads no start-up file", "", mend)  # fmt: skip
        linked = links and LINKS in cell.path.split(":")
        if not linked and not cell.go:
            return Verdict(cell, "not-applicable", "note",
                           f"{found}: nothing is read there, no link is on PATH")  # fmt: skip
        return Verdict(
            cell, "bad", "error" if linked else "note",
            f"{found}: no start-up file is read there, PATH is {cell.path or 'not set'}", "",
            f"the link in {LINKS} answers there (toolchains.links), where PATH has it in front",
        )  # fmt: skip
    seen = [cell.path, *(cause.value for cause in lines if cause.what == "path")]
    if not any(directory in path.split(":") for path in seen):
        return Verdict(cell, "bad", "error", f"{found}: no start-up file puts {directory} on PATH",
                       "", "gostead apply")  # fmt: skip
    cause = culprit(lines, directory)
    if cause is None:
        return Verdict(cell, "bad", "error", f"{found}, expected {directory}/go", "",
                       "gostead apply --deep; then look at what that shell reads")  # fmt: skip
    return Verdict(
        cell, "bad", "error", f"{found}: this line comes after gostead's: {cause.text}",
        f"{cause.file}:{cause.line}",
        "gostead apply --deep puts a block behind it; or take the line out",
    )  # fmt: skip


def grouped(verdicts: Iterable[Verdict]) -> list[tuple[Verdict, tuple[Cell, ...]]]:
    """What is wrong, each cause once, with all the cells that it spoils."""
    found: dict[tuple[str, ...], tuple[Verdict, list[Cell]]] = {}
    for verdict in verdicts:
        if verdict.colour == "bad":
            what = verdict.what if not verdict.where else verdict.where
            key = (verdict.cell.user, verdict.severity, what, verdict.mend)
            found.setdefault(key, (verdict, []))[1].append(verdict.cell)
    return [(verdict, tuple(cells)) for verdict, cells in found.values()]


def ways(cells: Iterable[Cell]) -> str:
    """The cells in words: "bash: login, both; zsh: interactive"."""
    by_shell: dict[str, list[str]] = {}
    for cell in cells:
        by_shell.setdefault(cell.shell, []).append(cell.mode)
    return "; ".join(
        ", ".join(modes) if shell == "-" else f"{shell}: {', '.join(modes)}"
        for shell, modes in by_shell.items()
    )


def verdicts(
    cells: Iterable[Cell], chains: Mapping[tuple[str, str, str], tuple[Cause, ...]],
    directory: str, *, cron: bool = False, links: bool = True,
) -> list[Verdict]:  # fmt: skip
    """The verdict on each cell, as `judge` gives it."""
    return [
        judge(cell, chains.get((cell.user, cell.shell, cell.mode), ()), directory, cron=cron,
              links=links)
        for cell in cells
    ]  # fmt: skip
