"""Which shells get the declared Go, and what happens to start-up files that work against it."""

from __future__ import annotations

import posixpath
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from gostead.declaration.grammar import REFUSED, Refusal, switch, text_check, without_duplicates

KINDS = ("bash", "zsh", "fish", "sh")


def _check_kinds(value: object) -> str | tuple[str, ...]:
    if value == "auto":
        return "auto"
    if isinstance(value, list | tuple) and value and all(kind in KINDS for kind in value):
        return without_duplicates(tuple(str(kind) for kind in value))
    context = {"expected": "auto, or a list of bash, zsh, fish, sh", "hint": ""}
    raise PydanticCustomError(REFUSED, "{expected}", context)


Kinds = Annotated[
    Literal["auto"] | tuple[str, ...],
    PlainValidator(_check_kinds),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "auto"},
                {"type": "array", "items": {"enum": list(KINDS)}, "minItems": 1},
            ]
        }
    ),
]


def _check_runner(text: str) -> str:
    if not text.startswith("/") or posixpath.normpath(text) != text or text == "/":
        raise Refusal("the absolute path of a runner's directory, without . or .. in it")
    if any(not c.isprintable() for c in text):
        raise Refusal("a path without control characters")
    return text


Runner = Annotated[
    str, BeforeValidator(text_check(_check_runner, "the absolute path of a runner's directory"))
]


class Shells(BaseModel):
    """The start-up files of the declared users and of the system."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    kinds: Kinds = Field(
        "auto",
        description="The kinds of shell whose start-up files are ours: `auto` (those that are "
        "installed), or a list of bash, zsh, fish, sh.",
        examples=[["bash", "zsh"]],
    )
    goroot: Literal["report", "comment-out"] = Field(
        "report",
        description="A line that exports a GOROOT of another Go: `report` names file and line, "
        "`comment-out` turns it into a comment until gostead is removed.",
        examples=["comment-out"],
    )
    cron: Annotated[bool, BeforeValidator(switch)] = Field(
        False,
        description="A PATH line on top of the declared users' crontabs: cron reads no start-up "
        "file, and Debian's does not look into /usr/local/bin.",
        examples=[True],
    )
    gui: Annotated[bool, BeforeValidator(switch)] = Field(
        False,
        description="On a Mac: a LaunchAgent of each declared user that puts the declared Go in "
        "front of the PATH of programs that are started at the screen, which read no start-up "
        "file. They see it when they are started anew.",
        examples=[True],
    )
    runners: Annotated[tuple[Runner, ...], AfterValidator(without_duplicates)] = Field(
        (),
        description="Directories of CI runners whose `.path` and `.env` get the declared Go "
        "(system scope). A running service reads them when it is started again.",
        examples=[["/home/ci/actions-runner"]],
    )

    def wanted(self, installed: tuple[str, ...]) -> tuple[str, ...]:
        """The kinds to serve where the shells `installed` are there; sh is everywhere."""
        if isinstance(self.kinds, str):
            return tuple(kind for kind in KINDS if kind == "sh" or kind in installed)
        return self.kinds
