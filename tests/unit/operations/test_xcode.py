"""What is planned about Apple's developer tools, by what a Mac has: no Mac and no stand-in."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest

from gostead.declaration import GoSetup
from gostead.declaration.xcode import SDK, TOOLS
from gostead.facts.xcode import Application, XcodeState
from gostead.operations.xcode import fights, plan
from tests.unit.operations.test_plan import converged, system

USUAL = Application("/Applications/Xcode.app", (26, 6))
OLD = Application("/Applications/Xcode-16.4.0.app", (16, 4))
NEW = Application("/Applications/Xcode-26.7.app", (26, 7))
BETA = Application("/Applications/Xcode-beta.app", (27, 0))
NUMBERED_BETA = Application("/Applications/Xcode-27.0.0-Beta.3.app", (27, 0))


def planned(there: XcodeState, **go: object) -> list[str]:
    """What would be changed or is told: item, and where to or what."""
    state = dataclasses.replace(
        converged(), system=system("darwin-arm64", (26, 1)),
        xcode=dataclasses.replace(there, asked=True),
    )  # fmt: skip
    found = plan(GoSetup.model_validate(go), state)
    changed = [f"{one.item}: {one.after}" for one in found.changes]
    return changed + [f"{one.item}: {one.what}" for one in found.findings]


#: The Xcodes that are there, what is selected, and the one that is to be; empty: none will do.
CHOSEN = {
    "the usual one before a newer": ((USUAL, NEW, OLD), TOOLS, USUAL),
    "the newest where none is at the usual place": ((OLD, NEW), "", NEW),
    "no beta": ((OLD, BETA, NUMBERED_BETA), TOOLS, OLD),
    "a beta alone": ((BETA,), TOOLS, None),
    "the selected one": ((USUAL, NEW, OLD), f"{OLD.path}/Contents/Developer", OLD),
    "a beta that is selected": ((USUAL, BETA), f"{BETA.path}/Contents/Developer", BETA),
    "none": ((), TOOLS, None),
}


@pytest.mark.parametrize("story", CHOSEN)
def test_which_xcode_is_selected(story: str) -> None:
    there, selected, wanted = CHOSEN[story]
    xcode = XcodeState(selected=selected, selectable=True, applications=there, agreed=(99,))
    told = planned(xcode, xcode={"select": "xcode"})
    if wanted is None:
        beta = " but a beta" if there else ""
        assert told == [f"xcode-select: there is no Xcode{beta} in /Applications"]
    else:
        developer = f"{wanted.path}/Contents/Developer"
        assert told == ([] if selected == developer else [f"xcode-select: {developer}"])


INSIDE = "Contents/Developer/Platforms/MacOSX.platform/Developer/SDKs"


@pytest.mark.parametrize(
    ("sdkroot", "stays"),
    [
        (SDK, True),
        (f"{USUAL.path}/{INSIDE}/MacOSX.sdk", True),
        (f"{USUAL.path}/{INSIDE}/MacOSX26.5.sdk", False),
        (f"{OLD.path}/{INSIDE}/MacOSX.sdk", False),  # of an Xcode that is not here
        (f"{TOOLS}/SDKs/MacOSX26.sdk", False),
    ],
)
def test_which_sdk_outlives_an_update(sdkroot: str, stays: bool) -> None:
    digest = hashlib.sha256(sdkroot.encode()).hexdigest()
    said = fights(GoSetup(), XcodeState(applications=(USUAL,)), "SDKROOT", digest)
    assert ("breaks at the next update" in said) is not stays
    assert bool(said) is not stays


def test_a_debugger_needs_apples_debugserver() -> None:
    tools = ["github.com/go-delve/delve/cmd/dlv@v1.25.2"]
    (told,) = planned(XcodeState(), tools=tools)
    assert told.startswith("dlv: finds no debugserver")
    assert planned(XcodeState(directory=True, clang=True, receipt=(26,), sdks=((26, 5),)),
                   tools=tools) == []  # fmt: skip
    assert planned(XcodeState(applications=(USUAL,)), tools=tools) == []
    (told,) = planned(XcodeState(applications=(NEW,)), tools=tools)  # dlv does not look there
    assert told.startswith("dlv: ")
    coming = planned(XcodeState(), tools=tools, xcode={"command_line_tools": "present"})
    assert not any(one.startswith("dlv: ") for one in coming)
    assert planned(XcodeState(), tools=["golang.org/x/tools/gopls@v0.21.0"]) == []
