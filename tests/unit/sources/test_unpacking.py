"""The unpackers: names that never escape, bytes that never surprise, formats that are read."""

from __future__ import annotations

import base64
import gzip
import io
import re
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gostead.sources.archive import unpack_archive
from gostead.sources.errors import Refused
from gostead.sources.module import unpack_module
from gostead.sources.names import check_name, mode_of
from gostead.sources.packed import PackedFile
from gostead.sources.tarstream import TarStream
from gostead.sources.unpacking import Unpacker
from gostead.sources.writer import CanonicalWriter, Written
from tests.support.toolchain import Toolchain, file

COMPONENTS = st.sampled_from(["go", "..", ".", "", "bin", "a", "\\", "C:", "\n", "é", "\u202e"])
NAMES = st.one_of(
    st.lists(COMPONENTS, min_size=1, max_size=6).map("/".join),
    st.text(max_size=40),
)
FEW = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def unpack(content: bytes, unpacker: Unpacker) -> tuple[bytes, Written]:
    """Runs an unpacker on bytes; returns the canonical tar."""
    with tempfile.TemporaryFile() as packed, tempfile.TemporaryFile() as out:
        packed.write(content)
        packed.flush()
        writer = CanonicalWriter(out.fileno(), Toolchain().module)
        unpacker(PackedFile(packed.fileno(), complete=True), writer)
        written = writer.finish()
        out.seek(0)
        return out.read(), written


def names_in(tar: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as made:
        return made.getnames()


def is_inside(name: str) -> bool:
    return not name.startswith("/") and not {"", ".", ".."} & set(name.split("/"))


@given(NAMES)
def test_an_accepted_name_is_inside_and_harmless(name: str) -> None:
    try:
        accepted = check_name(name)
    except Refused:
        return
    assert accepted == name
    assert is_inside(name)
    assert name.isprintable()
    assert not set(name) & {"\\", ":"}


@FEW
@given(NAMES, st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]))
def test_no_archive_member_escapes(name: str, form: int) -> None:
    try:
        content = Toolchain(files={"VERSION": b"x"}).archive([(file(name, 1), b"x")], format=form)
    except (UnicodeEncodeError, ValueError):
        return
    try:
        tar, _ = unpack(content, unpack_archive)
    except Refused:
        return
    assert all(is_inside(member) for member in names_in(tar))


@FEW
@given(NAMES)
def test_no_module_member_escapes(name: str) -> None:
    chain = Toolchain(files={"VERSION": b"x"})
    try:
        content = chain.zip([(f"{chain.module}/{name}", b"x")])
    except UnicodeEncodeError:
        return
    try:
        tar, _ = unpack(content, lambda fd, writer: unpack_module(fd, writer, chain.module))
    except Refused:
        return
    assert all(is_inside(member) for member in names_in(tar))


@FEW
@given(st.data())
def test_damaged_bytes_are_refused_or_harmless(data: st.DataObject) -> None:
    chain = Toolchain(files={"VERSION": b"x" * 50, "bin/go": bytes(3000)})
    kind = data.draw(st.sampled_from(["gz", "tar", "zip"]))
    content = bytearray(chain.zip() if kind == "zip" else chain.archive())
    if kind == "tar":
        content = bytearray(gzip.decompress(content))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    damaged = gzip.compress(bytes(content)) if kind == "tar" else bytes(content)
    try:
        if kind == "zip":
            tar, _ = unpack(damaged, lambda fd, writer: unpack_module(fd, writer, chain.module))
        else:
            tar, _ = unpack(damaged, unpack_archive)
    except Refused:
        return
    assert all(is_inside(member) for member in names_in(tar))


@given(st.binary(max_size=3000))
def test_any_bytes_as_a_tar_are_refused_or_read(content: bytes) -> None:
    try:
        for member in TarStream(iter([content])):
            assert member.size >= 0
    except Refused:
        pass


@pytest.mark.parametrize("form", ["ustar", "gnu", "pax", "v7"])
def test_archives_of_gnu_tar_are_read(form: str, tmp_path: Path) -> None:
    chain = Toolchain()
    if form == "v7":
        chain.files = {path: body for path, body in chain.files.items() if len(path) < 90}
    for path, body in chain.files.items():
        target = tmp_path / "go" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
    packed = subprocess.run(
        ["tar", f"--format={form}", "-C", str(tmp_path), "-cz", "go"],
        check=True,
        capture_output=True,
    ).stdout
    _, written = unpack(packed, unpack_archive)
    assert written.h1 == chain.h1


