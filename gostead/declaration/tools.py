"""Tools that are built with the declared Go: module paths with their exact versions."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from gostead.declaration.grammar import REFUSED, Refusal, text_check, without_duplicates

# golang.org/ref/mod#module-path, narrower: no path element begins with a dot.
_PATH = re.compile(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)+(/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*")
_VERSION = re.compile(
    r"v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\+incompatible)?"
)
_EXPECTED = "a package and its exact version, such as golang.org/x/tools/gopls@v0.21.0"


def check_tool(text: str) -> str:
    """`text` if it is package@version, the version complete. Raises Refusal."""
    path, at, version = text.partition("@")
    if not at:
        raise Refusal(_EXPECTED, "add @v and the version: `go list -m -versions MODULE` lists them")
    if not _PATH.fullmatch(path) or len(path) > 400:
        raise Refusal(_EXPECTED, "a package path begins with a host name, without https://")
    if not _VERSION.fullmatch(version) or len(version) > 100:
        hint = "three numbers: no latest, no branch, no v1; what runs tomorrow is declared today"
        raise Refusal(_EXPECTED, hint)
    if name_of(text) in ("go", "gofmt"):
        raise Refusal("a tool with a name of its own", "go and gofmt are the toolchain's")
    return text


def name_of(tool: str) -> str:
    """The name of the binary that `go install` makes of it: the last element that is no /vN."""
    parts = tool.partition("@")[0].split("/")
    if len(parts) > 1 and re.fullmatch(r"v[1-9][0-9]*", parts[-1]):
        parts.pop()
    return parts[-1]


def without_namesakes(tools: tuple[str, ...]) -> tuple[str, ...]:
    """A pydantic validator: two tools cannot have one binary."""
    names = [name_of(tool) for tool in without_duplicates(tools)]
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        context = {"expected": "one tool for each binary", "hint": f"two make {', '.join(double)}"}
        raise PydanticCustomError(REFUSED, "{expected}", context)
    return tools


Tool = Annotated[
    str,
    BeforeValidator(text_check(check_tool, _EXPECTED)),
    Field(json_schema_extra={"pattern": f"^{_PATH.pattern}@{_VERSION.pattern}$"}),
]
