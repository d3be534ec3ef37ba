"""Spans of time, as people write them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from gostead.declaration.grammar import Refusal, text_check

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([1-9][0-9]{0,5})(s|m|h|d)")
_EXPECTED = "a duration: a whole number with its unit, 30m, 6h, 1d"


def check_duration(text: str) -> str:
    """`text` if it is a duration. Raises Refusal."""
    if not _DURATION.fullmatch(text):
        raise Refusal(_EXPECTED, "a whole number above 0, and s, m, h or d right behind it")
    return text


def seconds(text: str) -> int:
    """The seconds of a duration that `check_duration` let through. Raises ValueError for another
    text."""
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError(f"no duration: {text!r}")
    return int(match[1]) * UNITS[match[2]]


Duration = Annotated[
    str,
    BeforeValidator(text_check(check_duration, _EXPECTED)),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION.pattern}$"}),
]
