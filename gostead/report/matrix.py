"""The shells' matrix for people: a row for a user and shell, a column for a way of starting."""

from __future__ import annotations

import locale
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gostead.report.text import safe

COLUMNS = (
    ("login", "login"), ("interactive", "inter"), ("both", "both"), ("plain", "-c"),
    ("script", "script"), ("ssh-command", "ssh"), ("ssh-terminal", "ssh-t"), ("su", "su"),
    ("sudo-login", "sudo-i"), ("sudo", "sudo"), ("cron", "cron"), ("tmux", "tmux"),
    ("nested", "nested"), ("bare", "bare"),
)  # fmt: skip
#: Ways that a user has once, whatever the shell: they stand in the row of the user.
_SHELLS_OWN = ("login", "interactive", "both", "plain", "script")


def matrix_lines(cells: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A table: a tick for a cell that is as declared, a cross for one that is not, a dot where that
    way does not exist. ASCII where the terminal has no more."""
    if not cells:
        return
    wide = "utf" in (locale.getpreferredencoding(False) or "").lower()
    marks = dict(zip(("good", "bad", "not-applicable"), "✓✗·" if wide else "+X.", strict=True))
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for cell in cells:
        shell = cell["shell"] if cell["mode"] in _SHELLS_OWN else ""
        rows.setdefault((cell["user"], shell), {})[cell["mode"]] = marks[cell["verdict"]]
    name = max(4, *(len(safe(user)) for user, _ in rows))
    yield f"{'user':<{name}}  shell " + " ".join(f"{title:>6}" for _, title in COLUMNS)
    for (user, shell), row in rows.items():
        filled = " ".join(f"{row.get(mode, ''):>6}" for mode, _ in COLUMNS)
        yield f"{safe(user):<{name}}  {shell:<5} {filled}".rstrip()
    good = sum(cell["verdict"] == "good" for cell in cells)
    asked = sum(cell["verdict"] != "not-applicable" for cell in cells)
    yield f"{good} of {asked} ways of starting a shell run the declared go, once on PATH"
