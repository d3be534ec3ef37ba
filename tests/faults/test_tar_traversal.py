"""Scorecard: members that would leave the tree, or be no plain file, are refused as a whole."""

from __future__ import annotations

import io
import tarfile
import zipfile

import pytest

from gostead.sources import SourceError
from tests.support.badserver import BadServer
from tests.support.source_fixtures import CacheDirectory
from tests.support.toolchain import Toolchain, directory, file, special


def _directory_with_data() -> tarfile.TarInfo:
    info = directory("go/src/d")
    info.size = 512
    return info


MEMBERS = {
    "dot-dot": (file("go/../../etc/cron.d/x", 1), b"x"),
    "dot-dot-in-dropped": (file("go/test/../../x", 1), b"x"),
    "absolute": (file("/etc/cron.d/x", 1), b"x"),
    "dot": (file("go/./x", 1), b"x"),
    "empty-component": (file("go//x", 1), b"x"),
    "backslash": (file("go/..\\x", 1), b"x"),
    "drive": (file("go/C:x", 1), b"x"),
    "newline": (file("go/a\nb", 1), b"x"),
    "escape": (file("go/a\x1b[2J", 1), b"x"),
    "right-to-left": (file("go/a\u202eb", 1), b"x"),
    "long": (file("go/" + "x" * 300, 1), b"x"),
    "long-component": (file("go/" + "x" * 120, 1), b"x"),
    "other-top": (file("gone/x", 1), b"x"),
    "top-is-a-file": (file("go", 1), b"x"),
    "symlink": (special("go/x", tarfile.SYMTYPE, "/etc/passwd"), b""),
    "symlink-inside": (special("go/x", tarfile.SYMTYPE, "bin/go"), b""),
    "symlink-in-dropped": (special("go/test/x", tarfile.SYMTYPE, "y"), b""),
    "hardlink": (special("go/x", tarfile.LNKTYPE, "go/bin/go"), b""),
    "character-device": (special("go/x", tarfile.CHRTYPE), b""),
    "block-device": (special("go/x", tarfile.BLKTYPE), b""),
    "fifo": (special("go/x", tarfile.FIFOTYPE), b""),
    "unknown-type": (special("go/x", b"Z"), b""),
    "setuid": (file("go/bin/x", 1, mode=0o4755), b"x"),
    "setgid": (file("go/bin/x", 1, mode=0o2755), b"x"),
    "sticky": (file("go/bin/x", 1, mode=0o1755), b"x"),
    "directory-with-data": (_directory_with_data(), bytes(512)),
    "file-named-like-a-directory": (special("go/src/x/", tarfile.AREGTYPE), b""),
    "setgid-directory": (special("go/d", tarfile.DIRTYPE, mode=0o2755), b""),
    "twice": (file("go/bin/go", 1), b"x"),
    "file-over-directory": (file("go/bin", 1), b"x"),
    "directory-over-file": (file("go/VERSION/x", 1), b"x"),
    "module-name-in-an-archive": (file("go/src/_go.mod", 1), b"x"),
}


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT], ids=["pax", "gnu"])
@pytest.mark.parametrize("name", MEMBERS)
def test_an_archive_with_such_a_member_is_refused(
    name: str, form: int, server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.files[toolchain.archive_path] = toolchain.archive([MEMBERS[name]], format=form)
    request = toolchain.request(sources=("archive",), archive_url=server.url)
    with pytest.raises(SourceError, match=r"REFUSED http") as caught:
        cache.obtain(request)
    # The reason is the member itself, not the hash that would have caught it at the end.
    assert "its tree has" not in str(caught.value)
    assert str(caught.value).replace("\n", "").isprintable()
    assert cache.tars() == cache.leftovers() == []


def test_an_absolute_name_is_called_so(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.files[toolchain.archive_path] = toolchain.archive([MEMBERS["absolute"]])
    with pytest.raises(SourceError, match=r"absolute member name '/etc/cron.d/x'"):
        cache.obtain(toolchain.request(sources=("archive",), archive_url=server.url))


def _mode(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


ROOT = Toolchain().module
ZIPPED: dict[str, tuple[str | zipfile.ZipInfo, bytes]] = {
    "dot-dot": (f"{ROOT}/../../x", b"x"),
    "absolute": ("/etc/cron.d/x", b"x"),
    "empty-component": (f"{ROOT}//x", b"x"),
    "backslash": (f"{ROOT}/..\\x", b"x"),
    "newline": (f"{ROOT}/a\nb", b"x"),
    "outside": ("golang.org/x/tools@v0.1.0/x", b"x"),
    "prefix-only": (f"{ROOT}evil/x", b"x"),
    "directory": (f"{ROOT}/empty/", b""),
    "symlink": (_mode(f"{ROOT}/x", 0o120777), b"/etc/passwd"),
    "setuid": (_mode(f"{ROOT}/x", 0o104755), b"x"),
    "device": (_mode(f"{ROOT}/x", 0o020600), b""),
    "go.mod": (f"{ROOT}/src/fmt/go.mod", b"x"),
    "file-over-directory": (f"{ROOT}/bin", b"x"),
    "directory-over-file": (f"{ROOT}/VERSION/x", b"x"),
}


@pytest.mark.parametrize("name", ZIPPED)
def test_a_module_with_such_a_member_is_refused(
    name: str, server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.files[toolchain.module_path] = toolchain.zip([ZIPPED[name]])
    request = toolchain.request(sources=("module",), goproxy=server.url)
    with pytest.raises(SourceError, match=r"REFUSED http") as caught:
        cache.obtain(request)
    assert "its tree has" not in str(caught.value)
    assert cache.tars() == cache.leftovers() == []


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_module_with_a_member_twice_is_refused(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.files[toolchain.module_path] = toolchain.zip([(f"{ROOT}/bin/go", b"evil")])
    with pytest.raises(SourceError, match="comes twice"):
        cache.obtain(toolchain.request(sources=("module",), goproxy=server.url))


def test_a_sparse_file_is_refused(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    info = file("go/x", 1)
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.name": "go/y"}
    server.files[toolchain.archive_path] = toolchain.archive(
        [(info, b"x")], format=tarfile.PAX_FORMAT
    )
    with pytest.raises(SourceError, match=r"pax header with GNU\.sparse"):
        cache.obtain(toolchain.request(sources=("archive",), archive_url=server.url))


def test_an_endless_pax_header_is_refused_unread(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    info = file("go/x", 1)
    info.pax_headers = {"comment": "x" * 100_000}
    server.files[toolchain.archive_path] = toolchain.archive(
        [(info, b"x")], format=tarfile.PAX_FORMAT
    )
    with pytest.raises(SourceError, match="a header extension of"):
        cache.obtain(toolchain.request(sources=("archive",), archive_url=server.url))


def test_empty_directories_do_not_reach_the_tree(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.files[toolchain.archive_path] = toolchain.archive([(directory("go/src/hollow"), b"")])
    tar = cache.obtain(toolchain.request(archive_url=server.url))
    with tarfile.open(fileobj=io.BytesIO(tar.path.read_bytes())) as made:
        assert "src/hollow" not in made.getnames()
