"""Where a Mach-O file is said to run, and what is found wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.artifacts import judged, wrong
from tests.support.binaries import AD_HOC, HARDENED, LINKER, macho, universal

DEVELOPER = {"flags": HARDENED, "team": "ABCDE12345",
             "cms": "Developer ID Application: Ann (ABCDE12345)"}  # fmt: skip


@pytest.mark.parametrize(
    ("image", "runs"),
    [
        (macho("arm64"), "macOS 13 or newer on Apple silicon; not on Intel"),
        (macho("amd64", minimum="12.3"), "macOS 12.3 or newer on Intel; on Apple silicon only by"),
        (macho("amd64", minimum="10.9", old=True), "macOS 10.9 or newer on Intel"),
        (macho("arm64", minimum="10.9"), "macOS 11 or newer on Apple silicon"),
        (macho("amd64", minimum=""), "macOS (it does not say which) on Intel"),
        (universal({"amd64": macho("amd64"), "arm64": macho("arm64")}),
         "macOS 13 or newer on Intel and on Apple silicon"),
        (macho("arm64", kind=6), "loads into programs on macOS 13"),
    ],
)  # fmt: skip
def test_where_it_runs(tmp_path: Path, image: bytes, runs: str) -> None:
    artifact, code = judged(tmp_path, image)
    assert len(artifact["runs"]) == 1
    assert runs in artifact["runs"][0]
    assert (code, artifact["status"], wrong(artifact)) == (0, "clean", [])


def test_slices_that_differ_have_a_line_each(tmp_path: Path) -> None:
    image = universal({"amd64": macho("amd64", minimum="10.15"), "arm64": macho("arm64")})
    assert judged(tmp_path, image)[0]["runs"] == [
        "runs on macOS 10.15 or newer on Intel",
        "runs on macOS 13 or newer on Apple silicon",
    ]


def test_a_file_for_a_telephone_is_not_for_a_mac(tmp_path: Path) -> None:
    artifact, _ = judged(tmp_path, macho(platform=2))
    assert artifact["runs"] == ["arm64: made for ios, not for macOS"]


def test_apple_silicon_kills_what_is_not_signed(tmp_path: Path) -> None:
    artifact, code = judged(tmp_path, macho("arm64", flags=None))
    assert code == 2
    assert "no code signature: Apple silicon kills it" in wrong(artifact)[0]
    assert artifact["runs"] == [
        "arm64: does not run on Apple silicon: it has no code signature, and is killed for that"
    ]
    # In a universal file the other slice is not taken instead of it.
    both = universal({"amd64": macho("amd64", flags=None), "arm64": macho("arm64", flags=None)})
    artifact, code = judged(tmp_path, both)
    assert code == 2
    assert len(wrong(artifact)) == 1
    assert "runs on macOS 13 or newer on Intel" in artifact["runs"]
    # An object is signed by whoever links it.
    assert judged(tmp_path, macho("arm64", kind=1, flags=None))[1] == 0


def test_a_signature_is_described(tmp_path: Path) -> None:
    def signature(**image: Any) -> dict[str, Any]:
        artifact, code = judged(tmp_path, macho(**image))
        assert code == 0
        found: dict[str, Any] = artifact["facts"]["parts"][0]["macho"]["signature"]
        return found

    linker = signature(flags=AD_HOC | LINKER)
    assert (linker["ad_hoc"], linker["by_linker"], linker["hardened"]) == (True, True, False)
    by_hand = signature(flags=AD_HOC)
    assert (by_hand["ad_hoc"], by_hand["by_linker"], by_hand["identifier"]) == (
        True,
        False,
        "hello",
    )
    developer = signature(**DEVELOPER)
    assert (developer["ad_hoc"], developer["hardened"]) == (False, True)
    assert developer["team"] == "ABCDE12345"
    assert developer["authority"] == "Developer ID Application: Ann (ABCDE12345)"


@pytest.mark.parametrize(
    ("options", "at", "said"),
    [
        ({}, 6000, "1 of 3 pages are not what was signed, the first at byte 4096"),
        (DEVELOPER, 12500, "1 of 4 pages"),
        ({}, b"\xfa\xde\x0c\x01", "its requirements are not those that were signed"),
        (DEVELOPER, b"hello\0", "its code directory is not the one that was signed"),
        ({"flags": 0}, None, "neither ad-hoc nor made with anybody's key"),
        ({}, b"\xfa\xde\x0c\xc0", "no list of blobs"),
        ({}, b"\xfa\xde\x0c\x02", "a code directory of an unknown form"),
    ],
)  # fmt: skip
def test_a_signature_that_does_not_hold_is_found(
    tmp_path: Path, options: dict[str, Any], at: int | bytes | None, said: str
) -> None:
    code = b"code" * (3200 if options == DEVELOPER else 2900)
    image = bytearray(macho(code=code, **options))
    if at is not None:
        position = image.rindex(at) + 3 if isinstance(at, bytes) else at
        position += 6 if at == b"\xfa\xde\x0c\x01" else 0
        image[position] ^= 0x10
    artifact, exit_code = judged(tmp_path, bytes(image))
    assert exit_code == 2
    assert any(said in what for what in wrong(artifact)), wrong(artifact)
    assert "does not run: " in artifact["runs"][0]


@pytest.mark.parametrize("path", ["/opt/homebrew/lib/libz.dylib", "/Users/ann/x/libz.dylib"])
def test_a_library_at_its_builders_place_is_found(tmp_path: Path, path: str) -> None:
    artifact, code = judged(tmp_path, macho(libraries=["/usr/lib/libSystem.B.dylib", path]))
    assert code == 2
    assert wrong(artifact) == [f"links {path}, a path of the machine that built it"]
    assert artifact["runs"][0].endswith(f"; only where {path} is found")


def test_what_must_be_there_is_named_and_no_finding(tmp_path: Path) -> None:
    libraries = [
        "@rpath/libfoo.dylib",
        "/Library/Frameworks/Bar.framework/Bar",
        "/usr/lib/libz.dylib",
    ]
    artifact, code = judged(
        tmp_path, macho(libraries=libraries, weak=["/opt/x.dylib"], rpaths=["@executable_path/.."])
    )
    assert code == 0
    assert artifact["runs"][0].endswith(
        "; only where @rpath/libfoo.dylib and /Library/Frameworks/Bar.framework/Bar is found"
    )
    assert artifact["facts"]["parts"][0]["macho"]["rpaths"] == ["@executable_path/.."]


def test_a_search_path_of_its_builder_counts_where_something_is_searched(tmp_path: Path) -> None:
    rpaths = ["/opt/homebrew/lib"]
    assert judged(tmp_path, macho(rpaths=rpaths))[1] == 0
    artifact, code = judged(tmp_path, macho(rpaths=rpaths, libraries=["@rpath/libfoo.dylib"]))
    assert code == 2
    assert "looks for libraries in /opt/homebrew/lib" in wrong(artifact)[0]


def test_an_encrypted_program_is_found(tmp_path: Path) -> None:
    assert "it is encrypted" in wrong(judged(tmp_path, macho(encrypted=True))[0])[0]
