"""The declared Go setup of a host: what everything else is planned and checked against."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gostead.declaration.grammar import without_duplicates
from gostead.declaration.network import Network
from gostead.declaration.shells import Shells
from gostead.declaration.toolchains import Toolchains
from gostead.declaration.users import User


class GoSetup(BaseModel):
    """What one host should be. Immutable; every key has a quiet default."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    state: Literal["present", "absent"] = Field(
        "present",
        description="`absent` takes away all that gostead made and puts back what it replaced.",
        examples=["absent"],
    )
    scope: Literal["auto", "system", "user"] = Field(
        "auto",
        description="`system`: /opt/gostead, for every user, needs root. `user`: "
        "~/.local/share/gostead, needs nothing but a home. `auto`: system when the connection is "
        "root, else user.",
        examples=["user"],
    )
    users: Annotated[tuple[User, ...], AfterValidator(without_duplicates)] = Field(
        ("self",),
        description="Whose shells and settings are ours: names, `self` (who connects), `humans`.",
        examples=[["ci", "self"]],
    )
    toolchains: Toolchains = Field(
        Toolchains(),
        description="Which Go toolchains there are, and where they come from.",
        examples=[{"default": "1.27.3", "versions": ["1.26.8"]}],
    )
    shells: Shells = Field(
        Shells(),
        description="Which start-up files put the declared Go first on PATH.",
        examples=[{"kinds": ["bash", "zsh"], "cron": True}],
    )
    network: Network = Field(
        Network(),
        description="How downloads by host or controller reach the network.",
        examples=[{"proxy": "http://proxy.example.com:3128"}],
    )
