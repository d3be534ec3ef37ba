"""Declared pins over shipped ones, and what is said where there is none."""

from __future__ import annotations

import base64
import itertools

import pytest

from gostead.declaration import GoSetup, MissingPin, Pin, pin_for, shipped_pins
from gostead.declaration.pins import check_h1, check_sha256

OTHER = "h1:" + base64.b64encode(bytes(range(32))).decode()
SHA256 = "0123456789abcdef" * 4
SHIPPED_PLATFORMS = ("linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64")


def declaring(version: str, **hashes: str) -> GoSetup:
    pins = {version: {"linux-amd64": hashes}}
    return GoSetup.model_validate({"toolchains": {"pins": pins}})


@pytest.mark.parametrize(
    ("version", "platform"),
    list(itertools.product(("1.27.3", "1.26.8", "1.25.14"), SHIPPED_PLATFORMS)),
)
def test_pins_are_shipped_with_where_each_number_comes_from(version: str, platform: str) -> None:
    pin = pin_for(GoSetup(), version, platform)
    assert check_h1(pin.h1) == pin.h1
    assert pin.sha256 is None or check_sha256(pin.sha256) == pin.sha256
    assert "sum.golang.org, record " in pin.source
    assert (pin.sha256 is not None) == ("; sha256 as in " in pin.source)


def test_no_two_shipped_pins_are_the_same() -> None:
    pins = [pin for rows in shipped_pins().values() for pin in rows.values()]
    assert len({pin.h1 for pin in pins}) == len(pins) == 12


def test_the_default_release_is_shipped_for_every_platform() -> None:
    assert set(shipped_pins()[GoSetup().toolchains.default]) == set(SHIPPED_PLATFORMS)


def test_a_declared_sha256_completes_the_shipped_h1() -> None:
    shipped = pin_for(GoSetup(), "1.27.3", "linux-amd64")
    pin = pin_for(declaring("1.27.3", sha256=SHA256.upper()), "1.27.3", "linux-amd64")
    assert (pin.h1, pin.sha256) == (shipped.h1, SHA256)
    assert pin.source == f"{shipped.source}; sha256 declared in toolchains.pins"


def test_a_declared_sha256_replaces_the_shipped_one() -> None:
    pin = pin_for(declaring("1.25.14", sha256=SHA256), "1.25.14", "linux-amd64")
    assert pin.sha256 == SHA256
    assert pin.source.endswith("record 60244367; sha256 declared in toolchains.pins")


def test_another_h1_drops_the_sha256_of_other_bytes() -> None:
    pin = pin_for(declaring("1.25.14", h1=OTHER), "1.25.14", "linux-amd64")
    assert pin == Pin(OTHER, None, "declared in toolchains.pins")


def test_the_same_h1_keeps_the_shipped_sha256() -> None:
    shipped = pin_for(GoSetup(), "1.25.14", "linux-amd64")
    pin = pin_for(declaring("1.25.14", h1=shipped.h1), "1.25.14", "linux-amd64")
    assert (pin.h1, pin.sha256) == (shipped.h1, shipped.sha256)


def test_a_release_that_is_not_shipped_can_be_declared() -> None:
    pin = pin_for(declaring("1.27.9", h1=OTHER, sha256=SHA256), "1.27.9", "linux-amd64")
    assert pin == Pin(OTHER, SHA256, "declared in toolchains.pins")


@pytest.mark.parametrize(
    "setup", [GoSetup(), declaring("1.27.9"), declaring("1.27.9", sha256=SHA256)]
)
def test_a_missing_pin_names_version_platform_and_what_to_do(setup: GoSetup) -> None:
    with pytest.raises(MissingPin) as caught:
        pin_for(setup, "1.27.9", "linux-amd64")
    text = str(caught.value)
    assert text.startswith("no pin for go1.27.9 on linux-amd64\n")
    assert "1.27.3, 1.26.8, 1.25.14" in text
    assert 'toolchains: {pins: {"1.27.9": {linux-amd64: {h1: ' in text


def test_a_pin_of_one_platform_is_none_for_another() -> None:
    with pytest.raises(MissingPin, match="linux-arm64"):
        pin_for(declaring("1.27.9", h1=OTHER), "1.27.9", "linux-arm64")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "h1:",
        OTHER.removeprefix("h1:"),
        OTHER[:-1],
        OTHER + "\n",
        OTHER.replace("h1:", "h2:"),
        OTHER[:-2] + "9=",  # the same 32 bytes in another spelling
        "h1:" + base64.b64encode(bytes(31)).decode(),
        "h1:" + base64.b64encode(bytes(33)).decode(),
        "h1:" + "é" * 43 + "=",
    ],
)
def test_what_is_no_h1(text: str) -> None:
    with pytest.raises(ValueError, match="base64 of 32 bytes"):
        check_h1(text)


@pytest.mark.parametrize("text", ["", SHA256[:-1], f"{SHA256}0", f"{SHA256}\n", "g" * 64])
def test_what_is_no_sha256(text: str) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        check_sha256(text)
