"""Go's build information: its forms, old and new, and blobs that lie about their length."""

from __future__ import annotations

import pytest

from gostead.artifact.buildinfo import MAGIC, find
from gostead.artifact.model import Contents, GoBuild, Part
from gostead.artifact.verdict import go_minimum, judge

MARK = bytes(range(0x30, 0x40))


def blob(version: str = "go1.27.3", text: str = "", flags: int = 2) -> bytes:
    """As the linker writes it: the strings behind their lengths, the text between two marks."""
    strings = [version.encode(), MARK + text.encode() + MARK if text else b""]
    return (MAGIC + bytes([8, flags])).ljust(32, b"\0") + b"".join(
        _varint(len(part)) + part for part in strings
    )


def _varint(number: int) -> bytes:
    made = b""
    while number >= 0x80:
        made, number = made + bytes([number & 0x7F | 0x80]), number >> 7
    return made + bytes([number])


def found(data: bytes, address: int = 0) -> GoBuild | None:
    return find(memoryview(data), address)


def test_what_is_in_it() -> None:
    text = (
        "path\texample.com/a\nmod\texample.com/a\tv1.2.3\th1:x\ndep\texample.com/b\tv1\n"
        'build\t-ldflags="-s -w"\nbuild\tvcs.modified=true\nbuild\t`a key`=`x y`\n'
    )
    build = found(blob(text=text))
    assert build == GoBuild(
        "go1.27.3", "example.com/a", "example.com/a v1.2.3",
        {"-ldflags": "-s -w", "vcs.modified": "true", "a key": "x y"},
    )  # fmt: skip


def test_it_is_where_the_linker_aligns_it() -> None:
    assert found(b"x" * 8 + blob()) is None
    assert found(b"x" * 8 + blob(), address=8) is not None
    decoy = blob("go1.1").ljust(40, b"\0")
    build = found(b"x" * 8 + decoy + blob())
    assert build is not None
    assert build.version == "go1.27.3"


def test_before_1_18_there_are_pointers_and_no_settings() -> None:
    build = found(blob(flags=0))
    assert build is not None
    assert build.version == "a go older than 1.18"
    assert go_minimum(build) == ()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        MAGIC,
        blob()[:33],
        blob()[:32],
        blob()[:32] + b"\xff" * 12,
        blob()[:32] + b"\xff\xff\xff\xff\x0f" + b"go1.27.3",
        blob()[:32] + b"\x00\x00",
    ],
)
def test_a_blob_that_is_not_whole_is_none(data: bytes) -> None:
    assert found(data) is None


@pytest.mark.parametrize(
    "version", ["go1.27.3", "go1.27rc1", "go1.27.3 X:noswissmap", "go1.27.3-x"]
)
def test_the_macos_that_a_release_needs(version: str) -> None:
    assert go_minimum(GoBuild(version)) == (13,)


@pytest.mark.parametrize("version", ["devel go1.28-abc", "go1.", "", "go1.27.3.4.5"])
def test_of_what_is_no_release_nothing_is_known(version: str) -> None:
    assert go_minimum(GoBuild(version)) == ()


def test_a_changed_tree_and_a_wrong_processor_are_told() -> None:
    go = GoBuild("go1.27.3", settings={
        "GOARCH": "386", "vcs.modified": "true", "vcs.revision": "abcdef0123456789"})  # fmt: skip
    part = Part("", "Mach-O", "program", "amd64", go=go)
    told = {finding.severity: finding.what for finding in judge(Contents(1, parts=[part])).findings}
    assert told["note"] == "built from a changed tree: not what commit abcdef012345 holds"
    assert told["error"] == "Go built it for 386, its header says amd64"
