"""The real release for Apple silicon, installed on the stand-in and looked at. It cannot run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gostead.declaration.pins import shipped_pins
from gostead.sources import Request, SourceError, obtain
from tests.hosts.darwin.mac import Mac
from tests.support.controller import Controller
from tests.support.requirements import cannot_run

Apple = Callable[..., tuple[Mac, Controller]]
TREE = "/opt/gostead/toolchains/go1.27.3"


@pytest.mark.slow
def test_the_release_for_apple_silicon_is_installed_and_is_what_apple_signed(
    apple: Apple, tmp_path: Path
) -> None:
    mac, controller = apple()
    controller.seconds = 600
    pin = shipped_pins()["1.27.3"]["darwin-arm64"]
    request = Request(
        version="1.27.3", platform="darwin-arm64", h1=pin.h1, sources=("module", "archive")
    )
    try:
        obtain(request, cache=tmp_path / "home/.cache/gostead")
    except SourceError as error:
        cannot_run(f"go1.27.3 for darwin-arm64 cannot be fetched: {error}")
    pins = {"1.27.3": {"darwin-arm64": {"h1": pin.h1}}}
    controller.site.declare({"sources": ["module"], "pins": pins}, users=["kim"])
    controller.converge()
    assert controller.changes(controller.converge()) == {}
    go = f"{TREE}/bin/go"
    assert mac.shell(f"file {go}").stdout == f"{go}: Mach-O 64-bit executable arm64\n"
    signed = mac.shell(f"codesign -d -v {go}").stderr
    assert "Identifier=org.golang.go\n" in signed
    assert "flags=0x10000(runtime)" in signed
    assert "TeamIdentifier=EQHXZ8M8AV\n" in signed
    # Replaced beside, not in place: macOS keeps what it knows of a signature with the file.
    number = f"stat -f %i {go}"
    before = mac.shell(number).stdout
    mac.shell(f"chmod u+w {go}; printf x | dd of={go} bs=1 seek=900 conv=notrunc 2>/dev/null")
    assert controller.changes(controller.converge()) == {TREE: "changed"}
    assert mac.shell(number).stdout != before
    assert (mac.touched, mac.unknown) == ([], [])
