"""Glue between the checks of this package and pydantic: a refusal that says what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pydantic_core import PydanticCustomError

REFUSED = "declaration"


class Refusal(ValueError):
    """A value is not allowed: what is, and what to do. Never carries the value itself."""

    def __init__(self, expected: str, hint: str = "") -> None:
        self.expected = expected
        self.hint = hint
        super().__init__(expected + (f" ({hint})" if hint else ""))


def text_check(check: Callable[[str], str], expected: str) -> Callable[[object], str]:
    """`check` as a pydantic validator, which also refuses what is not text."""

    def validate(value: object) -> str:
        if not isinstance(value, str):
            raise PydanticCustomError(REFUSED, "{expected}", {"expected": expected, "hint": ""})
        try:
            return check(value)
        except Refusal as refusal:
            context = {"expected": refusal.expected, "hint": refusal.hint}
        raise PydanticCustomError(REFUSED, "{expected}", context)

    return validate


def switch(value: object) -> bool:
    """A pydantic validator for keys that are true or false; on, off, yes and no are words here."""
    known = {True: True, False: False, "true": True, "false": False}
    if not isinstance(value, bool | str) or value not in known:
        raise PydanticCustomError(REFUSED, "{expected}", {"expected": "true or false", "hint": ""})
    return known[value]


def without_duplicates(values: tuple[str, ...]) -> tuple[str, ...]:
    """A pydantic validator for lists in which each value may stand once."""
    double = {value for value in values if values.count(value) > 1}
    if double:
        context = {"expected": "each value once", "hint": f"remove one {_listed(sorted(double))}"}
        raise PydanticCustomError(REFUSED, "{expected}", context)
    return values


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)
