"""A YAML document as immutable nodes that each know the file and line they stand on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# YAML 1.2's core schema without its octal and hexadecimal forms. PyYAML follows YAML 1.1, where
# `off` is a boolean, `010` is eight and `1:30` is ninety; no declaration means that.
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]{1,17}\.[0-9]{0,17}|\.[0-9]{1,17})(?:[eE][-+]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. `tag` is "env" or "file" for a value that is read on the controller."""

    file: str
    line: int
    text: str
    plain: bool = True
    tag: str | None = None

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def is_null(self) -> bool:
        return self.plain and self.tag is None and self.text in _NULLS

    @property
    def is_blank(self) -> bool:
        """True for a key with nothing after it, as when all that belongs to it is commented out."""
        return self.is_null and self.text == ""

    def value(self) -> str | int | float | None:
        """The value as YAML 1.2 reads it, but true, false, on, off, yes, no as the words they are.

        What a word means is for the key to say: `links: off` is the word, and pydantic reads words
        as booleans where a key is one.
        """
        if not self.plain or self.tag is not None:
            return self.text
        if self.text in _NULLS:
            return None
        if _WHOLE.fullmatch(self.text):
            return int(self.text)
        if _DECIMAL.fullmatch(self.text):
            return float(self.text)
        return self.text


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    file: str
    line: int
    items: tuple[Node, ...] = ()

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value. `line` is the key's, which is what a reader looks for."""

    file: str
    line: int
    node: Node

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Table:
    """A map from text keys to entries, in the order written.

    `reset` is the file:line of a null in a weaker layer, which took away all that was there before.
    """

    file: str
    line: int
    entries: Mapping[str, Entry]
    reset: str | None = None

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"


Node = Scalar | Items | Table
