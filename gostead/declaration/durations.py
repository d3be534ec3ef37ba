"""Spans of time, as people write them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from gostead.declaration.grammar import Refusal, text_check

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_EXPECTED = "a span of time with its unit: 30m, 2h, 90s, 1d"


def check_duration(text: str) -> str:
    """`text` if it is a span of time with one unit. Raises Refusal."""
    if not _DURATION.fullmatch(text):
        hint = "a whole number above 0, and s, m, h or d right behind it (90m, not 1h30m)"
        raise Refusal(_EXPECTED, hint)
    return text


def seconds(duration: str) -> int:
    """The seconds of a span that `check_duration` let through. Raises ValueError for another."""
    match = _DURATION.fullmatch(duration)
    if not match:
        raise ValueError(f"no span of time: {duration!r}")
    return int(match[1]) * UNITS[match[2]]


def spoken(number: float) -> str:
    """Seconds as people read them, in the largest unit of which there are two: 45 s, 90 min."""
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if number >= 2 * size:
            return f"{int(number // size)} {unit}"
    return f"{max(0, int(number))} s"


Duration = Annotated[
    str,
    BeforeValidator(text_check(check_duration, _EXPECTED)),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION.pattern}$"}),
]
