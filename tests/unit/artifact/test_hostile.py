"""Files that are damaged, or made to do harm: one line, exit 1 or 2, and the others are told."""

from __future__ import annotations

import os
import random
import struct
from pathlib import Path

import pytest

from tests.support.artifacts import after, audit
from tests.support.binaries import AD_HOC, HARDENED, bsd_archive, macho, signature, universal

IMAGE = macho(
    flags=HARDENED, team="ABCDE12345", cms="Developer ID Application: Ann (ABCDE12345)",
    libraries=["/usr/lib/libSystem.B.dylib", "@rpath/x.dylib"], rpaths=["@loader_path"],
)  # fmt: skip
SEGMENT = 112  # where the first segment of a plain image has its command
BOTH = universal({"amd64": macho("amd64"), "arm64": IMAGE})


def boundaries(image: bytes, start: int) -> list[int]:
    """Where the headers of a Mach-O image begin and end, and the bytes beside."""
    count = struct.unpack_from("<I", image, start + 16)[0]
    found, at = [start, start + 4, start + 32], start + 32
    for _ in range(count):
        at += struct.unpack_from("<I", image, at + 4)[0]
        found += [at, at - 4]
    blob = image.index(b"\xfa\xde\x0c\xc0", start)
    found += [blob, blob + 12, blob + 36, blob + 80, len(image) - 1]
    return sorted({cut + by for cut in found for by in (-1, 0, 1) if 0 <= cut + by < len(image)})


@pytest.mark.parametrize("image", [IMAGE, BOTH, bsd_archive({"a.o": IMAGE})])
def test_a_file_cut_anywhere_is_told(tmp_path: Path, image: bytes) -> None:
    (tmp_path / "file").write_bytes(image)
    cuts = sorted(
        {*boundaries(image, image.rindex(IMAGE)), *range(0, 200, 7), *range(0, len(image) - 1, 997)}
    )
    for cut, (code, line) in zip(
        cuts, after(tmp_path / "file", [{"cut": cut} for cut in cuts]), strict=True
    ):
        assert code in (1, 2), (cut, line)
        assert line
        assert "\n" not in line


@pytest.mark.parametrize("image", [IMAGE, BOTH, bsd_archive({"a.o": IMAGE})])
def test_flipped_bytes_lead_to_no_traceback(tmp_path: Path, image: bytes) -> None:
    (tmp_path / "file").write_bytes(image)
    luck = random.Random(27)  # noqa: S311 - the same bytes in each run

    def flipped(number: int) -> list[int]:
        at = luck.randrange(900 if number % 2 else len(image))
        return [at, luck.choice((0, 0x7F, 0xFF, luck.randrange(256)))]

    changes = [
        {"set": [flipped(number) for _ in range(luck.choice((1, 1, 4)))]} for number in range(300)
    ]
    said = after(tmp_path / "file", changes)
    assert [line for code, line in said if code == -1] == []
    assert sum(code == 2 for code, _ in said) > 80


