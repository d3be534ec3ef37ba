"""The cache: private, shared between runs, cleaned up, and never over a full disk."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from gostead.sources import CanonicalTar, SourceError
from gostead.sources import cache as cache_module
from gostead.sources.cache import Cache, default_cache
from gostead.sources.canonical import mount_point
from tests.support.badserver import BadServer, Handler, serve_well
from tests.support.source_fixtures import CacheDirectory
from tests.support.toolchain import Toolchain

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make a foreign file")


def test_everything_in_it_is_private(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.files[toolchain.archive_path] = toolchain.archive()
    before = os.umask(0)
    try:
        cache.obtain(toolchain.request(archive_url=server.url)).compressed()
    finally:
        os.umask(before)
    for path in [cache.root, *cache.root.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o720])
def test_a_directory_that_others_can_write_is_refused(mode: int, cache: CacheDirectory) -> None:
    cache.root.mkdir()
    cache.root.chmod(mode)
    with pytest.raises(SourceError, match="others could change"):
        cache.obtain(Toolchain().request())


@AS_ROOT
def test_a_directory_of_somebody_else_is_refused(cache: CacheDirectory) -> None:
    cache.root.mkdir(mode=0o700)
    os.chown(cache.root, 65534, 65534)
    with pytest.raises(SourceError, match="belongs to uid 65534"):
        cache.obtain(Toolchain().request())


@AS_ROOT
def test_root_does_not_write_below_the_home_that_sudo_kept(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    found = default_cache({"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "x")})
    assert not found.is_relative_to(tmp_path)


@pytest.mark.skipif(sys.platform == "darwin", reason="the place differs on a Mac")
def test_the_place_follows_the_environment(tmp_path: Path) -> None:
    assert default_cache({"HOME": str(tmp_path)}) == tmp_path / ".cache" / "gostead"
    both = {"HOME": str(tmp_path), "XDG_CACHE_HOME": "/var/tmp/c"}
    assert default_cache(both) == Path("/var/tmp/c/gostead")
    relative = {"HOME": str(tmp_path), "XDG_CACHE_HOME": "c"}
    assert default_cache(relative) == tmp_path / ".cache" / "gostead"


def test_a_file_in_its_place_is_named(cache: CacheDirectory) -> None:
    cache.root.write_text("mine")
    with pytest.raises(SourceError, match="cannot be used"):
        cache.obtain(Toolchain().request())
    assert cache.root.read_text() == "mine"


def test_too_little_space_is_said_before_anything_is_fetched(
    server: BadServer, cache: CacheDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = os.statvfs("/")
    monkeypatch.setattr(os, "statvfs", lambda _: _Full(free))
    with pytest.raises(SourceError, match=r"file system /\S* has 7 MiB free, and 384 MiB are"):
        cache.obtain(Toolchain().request(archive_url=server.url))
    assert server.seen == []


class _Full:
    """What statvfs says of a nearly full disk."""

    f_bavail = 7
    f_frsize = 1 << 20

    def __init__(self, _: os.statvfs_result) -> None:
        pass


@pytest.mark.parametrize("source", ["archive", "module"])
def test_a_disk_that_fills_up_is_named_and_nothing_stays(
    source: str, server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    """With a limit on file sizes, which fails as a full disk does; in a process of its own."""
    server.files[toolchain.archive_path] = toolchain.archive()
    server.files[toolchain.module_path] = toolchain.zip()
    order = (source, "module" if source == "archive" else "archive")
    for limit in (100_000, 2_000_000):  # in the download, and in the unpacked tree
        script = f"""
            import resource
            from pathlib import Path
            from gostead.sources import Request, SourceError, obtain
            resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
            request = Request("1.27.3", "linux-amd64", {toolchain.h1!r}, sources={order!r},
                archive_url={server.url!r}, goproxy={server.url!r})
            try:
                obtain(request, cache=Path({str(cache.root)!r}), environ={{}})
            except SourceError as error:
                print(error)
        """
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        where = mount_point(cache.root)
        assert f"on the file system {where} cannot be used: File too large" in done.stdout
        assert cache.tars() == cache.leftovers() == []
        assert len({seen.target for seen in server.seen}) == 1, "no other source mends a disk"


def test_what_a_killed_run_left_is_removed_and_what_lives_is_not(cache: CacheDirectory) -> None:
    store = Cache(cache.root)
    dead, young, living = (cache.root / "tmp" / f"{n}.part" for n in ("dead", "young", "living"))
    for path in (dead, young, living):
        path.write_bytes(b"x")
    old = time.time() - 3600
    os.utime(dead, (old, old))
    os.utime(living, (old, old))
    with living.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        store.tidy()
    assert sorted(cache.leftovers()) == sorted([young, living])


def test_a_run_that_is_killed_leaves_nothing_that_counts(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    reached = threading.Event()

    def hang(handler: Handler, body: bytes | None) -> None:
        assert body is not None
        handler.reply(200, {"Content-Length": str(len(body))}, body[:500_000])
        reached.set()
        handler.bad.ending.wait(30)

    server.files[toolchain.archive_path] = toolchain.archive()
    server.script[toolchain.archive_path] = [hang]
    script = f"""
        from pathlib import Path
        from gostead.sources import Request, obtain
        request = Request("1.27.3", "linux-amd64", {toolchain.h1!r}, archive_url={server.url!r})
        obtain(request, cache=Path({str(cache.root)!r}))
    """
    victim = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)])
    assert reached.wait(20)
    victim.kill()
    victim.wait()
    tar = cache.obtain(toolchain.request(archive_url=server.url))
    assert tar.h1 == toolchain.h1
    assert len(cache.tars()) == 1


def test_what_nobody_asked_for_in_a_month_is_removed(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.files[toolchain.archive_path] = toolchain.archive()
    first = cache.obtain(toolchain.request(archive_url=server.url))
    old = time.time() - cache_module.UNUSED_FOR - 10
    os.utime(first.path, (old, old))
    other = Toolchain(version="1.26.8")
    server.files[other.archive_path] = other.archive()
    second = cache.obtain(other.request(archive_url=server.url))
    assert cache.tars() == [second.path]


def test_many_at_once_fetch_once(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    def slowly(handler: Handler, body: bytes | None) -> None:
        time.sleep(0.3)
        serve_well(handler, body)

    server.files[toolchain.archive_path] = toolchain.archive()
    server.script[toolchain.archive_path] = [slowly] * 9
    found: list[CanonicalTar] = []
    request = toolchain.request(archive_url=server.url)
    threads = [
        threading.Thread(target=lambda: found.append(cache.obtain(request))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len({tar.sha256 for tar in found}) == 1
    assert len(found) == 6
    assert len(server.seen) == 1


def test_two_processes_fetch_once(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    server.files[toolchain.archive_path] = toolchain.archive()
    server.script[toolchain.archive_path] = [
        lambda handler, body: (time.sleep(1.0), serve_well(handler, body))[1]  # type: ignore[func-returns-value]
    ]
    script = f"""
        from pathlib import Path
        from gostead.sources import Request, obtain
        request = Request("1.27.3", "linux-amd64", {toolchain.h1!r}, archive_url={server.url!r})
        def tell(what, done, total):
            if "waiting" in what:
                print(what)
        print(obtain(request, cache=Path({str(cache.root)!r}), progress=tell).sha256)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [run.communicate(timeout=30)[0] for run in runs]
    assert all(run.returncode == 0 for run in runs)
    assert said[0].split()[-1] == said[1].split()[-1]
    assert sum("waiting for another gostead" in text for text in said) == 1
    assert len(server.seen) == 1
