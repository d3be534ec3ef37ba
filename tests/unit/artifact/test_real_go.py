"""What real toolchains make, and what the Go project released."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.artifacts import after, judged, report, wrong
from tests.support.binaries import bsd_archive, patched, universal
from tests.support.go_binaries import LIBRARY, PURE, WITH_C, built, go_version_m, released
from tests.support.requirements import need_programs

# With real toolchains, which take their time: with --all.
pytestmark = pytest.mark.slow

TEAM = "EQHXZ8M8AV"


def only_part(artifact: dict[str, Any]) -> dict[str, Any]:
    (part,) = artifact["facts"]["parts"]
    assert isinstance(part, dict)
    return part


@pytest.mark.parametrize(
    ("version", "machine", "runs"),
    [
        ("1.27.3", "arm64", "runs on macOS 13 or newer on Apple silicon; not on Intel"),
        ("1.26.8", "arm64", "runs on macOS 12 or newer on Apple silicon; not on Intel"),
        ("1.27.3", "amd64", "runs on macOS 13 or newer on Intel; on Apple silicon only by Rosetta 2"
         ", where that is installed"),
    ],
)  # fmt: skip
def test_a_program_for_macos(tmp_path: Path, version: str, machine: str, runs: str) -> None:
    file = built(PURE, version=version, system="darwin", machine=machine)
    artifact, code = judged(tmp_path, file.read_bytes())
    assert (artifact["runs"], code) == ([runs], 0)
    part = only_part(artifact)
    assert part["go"]["version"] == f"go{version}"
    signature = part["macho"]["signature"]
    if machine == "arm64":
        assert signature["by_linker"]
        assert signature["pages"] > 400
    else:
        assert signature is None


@pytest.mark.parametrize("machine", ["arm64", "amd64"])
@pytest.mark.parametrize("name", ["go", "gofmt"])
def test_what_the_go_project_released(tmp_path: Path, machine: str, name: str) -> None:
    file = released(f"bin/{name}", f"darwin-{machine}")
    artifact, code = judged(tmp_path, file.read_bytes())
    assert (code, artifact["findings"]) == (0, [])
    signature = only_part(artifact)["macho"]["signature"]
    assert signature["authority"] == f"Developer ID Application: Google LLC ({TEAM})"
    assert (signature["team"], signature["hardened"], signature["ad_hoc"]) == (TEAM, True, False)
    assert signature["identifier"] == f"org.golang.{name}"


def test_one_byte_of_a_released_program_is_found_wherever_it_is(tmp_path: Path) -> None:
    file = released("bin/gofmt", "darwin-arm64")
    image = file.read_bytes()
    end = image.rindex(b"\xfa\xde\x0c\xc0")
    places = [40, 4096, len(image) // 2, end - 1]
    said = after(file, [{"set": [[at, image[at] ^ 1]]} for at in places])
    assert [code for code, _ in said] == [2] * len(places)
    assert "1 of " in said[2][1]
    assert "pages are not what was signed" in said[2][1]
    cuts = [1000, end, end + 100, len(image) - 1]
    assert {code for code, _ in after(file, [{"cut": cut} for cut in cuts])} == {2}
    # The code directory edited to fit: what was signed is another one.
    team = image.index(TEAM.encode(), end)
    ((code, line),) = after(file, [{"set": [[team, ord("X")]]}])
    assert (code, line) == (2, "its code directory is not the one that was signed")


def test_a_universal_program_of_real_slices(tmp_path: Path) -> None:
    slices = {machine: built(PURE, system="darwin", machine=machine).read_bytes()
              for machine in ("amd64", "arm64")}  # fmt: skip
    artifact, code = judged(tmp_path, universal(slices))
    assert code == 0
    assert artifact["runs"] == ["runs on macOS 13 or newer on Intel and on Apple silicon"]
    old = built(PURE, version="1.26.8", system="darwin", machine="amd64").read_bytes()
    mixed, _ = judged(tmp_path, universal({**slices, "amd64": old}))
    assert mixed["runs"] == [
        "runs on macOS 12 or newer on Intel", "runs on macOS 13 or newer on Apple silicon",
    ]  # fmt: skip


def test_a_real_program_with_a_library_of_its_builder(tmp_path: Path) -> None:
    image = built(PURE, system="darwin", machine="amd64").read_bytes()
    path = "/opt/homebrew/lib/z.dylib"
    artifact, code = judged(tmp_path, patched(image, "/usr/lib/libresolv.9.dylib", path))
    assert code == 2
    assert wrong(artifact) == [f"links {path}, a path of the machine that built it"]


def test_the_older_minimum_in_the_file_does_not_count(tmp_path: Path) -> None:
    image = built(PURE, system="darwin", machine="amd64").read_bytes()
    at = image.index((0x32).to_bytes(4, "little") + (24).to_bytes(4, "little"))
    older = image[: at + 12] + (10 << 16 | 15 << 8).to_bytes(4, "little") + image[at + 16 :]
    (tmp_path / "file").write_bytes(older)
    said = report(tmp_path / "file")["artifacts"][str(tmp_path / "file")]
    assert said["facts"]["parts"][0]["macho"]["minimum"] == [10, 15]
    assert said["runs"][0].startswith("runs on macOS 13 or newer on Intel")


@pytest.mark.parametrize(
    ("source", "words", "variables", "runs"),
    [
        (PURE, [], {}, "runs on Linux amd64, whatever its libc is, also in an empty container"),
        (PURE, [], {"GOAMD64": "v3"}, "runs on Linux amd64 with a processor of level x86-64-v3 or "
         "higher, whatever its libc is, also in an empty container"),
        (PURE, [], {"machine": "arm64"}, "runs on Linux arm64, whatever its libc is, also in an "
         "empty container"),
        (WITH_C, [], {"CC": "musl-gcc"},
         "runs on Linux amd64 with musl (Alpine, or where /lib/ld-musl-x86_64.so.1 is installed)"),
        (WITH_C, ["-ldflags=-linkmode=external -extldflags=-static"], {"CC": "musl-gcc"},
         "runs on Linux amd64, whatever its libc is, also in an empty container"),
        (PURE, [], {"system": "freebsd"}, "made for FreeBSD amd64, not for Linux"),
    ],
)  # fmt: skip
def test_a_program_for_linux(
    tmp_path: Path, source: str, words: list[str], variables: dict[str, str], runs: str
) -> None:
    artifact, code = judged(tmp_path, built(source, *words, **variables).read_bytes())
    assert (artifact["runs"], code) == ([runs], 0)


@pytest.mark.parametrize("words", [[], ["-buildmode=pie"], ["-buildmode=c-shared"]])
def test_the_glibc_that_is_needed_is_that_of_the_symbols(tmp_path: Path, words: list[str]) -> None:
    need_programs("objdump")
    file = built(WITH_C, *words, CC="gcc")
    shown = subprocess.run(["objdump", "-T", file], capture_output=True, text=True, check=True)
    names = {word.strip("()") for word in shown.stdout.split() if word.startswith("(GLIBC_")}
    highest = max([int(n) for n in name.partition("_")[2].split(".")] for name in names)
    artifact, code = judged(tmp_path, file.read_bytes())
    part = only_part(artifact)
    assert (part["elf"]["glibc"], code) == (highest, 0)
    version = ".".join(map(str, highest))
    assert f"with glibc {version} or newer; not where the libc is musl" in artifact["runs"][0]
    assert part["kind"] == ("library" if words == ["-buildmode=c-shared"] else "program")
    assert part["elf"]["pie"] == (words == ["-buildmode=pie"])


def test_a_search_path_of_the_builder_is_found_on_linux(tmp_path: Path) -> None:
    file = built(WITH_C, "-ldflags=-extldflags=-Wl,-rpath,/home/ann/lib", CC="gcc")
    artifact, code = judged(tmp_path, file.read_bytes())
    assert code == 2
    assert "looks for libraries in /home/ann/lib" in wrong(artifact)[0]


def test_archives(tmp_path: Path) -> None:
    artifact, code = judged(tmp_path, built(WITH_C, "-buildmode=c-archive", CC="gcc").read_bytes())
    parts = artifact["facts"]["parts"]
    assert code == 0
    assert {part["format"] for part in parts} == {"ELF"}
    assert parts[0]["go"]["settings"]["-buildmode"] == "c-archive"
    assert artifact["runs"] == ["links into programs for Linux amd64"]

    objects, code = judged(tmp_path, built(LIBRARY, system="darwin", machine="arm64").read_bytes())
    assert code == 0
    assert {part["format"] for part in objects["facts"]["parts"]} == {"Go object"}
    assert objects["runs"] == ["links into Go programs for darwin arm64, by go1.27.3 alone"]

    program = built(PURE, system="darwin", machine="arm64").read_bytes()
    mixed, code = judged(tmp_path, bsd_archive({"hello": program, "notes.txt": b"hello\n"}))
    assert code == 0
    assert [part["format"] for part in mixed["facts"]["parts"]] == ["Mach-O", "other"]


@pytest.mark.parametrize(
    "options",
    [
        {"system": "darwin", "machine": "arm64"},
        {"system": "darwin", "machine": "amd64", "version": "1.26.8"},
        {"system": "linux", "machine": "arm64"},
        {"words": ["-trimpath", "-ldflags=-s -w", "-tags=a,b"]},
        {"words": ["-race"], "CC": "gcc", "source": WITH_C, "CGO_CFLAGS": '-O1 "-DX=y z"'},
    ],
)
def test_build_settings_are_those_that_go_version_m_shows(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    options = dict(options)
    file = built(options.pop("source", PURE), *options.pop("words", []), **options)
    expected = go_version_m(file)
    go = only_part(judged(tmp_path, file.read_bytes())[0])["go"]
    assert go["version"] == expected.pop("").split()[0]
    assert go["settings"] == {key: go_unquoted(value) for key, value in expected.items()}
    assert go["main"].startswith("example.com/hello ")


def go_unquoted(text: str) -> str:
    """As `go version -m` shows a value with blanks or quotes."""
    return text[1:-1].replace('\\"', '"') if text.startswith('"') else text


@pytest.mark.parametrize("system", ["darwin", "linux"])
def test_a_real_program_cut_or_changed_anywhere_is_told(system: str) -> None:
    file = built(PURE, system=system, machine="amd64")
    size = file.stat().st_size
    said = after(file, [{"cut": cut} for cut in [*range(0, 3000, 61), *range(3000, size, 99_991)]])
    assert {code for code, _ in said} == {1, 2}
    changes = [{"set": [[at, byte]]} for at in range(0, 2600, 37) for byte in (0, 0x7F, 0xFF)]
    said = after(file, changes)
    assert [line for code, line in said if code == -1] == []
