"""The mirror serves what gostead's own sources accept, wherever it stands."""

from __future__ import annotations

import json
import subprocess
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from gostead.sources import Request, SourceError, obtain
from tests.support.go_cache import GoCache
from tests.support.madeup import madeup
from tests.support.mirror import Mirror
from tests.support.netns import Network
from tests.support.sandbox import Sandbox
from tests.support.ssh_host import SshHost

Source = Literal["archive", "module"]


def fingerprint(path: Path) -> tuple[int, ...]:
    status = path.stat()
    return status.st_ino, status.st_uid, status.st_mode, status.st_size, status.st_mtime_ns


def request_for(mirror: Mirror, base: str, source: Source, version: str = "1.99.1") -> Request:
    keys = mirror.toolchains(base)
    pin = keys["pins"][version]["linux-amd64"]
    return Request(
        version=version, platform="linux-amd64", h1=pin["h1"], sha256=pin["sha256"],
        sources=(source,), archive_url=keys["archive_url"], goproxy=keys["goproxy"],
    )  # fmt: skip


@pytest.mark.parametrize("source", ["archive", "module"])
@pytest.mark.parametrize("how", ["file", "http"])
def test_a_made_up_release_is_obtained_from_the_mirror(
    mirror: Mirror, tmp_path: Path, source: Source, how: str
) -> None:
    mirror.publish(madeup("1.99.1"))
    served = mirror.serve()
    base = served.url if how == "http" else f"file://{mirror.directory}"
    tar = obtain(request_for(mirror, base, source), cache=tmp_path / "cache", environ={})
    with tarfile.open(tar.path) as opened:
        opened.extractall(tmp_path / "tree")  # noqa: S202 - made by this very test
    said = subprocess.run(
        [tmp_path / "tree/bin/go", "version"], capture_output=True, text=True, check=True
    )
    assert said.stdout == "go version go1.99.1 linux/amd64\n"
    assert bool(served.requests) == (how == "http")


def test_two_releases_differ(mirror: Mirror, tmp_path: Path) -> None:
    mirror.publish(madeup("1.99.1"), madeup("1.99.2"))
    one, two = (pin["linux-amd64"]["h1"] for pin in mirror.pins.values())
    assert one != two
    (mirror.dl / "go1.99.1.linux-amd64.tar.gz").write_bytes(
        (mirror.dl / "go1.99.2.linux-amd64.tar.gz").read_bytes()
    )
    wrong = request_for(mirror, f"file://{mirror.directory}", "archive")
    with pytest.raises(SourceError, match="sha256"):
        obtain(wrong, cache=tmp_path / "cache", environ={})


def test_a_sandbox_reads_the_mirror_as_files_and_over_its_own_loopback(
    mirror: Mirror, make_sandbox: Callable[..., Sandbox]
) -> None:
    mirror.publish(madeup())
    sandbox = make_sandbox(mounts=[mirror.mount])
    listed = sandbox.run("ls /srv/mirror/dl", user="deploy", check=True).stdout
    assert listed == "go1.99.1.linux-amd64.tar.gz\n"
    served = mirror.serve(sandbox)
    sandbox.run(f"curl -sSf -o /tmp/x {served.url}/dl/{listed.strip()}", check=True)
    assert served.requests == ["GET /dl/go1.99.1.linux-amd64.tar.gz"]
    # On this machine nobody answers there.
    done = subprocess.run(["curl", "-s", "-o", "/dev/null", served.url], check=False)
    assert done.returncode == 7


def test_an_ssh_host_reaches_a_mirror_in_the_network(
    mirror: Mirror, ssh_host: SshHost, network: Network
) -> None:
    mirror.publish(madeup())
    served = mirror.serve(network)
    ssh_host.run(f"curl -sSf -o /tmp/x {served.url}/dl/go1.99.1.linux-amd64.tar.gz", check=True)
    assert served.requests == ["GET /dl/go1.99.1.linux-amd64.tar.gz"]


def test_real_toolchains_are_kept_and_serve_a_sandbox_and_a_user(
    go_cache: GoCache, make_sandbox: Callable[..., Sandbox]
) -> None:
    tar = go_cache.tar("1.27.3")
    before = fingerprint(tar.path)
    code = """
import json, sys
from gostead.declaration.pins import shipped_pins
from gostead.sources import Request, obtain
pin = shipped_pins()["1.27.3"]["linux-amd64"]
wanted = Request(version="1.27.3", platform="linux-amd64", h1=pin.h1)
tar = obtain(wanted, environ={"HOME": sys.argv[1], "GOPROXY": "off"})
json.dump([tar.sha256, tar.origin], sys.stdout)
"""
    for user, home in (("root", "/root"), ("deploy", "/home/deploy")):
        sandbox = make_sandbox(go_cache=go_cache.path, go_cache_user=user)
        done = sandbox.python("-c", code, home, user=user, check=True)
        sha256, origin = json.loads(done.stdout)
        assert sha256 == tar.sha256
        assert origin.startswith("controller cache")
        sandbox.run(["rm", "-r", f"{home}/.cache/gostead/toolchains"], user=user, check=True)
    assert fingerprint(tar.path) == before


@pytest.mark.slow
def test_a_real_release_is_obtained_from_the_mirror(
    go_cache: GoCache, mirror: Mirror, tmp_path: Path
) -> None:
    mirror.publish_real(go_cache, "1.27.3", module=True)
    url = mirror.serve().url
    for source in ("archive", "module"):
        options: dict[str, Any] = {"cache": tmp_path / source, "environ": {}}
        started = time.monotonic()
        tar = obtain(request_for(mirror, url, source, "1.27.3"), **options)
        assert tar.sha256 == go_cache.tar("1.27.3").sha256, time.monotonic() - started
