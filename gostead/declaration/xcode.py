"""What a Mac has of Apple's developer tools: the Command Line Tools, the selection, the SDK."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gostead.declaration.grammar import Refusal, text_check

WORDS = ("latest", "present", "absent")
_EXPECTED = 'latest, present, absent, or a version such as "16.4" (in quotes: 16.10 is not 16.1)'
#: Where Apple's package puts them; what has softwareupdate offer them; and the SDK's name that
#: outlives an update.
TOOLS = "/Library/Developer/CommandLineTools"
MARKER = "/tmp/.com.apple.dt.CommandLineTools.installondemand.in-progress"  # noqa: S108
SDK = f"{TOOLS}/SDKs/MacOSX.sdk"
#: Where Apple's installer puts Xcode.
XCODE = "/Applications/Xcode.app"


def sdk_of(application: str) -> str:
    """The SDK's name that outlives an update, in an Xcode that is there."""
    return f"{application}/Contents/Developer/Platforms/MacOSX.platform/Developer/SDKs/MacOSX.sdk"


def _check_tools(text: str) -> str:
    if text not in WORDS and not re.fullmatch(r"\d{1,2}\.\d{1,2}(\.\d{1,2})?", text):
        raise Refusal(_EXPECTED)
    return text


class Xcode(BaseModel):
    """Apple's developer tools on macOS. Nothing of it is looked at on Linux."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    command_line_tools: (
        Annotated[str, BeforeValidator(text_check(_check_tools, _EXPECTED))] | None
    ) = Field(
        None,
        description="The Command Line Tools: `present` (some that work), `latest` (the newest that "
        "Apple offers this Mac), a version, or `absent`. null: only told. Root installs them, "
        "without a dialogue.",
        examples=["latest", "16.4"],
    )
    select: Literal["command-line-tools", "xcode"] | None = Field(
        None,
        description="Which developer directory `xcode-select` names. `xcode`: the Xcode that is "
        "selected, else /Applications/Xcode.app, else the newest that is no beta. null: as it is, "
        "unless it leads nowhere and the tools were installed just now.",
        examples=["command-line-tools"],
    )
    sdkroot: Literal["unset", "default"] | None = Field(
        None,
        description="`unset`: no start-up file may export SDKROOT. `default`: the users' shells "
        "export the name of the SDK that an update does not change. null: only told. An SDKROOT "
        "with a version is always told: it breaks at the next update.",
        examples=["unset"],
    )
    rosetta: Literal["native", "any"] = Field(
        "native",
        description="`native`: a Go for Intel processors on Apple silicon is told: it works, "
        "several times slower, and builds for the wrong processor.",
        examples=["any"],
    )

    @property
    def version(self) -> str | None:
        """The version that is asked for, if one is."""
        wanted = self.command_line_tools
        return None if wanted is None or wanted in WORDS else wanted