def test_each_byte_that_is_signed_counts(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(IMAGE)
    end = IMAGE.index(b"\xfa\xde\x0c\xc0")
    places = [*range(0, 400, 9), *range(400, end, 511), end - 1]
    said = after(tmp_path / "file", [{"set": [[at, IMAGE[at] ^ 0x20]]} for at in places])
    assert [at for at, (code, _) in zip(places, said, strict=True) if code == 0] == []


@pytest.mark.parametrize(
    ("at", "number", "said"),
    [
        (16, 4, "4 load commands fill 224 of 240 bytes"),
        (16, 0xFFFFFFFF, "load command 6 of 4294967295 does not fit into its table"),
        (20, 0xFFFFFFFF, "truncated: its table of load commands ends at byte"),
        (SEGMENT + 4, 0, "load command 3 of 5 does not fit into its table"),
        (SEGMENT + 4, 73, "load command 3 of 5 does not fit into its table"),
        (SEGMENT + 4, 1 << 20, "load command 3 of 5 does not fit into its table"),
        (SEGMENT + 4, 12, "load command 3 of 5 is too short for its kind"),
    ],
)
def test_a_header_that_lies_about_its_commands_is_found(
    tmp_path: Path, at: int, number: int, said: str
) -> None:
    (tmp_path / "file").write_bytes(macho())
    lie = [[at + index, byte] for index, byte in enumerate(struct.pack("<I", number))]
    ((code, line),) = after(tmp_path / "file", [{"set": lie}])
    assert code == 2
    assert said in line


def test_a_signature_that_lies_is_found(tmp_path: Path) -> None:
    file, image = tmp_path / "file", macho()
    start = image.index(b"\xfa\xde\x0c\xc0")
    file.write_bytes(image)
    # A blob far outside.
    lie = {"set": [[start + 16 + index, 0xFF] for index in range(4)]}
    ((code, line),) = after(file, [lie])
    assert code == 2
    assert "its code signature cannot be read" in line
    # One that is right, of the first page alone: the rest could be anything.
    short = signature(image[:4096], AD_HOC)
    file.write_bytes(image[:start] + short.ljust(len(image) - start, b"\0"))
    ((code, line),) = after(file, [{}])
    assert (code, line) == (2, f"its code signature ends at byte 4096, the code at {start}")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"#!/bin/sh\nexit\n", "it is a script"),
        (b"MZ\x90\0" + bytes(200), "it is a Windows program"),
        (b"package main\n", "no Mach-O, ELF or ar file: it begins with 70 61"),
    ],
)
def test_what_is_no_binary_is_an_error(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "file").write_bytes(content)
    (tmp_path / "good").write_bytes(macho())
    done = audit("--artifact", tmp_path / "file", tmp_path / "good")
    assert done.code == 1
    assert f"{tmp_path / 'file'}: error: {said}" in done.out
    assert "runs on macOS 13 or newer on Apple silicon; not on Intel" in done.lines


def test_what_is_no_regular_file_is_an_error_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "sparse").touch()
    os.truncate(tmp_path / "sparse", (1 << 30) + 1)
    done = audit("--artifact", tmp_path / "fifo", tmp_path, "/dev/zero", tmp_path / "none",
                 tmp_path / "sparse")  # fmt: skip
    assert done.code == 1
    assert done.out.count("error: it is not a regular file") == 3
    assert "none: error: No such file or directory" in done.out
    assert "not more than 1073741824 are read" in done.out


@pytest.mark.parametrize(
    ("library", "said"),
    [
        ("import os; os.kill(os.getpid(), 11)", "the reader was ended by SIGSEGV"),
        ("raise ImportError", "reading it takes the package lief, which is not installed"),
        ("bytearray(7 << 30)", "reading it takes more than 6 GiB"),
        ("import time; time.sleep(60)", "reading it took more than 2 s"),
        ("raise RuntimeError('no way')", "the reader failed: RuntimeError: no way"),
        ("import os; os._exit(0)", "the reader failed"),
    ],
)
def test_whatever_ends_the_reader_is_told(tmp_path: Path, library: str, said: str) -> None:
    (tmp_path / "lief.py").write_text(library + "\n")
    (tmp_path / "file").write_bytes(macho())
    done = audit("--artifact", tmp_path / "file", "--timeout", "2", PYTHONPATH=str(tmp_path))
    assert (done.code, len(done.lines)) == (1, 1)
    assert f"file: error: {said}" in done.out


def test_a_module_where_the_user_stands_is_not_imported(tmp_path: Path) -> None:
    for name in ("lief.py", "gostead.py", "json.py"):
        (tmp_path / name).write_text("raise SystemExit('planted')\n")
    (tmp_path / "file").write_bytes(macho())
    done = audit("--artifact", "file", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "runs on macOS 13" in done.out


def test_a_name_in_a_file_does_not_steer_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(macho(libraries=["@rpath/\x1b]0;owned\x07\nok: fine"]))
    done = audit("--artifact", tmp_path / "file")
    assert "\x1b" not in done.out
    assert "ok: fine" not in done.lines
    assert "@rpath/\\x1b]0;owned\\x07; ok: fine" in done.out
