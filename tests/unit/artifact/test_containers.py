"""Universal files and archives: what is in them, and what does not fit."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest

from tests.support.artifacts import judged, report, wrong
from tests.support.binaries import bsd_archive, macho, universal
from tests.support.requirements import need_programs

SLICES = {"amd64": macho("amd64"), "arm64": macho("arm64")}
OBJECT = macho("arm64", kind=1, flags=None)


def test_a_wide_header_is_read_and_starts_no_program(tmp_path: Path) -> None:
    libraries = {cpu: macho(cpu, kind=6) for cpu in ("amd64", "arm64")}
    artifact, code = judged(tmp_path, universal(libraries, wide=True))
    assert (code, len(artifact["facts"]["parts"])) == (0, 2)
    artifact, code = judged(tmp_path, universal(SLICES, wide=True))
    assert code == 2
    assert "a universal header of 64 bits" in wrong(artifact)[0]
    assert artifact["runs"][0].startswith("runs nowhere")


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (universal(SLICES)[:-1], "does not fit into the file of"),
        (universal(SLICES, moved={"arm64": 1 << 20}), "does not fit into the file of"),
        (universal(SLICES, moved={"arm64": -16384}), "lies over the table or another slice"),
        (universal(SLICES, moved={"amd64": -16384}), "lies over the table or another slice"),
        (universal(SLICES, align=4, moved={"amd64": -4}), "is not aligned to 2^4"),
        (universal({"amd64": macho("arm64")}), "the table of slices calls it amd64"),
        (universal({"amd64": b"nothing" * 99}), "no Mach-O, ELF or ar file: it begins with 6e 6f"),
        (universal({}), "a universal file without slices"),
        (universal(SLICES)[:30], "its table of 2 slices ends at byte 48, the file at 30"),
        (universal(SLICES)[:6], "6 bytes are not a universal header"),
        (b"\xca\xfe\xba\xbe" + struct.pack(">I5I5I", 2, *[0x01000007, 3, 4096, 10, 4] * 2)
         + bytes(5000), "for a processor that another slice is for"),
    ],
)  # fmt: skip
def test_a_universal_file_that_does_not_fit_together_is_found(
    tmp_path: Path, image: bytes, said: str
) -> None:
    artifact, code = judged(tmp_path, image)
    assert code == 2
    assert any(said in what for what in wrong(artifact)), wrong(artifact)


def test_a_java_class_is_not_taken_for_one(tmp_path: Path) -> None:
    artifact, code = judged(tmp_path, b"\xca\xfe\xba\xbe\0\0\0\x41" + bytes(100))
    assert code == 1
    assert "Java class" in artifact["error"]


def test_an_archive_of_macos_is_read(tmp_path: Path) -> None:
    names = ["a.o", "a name of more than sixteen bytes.o"]
    artifact, code = judged(tmp_path, bsd_archive(dict.fromkeys(names, OBJECT)))
    assert code == 0
    assert [part["name"] for part in artifact["facts"]["parts"]] == names
    assert artifact["runs"] == ["links into programs for macOS 13 or newer on Apple silicon"]


def test_archives_in_a_universal_file_are_read(tmp_path: Path) -> None:
    image = universal({cpu: bsd_archive({"a.o": macho(cpu, kind=1, flags=None)})
                       for cpu in ("amd64", "arm64")})  # fmt: skip
    artifact, code = judged(tmp_path, image)
    assert code == 0
    assert [part["name"] for part in artifact["facts"]["parts"]] == ["amd64/a.o", "arm64/a.o"]
    assert len(artifact["runs"]) == 2


def test_an_archive_by_ar_is_read(tmp_path: Path) -> None:
    need_programs("ar")
    names = ["a.o", "a-name-of-more-than-sixteen-bytes.o"]
    for name in names:
        (tmp_path / name).write_bytes(OBJECT)
    subprocess.run(["ar", "rc", "made.a", *names], cwd=tmp_path, check=True)
    subprocess.run(["ar", "rcT", "thin.a", *names], cwd=tmp_path, check=True)
    said = report(tmp_path / "made.a", tmp_path / "thin.a")
    made, thin = said["artifacts"].values()
    assert [part["name"] for part in made["facts"]["parts"]] == names
    assert made["status"] == "clean"
    assert "files on the machine that made it" in wrong(thin)[0]
    assert said["exit"] == 2


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (bsd_archive({"a.o": OBJECT})[:-5], "truncated: the member at byte 96 ends at"),
        (bsd_archive({"a.o": OBJECT})[:40], "a member's header at byte 8 is cut off"),
        (bsd_archive({"a.o": OBJECT}) + b"?" * 60, "no member's header at byte"),
        (bsd_archive({}).replace(b"#1/20", b"#1/99"), "a name of 99 bytes in a member of"),
        (b"!<arch>\n" + b"/7              0           0     0     644     0         `\n",
         "has its name outside of the name table"),
        (bsd_archive({"a.o": OBJECT[:-99]}), "a.o: truncated"),
        (b"!<arch>\n", "an archive without members"),
    ],
)  # fmt: skip
def test_a_damaged_archive_is_found(tmp_path: Path, image: bytes, said: str) -> None:
    artifact, code = judged(tmp_path, image)
    told = [f"{row['item']}: {row['what']}" for row in artifact["findings"]]
    assert code == 2
    assert any(said in what for what in told), told
