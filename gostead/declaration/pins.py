"""Pins: the hashes a toolchain must have, shipped with the package or declared over it."""

from __future__ import annotations

import base64
import binascii
import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gostead.declaration.grammar import Refusal, text_check

if TYPE_CHECKING:
    from gostead.declaration.go_setup import GoSetup

_SHA256 = re.compile(r"[0-9a-f]{64}")
_EXPECTED_H1 = '"h1:" and the base64 of 32 bytes, as in go.sum'
_EXPECTED_SHA256 = "64 hexadecimal digits in quotes"
_SHIPPED = Path(__file__).with_name("data") / "pins.json"
DECLARED = "declared in toolchains.pins"


@dataclass(frozen=True)
class Pin:
    """What one toolchain must hash to, and where the numbers come from.

    `h1` is Go's Hash1 of the toolchain module's tree (golang.org/x/mod/sumdb/dirhash), `sha256`
    that of the binary archive, None where it is not known.
    """

    h1: str
    sha256: str | None
    source: str


class MissingPin(ValueError):
    """No h1 is known for this version on this platform: it could not be verified, so is not had."""

    def __init__(self, version: str, platform: str, known: tuple[str, ...]) -> None:
        self.version = version
        self.platform = platform
        super().__init__(
            f"no pin for go{version} on {platform}\n"
            f"  expected: a version with a pin for {platform}: {', '.join(known) or 'none known'}\n"
            f"  hint: declare it with the h1 that Go's checksum database gives: "
            f'toolchains: {{pins: {{"{version}": {{{platform}: {{h1: "h1:…"}}}}}}}}'
        )


def check_h1(text: str) -> str:
    """`text` if it is a Hash1 in its one canonical form. Raises Refusal."""
    encoded = text.removeprefix("h1:")
    try:
        digest = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    canonical = base64.b64encode(digest).decode("ascii")
    if len(digest) != 32 or text != "h1:" + canonical:
        raise Refusal(_EXPECTED_H1, "copy it from a go.sum line or from the checksum database")
    return text


def check_sha256(text: str) -> str:
    """`text` in lower case if it is a SHA-256. Raises Refusal."""
    if not _SHA256.fullmatch(text.lower()):
        raise Refusal(_EXPECTED_SHA256, "copy it from go.dev/dl")
    return text.lower()


class DeclaredPin(BaseModel):
    """The hashes of one toolchain as users write them; either may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    h1: Annotated[str, BeforeValidator(text_check(check_h1, _EXPECTED_H1))] | None = Field(
        None,
        description="Hash1 of the toolchain module's tree; every source is checked against it on "
        "the host. Left out: the shipped one.",
        examples=["h1:r0ub+FnqzZxoWm/dSUOI9DcIqYWn/mNYGFJcv7PyBzs="],
    )
    sha256: Annotated[str, BeforeValidator(text_check(check_sha256, _EXPECTED_SHA256))] | None = (
        Field(
            None,
            description="SHA-256 of the .tar.gz archive; needed where a host fetches by itself.",
            examples=["a" * 64],
        )
    )


@functools.cache
def shipped_pins() -> Mapping[str, Mapping[str, Pin]]:
    """The pins inside the package, by version and platform."""
    table = json.loads(_SHIPPED.read_text(encoding="utf-8"))["pins"]
    return {
        version: {platform: _shipped_pin(row) for platform, row in rows.items()}
        for version, rows in table.items()
    }


def _shipped_pin(row: Mapping[str, str | int]) -> Pin:
    source = f"Go checksum database sum.golang.org, record {row['record']}"
    sha256 = row.get("sha256")
    if sha256 is not None:
        source += f"; sha256 as in {row['sha256_source']}"
    return Pin(str(row["h1"]), None if sha256 is None else str(sha256), source)


def pin_for(setup: GoSetup, version: str, platform: str) -> Pin:
    """The pin of `version` on `platform`: what is declared over what is shipped.

    A declared sha256 alone completes the shipped h1. A declared h1 that differs from the shipped
    one replaces the whole shipped pin: its sha256 vouches for other bytes. Raises MissingPin.
    """
    declared = setup.toolchains.pins.get(version, {}).get(platform)
    shipped = shipped_pins().get(version, {}).get(platform)
    if declared is None or (declared.h1 is None and declared.sha256 is None):
        if shipped is None:
            raise MissingPin(version, platform, _known(setup, platform))
        return shipped
    if shipped is not None and declared.h1 in (None, shipped.h1):
        source = shipped.source if declared.h1 is None else DECLARED
        if declared.sha256 in (None, shipped.sha256):
            return Pin(shipped.h1, shipped.sha256, source)
        also = "" if source == DECLARED else f"; sha256 {DECLARED}"
        return Pin(shipped.h1, declared.sha256, source.partition(";")[0] + also)
    if declared.h1 is None:
        raise MissingPin(version, platform, _known(setup, platform))
    return Pin(declared.h1, declared.sha256, DECLARED)


def _known(setup: GoSetup, platform: str) -> tuple[str, ...]:
    """The versions that have an h1 for `platform`, newest first."""
    from gostead.declaration.versions import version_key

    versions = {version for version, rows in shipped_pins().items() if platform in rows}
    for version, rows in setup.toolchains.pins.items():
        if platform in rows and rows[platform].h1 is not None:
            versions.add(version)
    return tuple(sorted(versions, key=version_key, reverse=True))
