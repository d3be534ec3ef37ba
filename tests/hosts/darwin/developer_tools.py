"""What the tests of Apple's developer tools on stand-ins of Macs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.hosts.darwin.mac import Mac
from tests.support.controller import Controller

Apple = Callable[..., tuple[Mac, Controller]]
TOOLS = "/Library/Developer/CommandLineTools"
MARKER = "/private/tmp/.com.apple.dt.CommandLineTools.installondemand.in-progress"
ITEM = "Command Line Tools"
ONLY = ("--subject", "toolchains", "--subject", "xcode")


def declare(controller: Controller, **xcode: Any) -> None:
    """Declares these keys of xcode. The oldest Go of the site runs on every Mac of the tests."""
    controller.site.declare({"default": "1.27.3"}, users=["kim"], xcode=xcode)


def apply(controller: Controller) -> dict[str, Any]:
    """Converges Go and Apple's tools; what was done about the latter, and found."""
    report = controller.ask("apply", "-y", *ONLY)
    (host,) = report["hosts"].values()
    changes = [change for change in host["changes"] if change["subject"] == "xcode"]
    return {**host, "changes": changes, "exit": report["exit"]}


def receipt(mac: Mac) -> str:
    """The version that pkgutil tells."""
    told = mac.shell("pkgutil --pkg-info=com.apple.pkg.CLTools_Executables").stdout
    return next(
        (line[9:] for line in told.splitlines() if line.startswith("version: ")), "no receipt"
    )


def left_alone(mac: Mac) -> None:
    """Nothing that opens a dialogue or upgrades macOS ran, and no marker is left."""
    assert (mac.touched, mac.unknown) == ([], [])
    assert mac.shell(f"ls {MARKER}").returncode != 0
