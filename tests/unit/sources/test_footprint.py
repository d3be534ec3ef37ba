"""What sources cost the process that uses them: imports, memory, other greenlets."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support.badserver import BadServer
from tests.support.source_fixtures import CacheDirectory
from tests.support.toolchain import Toolchain


def run(script: str) -> list[str]:
    """Words that a Python of its own prints."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_importing_loads_nothing_that_fetches() -> None:
    loaded = run("import sys, gostead.sources; print(*sys.modules)")
    assert not {"urllib3", "ssl", "zipfile", "tarfile", "subprocess", "pydantic"} & set(loaded)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_memory_stays_bounded_with_a_big_toolchain(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    """Files of 150 MB; unpacked whole, any of them would show.

    VmHWM, since ru_maxrss counts the process that this one was forked from too.
    """
    unit = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(256))
    toolchain.files["pkg/tool/linux_amd64/compile"] = unit * (60_000_000 // len(unit))
    toolchain.files["pkg/tool/linux_amd64/link"] = unit * (90_000_000 // len(unit))
    server.files[toolchain.archive_path] = toolchain.archive()
    server.files[toolchain.module_path] = toolchain.zip()
    for source in ("archive", "module"):
        script = f"""
            from pathlib import Path
            from gostead.sources import Request, obtain
            tar = obtain(Request("1.27.3", "linux-amd64", {toolchain.h1!r}, sources=({source!r},),
                archive_url={server.url!r}, goproxy={server.url!r}),
                cache=Path({str(cache.root / source)!r}))
            tar.compressed()
            lines = Path("/proc/self/status").read_text().splitlines()
            peak = next(line.split()[1] for line in lines if line.startswith("VmHWM"))
            print(int(peak) // 1024, tar.tree_bytes)
        """
        mebibytes, tree_bytes = map(int, run(script))
        assert tree_bytes > 140_000_000
        assert mebibytes < 80  # of the 120 that the whole controller may have


def test_under_gevent_other_hosts_go_on_meanwhile(
    toolchain: Toolchain, cache: CacheDirectory
) -> None:
    """pyinfra patches threads and sockets; two greenlets fetch, a third one keeps time."""
    for n in range(40):
        toolchain.files[f"src/{n}.go"] = bytes(1_000_000)
    source = cache.root.parent / "mirror"
    source.mkdir()
    (source / toolchain.archive_path[1:]).write_bytes(toolchain.archive())
    script = f"""
        from gevent import monkey
        monkey.patch_all()
        import gevent, time
        from pathlib import Path
        from tests.support.badserver import BadServer
        from gostead.sources import Request, obtain

        pauses = []
        def tick():
            last = time.monotonic()
            while True:
                gevent.sleep(0.005)
                pauses.append(time.monotonic() - last)
                last = time.monotonic()

        with BadServer() as server:
            path = {toolchain.archive_path!r}
            server.files[path] = Path({str(source)!r} + path).read_bytes()
            request = Request("1.27.3", "linux-amd64", {toolchain.h1!r}, archive_url=server.url)
            obtaining = [
                gevent.spawn(obtain, request, cache=Path({str(cache.root)!r})) for _ in range(2)
            ]
            ticker = gevent.spawn(tick)
            began = time.monotonic()
            gevent.joinall(obtaining, timeout=30)
            ticker.kill()
            print(*[g.value.h1 == request.h1 for g in obtaining], len(server.seen))
            print(len(pauses), max(pauses) / (time.monotonic() - began))
    """
    one, two, requests, ticks, share = run(script)
    assert (one, two, requests) == ("True", "True", "1")
    assert int(ticks) > 10
    # A part of the time that it all took, so that a busy machine says nothing.
    assert float(share) < 0.5
