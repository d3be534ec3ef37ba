"""The C compiler that cgo needs."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gostead.declaration.go_env import check_value
from gostead.declaration.grammar import switch, text_check


def _command(name: str) -> BeforeValidator:
    def check(text: str) -> str:
        check_value(name, text)
        return text

    return BeforeValidator(text_check(check, f"a command for {name}: a name or an absolute path"))


class Compiler(BaseModel):
    """The commands that compile C and C++ for cgo."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    CC: Annotated[str, _command("CC")] | None = Field(
        None, description="The C compiler, options behind it.", examples=["gcc-12"]
    )
    CXX: Annotated[str, _command("CXX")] | None = Field(
        None, description="The C++ compiler, options behind it.", examples=["g++-12"]
    )


class Cgo(BaseModel):
    """What cgo needs of a host."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    required: Annotated[bool, BeforeValidator(switch)] = Field(
        False,
        description="There must be a C compiler that links a cgo program which runs here.",
        examples=[True],
    )
    install: Annotated[bool, BeforeValidator(switch)] = Field(
        False,
        description="The distribution's packages that bring it are installed (Debian and its "
        "descendants, system scope). They stay when gostead is removed.",
        examples=[True],
    )
    compiler: Compiler = Field(
        Compiler(),
        description="CC and CXX in the users' Go settings.",
        examples=[{"CC": "gcc-12", "CXX": "g++-12"}],
    )

    def settings(self) -> dict[str, str]:
        """The Go settings that follow from it."""
        both = {"CC": self.compiler.CC, "CXX": self.compiler.CXX}
        return {name: value for name, value in both.items() if value}
