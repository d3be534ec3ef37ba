"""Numbers of bytes, as people write them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from gostead.declaration.grammar import Refusal, text_check

UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_SIZE = re.compile(r"([1-9][0-9]{0,9})(KiB|MiB|GiB|TiB)")
_EXPECTED = "a number of bytes with its unit: 20GiB, 512MiB"


def check_size(text: str) -> str:
    """`text` if it is a size with a binary unit. Raises Refusal."""
    if not _SIZE.fullmatch(text):
        raise Refusal(_EXPECTED, "a whole number, and KiB, MiB, GiB or TiB right behind it")
    return text


def in_bytes(size: str) -> int:
    """The bytes of a size that `check_size` let through. Raises ValueError for another text."""
    match = _SIZE.fullmatch(size)
    if not match:
        raise ValueError(f"no size: {size!r}")
    return int(match[1]) * UNITS[match[2]]


def written(number: int) -> str:
    """Bytes as people read them, three figures at most: 1.5 GiB."""
    for unit, size in reversed(UNITS.items()):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number} bytes"


Size = Annotated[
    str,
    BeforeValidator(text_check(check_size, _EXPECTED)),
    WithJsonSchema({"type": "string", "pattern": f"^{_SIZE.pattern}$"}),
]
