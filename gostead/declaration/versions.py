"""Go release names and platforms: their grammar, their order, and what macOS they need."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

from gostead.declaration.grammar import Refusal, text_check
from gostead.declaration.problems import did_you_mean

# go.dev/doc/devel/release and internal/gover: 1.21 and later are released as 1.N.P and 1.NrcR;
# before that the first release of a minor was 1.N, and betas existed.
_VERSION = re.compile(
    r"(?P<major>[1-9][0-9]{0,3})\.(?P<minor>0|[1-9][0-9]{0,3})"
    r"(?:\.(?P<patch>0|[1-9][0-9]{0,3}))?(?:(?P<kind>beta|rc)(?P<pre>[1-9][0-9]{0,2}))?"
)
# The same for JSON Schema, whose ECMA regular expressions name groups in another way.
_PATTERN = f"^{re.sub(r'[(][?]P<[a-z]+>', '(?:', _VERSION.pattern)}$"
_EXPECTED_VERSION = 'the full name of a Go release in quotes, such as "1.27.3" or "1.28rc1"'

PLATFORMS = (
    "linux-amd64",
    "linux-arm64",
    "darwin-amd64",
    "darwin-arm64",
    "linux-386",
    "linux-loong64",
    "linux-ppc64le",
    "linux-riscv64",
    "linux-s390x",
)
"""Those whose name in archives and in toolchain modules is the same (linux-arm's is not)."""

_MINIMUM_MACOS = {(1, 21): (10, 15), (1, 23): (11,), (1, 25): (12,), (1, 27): (13,)}


def check_version(text: str) -> str:
    """`text` if it names a Go release ("1.27.3", without "go"). Raises Refusal."""
    match = _VERSION.fullmatch(text)
    if match is None:
        bare = text.strip().removeprefix("go").removeprefix("v").strip()
        if bare != text and _VERSION.fullmatch(bare):
            raise Refusal(_EXPECTED_VERSION, f'write "{bare}"')
        raise Refusal(_EXPECTED_VERSION, "the releases are listed on go.dev/dl")
    release = int(match["major"]), int(match["minor"])
    if release >= (1, 21) and match["patch"] is None and match["kind"] is None:
        hint = f'{text} is a language version; its first release is "{text}.0"'
        raise Refusal(_EXPECTED_VERSION, hint)
    if release >= (1, 21) and match["patch"] is not None and match["kind"] is not None:
        raise Refusal(_EXPECTED_VERSION, "a release candidate has no patch number")
    return text


def version_key(version: str) -> tuple[int, int, int, int, int]:
    """Sorts releases as Go does: 1.27rc1 < 1.27rc2 < 1.27.0 < 1.27.3. Raises Refusal."""
    match = _VERSION.fullmatch(version)
    if match is None:
        raise Refusal(_EXPECTED_VERSION)
    rank = {"beta": 0, "rc": 1, None: 2}[match["kind"]]
    patch, pre = int(match["patch"] or 0), int(match["pre"] or 0)
    return int(match["major"]), int(match["minor"]), patch, rank, pre


def minimum_macos(version: str) -> tuple[int, ...]:
    """The oldest macOS that `version` runs on, as (11,) or (10, 15). Raises Refusal.

    Source: the release notes of 1.21, 1.23, 1.25 and 1.27; 1.17 to 1.20 need 10.13.
    """
    release = version_key(version)[:2]
    known = [needed for since, needed in _MINIMUM_MACOS.items() if since <= release]
    return known[-1] if known else (10, 13)


def check_platform(text: str) -> str:
    """`text` if it is one of PLATFORMS. Raises Refusal."""
    if text not in PLATFORMS:
        meant = did_you_mean(text, PLATFORMS)
        hint = f'did you mean "{meant}"?' if meant else "<system>-<architecture>"
        raise Refusal("one of " + ", ".join(PLATFORMS), hint)
    return text


Version = Annotated[
    str,
    BeforeValidator(text_check(check_version, _EXPECTED_VERSION)),
    Field(
        json_schema_extra={"pattern": f"^{re.sub(r'[(][?]P<[a-z]+>', '(?:', _VERSION.pattern)}$"}
    ),
]
Platform = Annotated[
    str,
    BeforeValidator(text_check(check_platform, "a platform, such as linux-amd64")),
    Field(json_schema_extra={"enum": list(PLATFORMS)}),
]
