"""What `obtain` promises, over a real socket."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest

from gostead.sources import SourceError
from tests.support.badserver import BadServer, status
from tests.support.source_fixtures import CacheDirectory
from tests.support.toolchain import Toolchain


def serve(server: BadServer, toolchain: Toolchain) -> None:
    server.files[toolchain.archive_path] = toolchain.archive()
    server.files[toolchain.module_path] = toolchain.zip()


def test_archive_and_module_give_the_same_bytes(
    server: BadServer, toolchain: Toolchain, tmp_path: Path
) -> None:
    serve(server, toolchain)
    one = CacheDirectory(tmp_path / "one").obtain(
        toolchain.request(sources=("archive",), archive_url=server.url)
    )
    two = CacheDirectory(tmp_path / "two").obtain(
        toolchain.request(sources=("module",), goproxy=server.url)
    )
    assert one.path.read_bytes() == two.path.read_bytes()
    assert one.sha256 == two.sha256
    assert one.h1 == toolchain.h1
    assert one.origin == f"archive {server.url}{toolchain.archive_path}"
    assert two.origin == f"toolchain module from a GOPROXY ({server.url})"


def test_the_tar_holds_exactly_the_canonical_tree(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    serve(server, toolchain)
    tar = cache.obtain(toolchain.request(archive_url=server.url))
    with tarfile.open(tar.path, "r:") as made:
        members = made.getmembers()
        content = {m.name: made.extractfile(m).read() for m in members if m.isfile()}  # type: ignore[union-attr]
    assert content == toolchain.files
    directories = {"/".join(p.split("/")[:i]) for p in content for i in range(1, p.count("/") + 1)}
    assert {m.name for m in members if m.isdir()} == directories
    assert {m.mode for m in members if m.isdir()} == {0o755}
    executed = {m.name for m in members if m.isfile() and m.mode == 0o555}
    assert executed == {
        "bin/go",
        "bin/gofmt",
        "lib/wasm/go_js_wasm_exec",
        "pkg/tool/linux_amd64/compile",
    }
    assert {m.mode for m in members if m.isfile()} == {0o444, 0o555}
    assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in members} == {
        (0, 0, "", "", 1257894000)
    }
    names = [m.name for m in members]
    assert names == sorted(names, key=lambda name: name.split("/"))
    assert tar.entries == len(members)
    assert tar.tree_bytes == sum(map(len, content.values()))
    assert tar.size == tar.path.stat().st_size
    with tar.open() as stream:
        assert stream.read(512)[257:262] == b"ustar"


@pytest.mark.parametrize("tool", [["tar"], ["busybox", "tar"]], ids=["gnu", "busybox"])
def test_host_tars_unpack_it(
    tool: list[str], server: BadServer, toolchain: Toolchain, cache: CacheDirectory, tmp_path: Path
) -> None:
    serve(server, toolchain)
    tar = cache.obtain(toolchain.request(archive_url=server.url))
    try:
        for path, flag in ((tar.path, "-xf"), (tar.compressed(), "-xzf")):
            out = tmp_path / flag
            out.mkdir()
            subprocess.run([*tool, flag, str(path)], cwd=out, check=True)
            found = {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}
            assert found == toolchain.files
    except FileNotFoundError:
        pytest.skip(f"{tool[0]} is not installed")


def test_sources_are_tried_in_their_order(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    serve(server, toolchain)
    cache.obtain(
        toolchain.request(sources=("module", "archive"), archive_url=server.url, goproxy=server.url)
    )
    assert [seen.target for seen in server.seen] == [toolchain.module_path]


def test_the_next_source_is_tried_when_one_fails(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.files[toolchain.module_path] = toolchain.zip()
    tar = cache.obtain(toolchain.request(archive_url=server.url, goproxy=server.url))
    assert tar.origin.startswith("toolchain module")


def test_an_error_names_every_source_and_no_secret(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.script[toolchain.archive_path] = [status(403)]
    with_user = server.url.replace("//", "//ann:s3cret-canary@")
    request = toolchain.request(
        archive_url=with_user, goproxy=f"{with_user},off", auth="t0ken-canary"
    )
    with pytest.raises(SourceError) as caught:
        cache.obtain(request)
    text = str(caught.value)
    assert "Go 1.27.3 for linux-amd64" in text
    assert f"{server.url}{toolchain.archive_path}: access denied (HTTP 403)" in text
    assert f"{server.url}{toolchain.module_path}: not there (HTTP 404)" in text
    assert "GOPROXY says off" in text
    assert "canary" not in text + repr(request)


def test_a_second_time_comes_from_the_cache_without_a_request(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    serve(server, toolchain)
    request = toolchain.request(archive_url=server.url)
    first = cache.obtain(request)
    server.seen.clear()
    second = cache.obtain(request)
    assert server.seen == []
    assert second.origin == f"controller cache ({first.origin})"
    assert (second.path, second.sha256, second.h1) == (first.path, first.sha256, first.h1)


@pytest.mark.parametrize(
    ("separator", "first", "asked"),
    [
        (",", 404, True),
        (",", 410, True),
        (",", 403, False),
        (",", 500, False),
        ("|", 403, True),
        ("|", 500, True),
    ],
)
def test_comma_and_pipe_decide_whether_the_next_proxy_is_asked(
    separator: str,
    first: int,
    asked: bool,
    server: BadServer,
    toolchain: Toolchain,
    cache: CacheDirectory,
) -> None:
    server.files["/second" + toolchain.module_path] = toolchain.zip()
    server.script["/first" + toolchain.module_path] = [status(first) for _ in range(3)]
    request = toolchain.request(
        sources=("module",), goproxy=f"{server.url}/first{separator}{server.url}/second"
    )
    if asked:
        assert cache.obtain(request).h1 == toolchain.h1
    else:
        with pytest.raises(SourceError, match=str(first)):
            cache.obtain(request)
    assert any(seen.target.startswith("/second") for seen in server.seen) == asked


def test_a_proxy_that_does_not_answer_leads_to_the_next_even_after_a_comma(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    serve(server, toolchain)
    request = toolchain.request(sources=("module",), goproxy=f"http://127.0.0.1:1,{server.url}")
    assert cache.obtain(request).h1 == toolchain.h1


def test_a_refused_file_leads_to_the_next_even_after_a_comma(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    """What comes next is checked just the same."""
    server.files["/second" + toolchain.module_path] = toolchain.zip()
    pin = toolchain.h1
    toolchain.files["bin/go"] = b"evil"
    server.files["/first" + toolchain.module_path] = toolchain.zip()
    goproxy = f"{server.url}/first,{server.url}/second"
    request = toolchain.request(h1=pin, sources=("module",), goproxy=goproxy)
    assert cache.obtain(request).h1 == pin


def test_without_any_goproxy_the_error_says_so(toolchain: Toolchain, cache: CacheDirectory) -> None:
    with pytest.raises(SourceError, match="no GOPROXY is declared"):
        cache.obtain(toolchain.request(sources=("module",)), environ={"PATH": "/nonexistent"})


def test_file_urls_serve_as_mirror_and_as_proxy(
    toolchain: Toolchain, cache: CacheDirectory, tmp_path: Path
) -> None:
    mirror = tmp_path / "a mirror"
    mirror.mkdir()
    (mirror / toolchain.archive_path[1:]).write_bytes(toolchain.archive())
    url = mirror.as_uri()
    assert cache.obtain(toolchain.request(archive_url=url)).origin.startswith("archive file:///")
    zipped = mirror / toolchain.module_path[1:]
    zipped.parent.mkdir(parents=True)
    zipped.write_bytes(toolchain.zip())
    other = CacheDirectory(tmp_path / "other")
    assert other.obtain(toolchain.request(sources=("module",), goproxy=url)).h1 == toolchain.h1


def test_members_in_another_order_give_the_same_tar(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory, tmp_path: Path
) -> None:
    serve(server, toolchain)
    orderly = cache.obtain(toolchain.request(sources=("module",), goproxy=server.url))
    toolchain.files = dict(reversed(toolchain.files.items()))
    server.files[toolchain.archive_path] = toolchain.archive()
    other = CacheDirectory(tmp_path / "other")
    assert other.obtain(toolchain.request(archive_url=server.url)).sha256 == orderly.sha256
