"""What is wrong with a declaration, in three parts: what and where, what is allowed, what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MAX_SHOWN = 80
_USERINFO = re.compile(r".*:.*@", re.DOTALL)


@dataclass(frozen=True)
class Problem:
    """One finding about the declaration.

    `where` is "file:line" (or what stands in for it, such as a directory), `key` the path of the
    key ("go.toolchains.default", empty when the finding is about a whole file). No field ever holds
    the value of a secret, a control character, or a text of unbounded length.
    """

    where: str
    key: str
    found: str
    expected: str
    hint: str

    def __str__(self) -> str:
        subject = f"{self.where}: {self.key}" if self.key else self.where
        lines = [f"{subject}: found {self.found}", f"  expected: {self.expected}"]
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


class DeclarationError(ValueError):
    """The declaration cannot be used; `problems` holds everything that is wrong, at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Collector:
    """Gathers problems once each and keeps their number bounded, whatever a file holds."""

    LIMIT = 200

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str, str], Problem] = {}

    def add(self, problem: Problem) -> None:
        """Keep `problem`, unless the same finding is there already.

        Each file and both merged results are checked, so most findings come more than once.
        """
        if len(self._seen) < self.LIMIT:
            self._seen.setdefault((problem.where, problem.key, problem.found), problem)

    def raise_if_any(self) -> None:
        if self._seen:
            raise DeclarationError(self._seen.values())


def show(text: str) -> str:
    """`text` in quotes for a message: short, one line, printable, without a user:password@ part."""
    return '"' + printable(_USERINFO.sub("***@", text)) + '"'


def printable(text: str) -> str:
    """`text` cut to a readable length, with everything unprintable escaped (bidi controls too)."""
    if len(text) > MAX_SHOWN:
        text = text[:MAX_SHOWN] + "…"
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def did_you_mean(word: str, known: Sequence[str]) -> str | None:
    """The one of `known` that looks like `word`, or None."""
    import difflib  # imported here: needed on errors only

    return next(iter(difflib.get_close_matches(word[:MAX_SHOWN], known, n=1, cutoff=0.6)), None)
