"""Processes that Go work left behind: whether they are told, or ended."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from gostead.declaration.durations import Duration


class Orphans(BaseModel):
    """What becomes of processes of the declared users whose parent died: children of `go run`,
    test binaries, compilers, gopls, dlv."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    action: Literal["off", "report", "terminate"] = Field(
        "report",
        description="`report`: each is a finding. `terminate`: ended, and what builds left in "
        "directories for temporary files removed. `off`: nobody looks.",
        examples=["terminate"],
    )
    min_age: Duration = Field(
        "30m",
        description="A process that is not older is nobody's orphan yet.",
        examples=["2h"],
    )