def test_several_gzip_members_are_one_stream() -> None:
    plain = gzip.decompress(Toolchain().archive())
    pieces = [plain[at : at + 500_000] for at in range(0, len(plain), 500_000)]
    _, written = unpack(b"".join(map(gzip.compress, pieces)) + bytes(512), unpack_archive)
    assert written.h1 == Toolchain().h1


def test_a_damaged_header_is_refused_by_its_checksum() -> None:
    plain = bytearray(gzip.decompress(Toolchain().archive()))
    plain[512 + 104] ^= 1  # a digit of a mode, which nothing else looks at
    with pytest.raises(Refused, match="wrong checksum"):
        unpack(gzip.compress(bytes(plain)), unpack_archive)


def test_a_zip_packed_otherwise_is_refused_as_such() -> None:
    chain = Toolchain()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as made:
        made.writestr(f"{chain.module}/VERSION", b"go1.27.3\n")
    with pytest.raises(Refused, match="unknown method 12"):
        unpack(out.getvalue(), lambda file, writer: unpack_module(file, writer, chain.module))


@pytest.mark.parametrize("chunks", [[b"abc"], [b"abcd", b"e"]])
def test_the_writer_takes_no_file_of_another_size_than_its_header_says(chunks: list[bytes]) -> None:
    with (
        tempfile.TemporaryFile() as out,
        pytest.raises(Refused, match="does not have the size"),
    ):
        CanonicalWriter(out.fileno(), Toolchain().module).add("bin/go", 4, chunks)


@pytest.mark.parametrize("tail", [b"x", b"\0x", b"\x1f\x8bgarbage"])
def test_garbage_after_the_archive_is_refused(tail: bytes) -> None:
    with pytest.raises(Refused, match=r"not valid gzip|ends early"):
        unpack(Toolchain().archive() + tail, unpack_archive)


def test_a_flipped_bit_in_the_gzip_checksum_is_refused() -> None:
    content = bytearray(Toolchain().archive())
    content[-6] ^= 1
    with pytest.raises(Refused, match="not valid gzip"):
        unpack(bytes(content), unpack_archive)


def test_the_h1_is_the_one_of_standard_tools(tmp_path: Path) -> None:
    """The pipeline that hosts use, on the unpacked canonical tar."""
    chain = Toolchain()
    tar, written = unpack(chain.archive(), unpack_archive)
    subprocess.run(["tar", "-xf", "-"], cwd=tmp_path, input=tar, check=True)
    script = (
        "find . -type f | sed 's|^[.]/||' | while read -r f; do "
        "n=$f; case $f in go.mod | */go.mod) n=${f%go.mod}_go.mod ;; esac; "
        'printf "%s\\n" "$n $(sha256sum <"$f" | cut -d" " -f1)"; done | '
        f"LC_ALL=C sort | sed -E 's|^(.*) (.*)$|\\2  {re.escape(chain.module)}/\\1|' | sha256sum"
    )
    said = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout.split()[0]
    assert "h1:" + base64.b64encode(bytes.fromhex(said)).decode() == written.h1


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        ("bin/go", 0o555),
        ("pkg/tool/linux_amd64/vet", 0o555),
        ("lib/wasm/go_js_wasm_exec", 0o555),
        ("lib/wasm/wasm_exec.js", 0o444),
        ("lib/wasm/x/go_y_exec", 0o444),
        ("src/all.bash", 0o444),
        ("src/bin/x", 0o444),
        ("binary", 0o444),
    ],
)
def test_only_what_is_executed_is_executable(path: str, mode: int) -> None:
    assert mode_of(path) == mode


def test_a_tar_is_read_in_pieces_of_any_size() -> None:
    plain = gzip.decompress(Toolchain(files={"VERSION": b"x" * 700, "a/b": b""}).archive())
    whole = [(m.name, m.size) for m in TarStream(iter([plain]))]
    bytewise = [(m.name, m.size) for m in TarStream(bytes([b]) for b in plain)]
    assert whole == bytewise
    assert ("go/VERSION", 700) in whole
