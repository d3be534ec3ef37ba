"""A scheduled run reaches its repository as `network` is declared: by a proxy, or trusted."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.badserver import Authority
from tests.support.root import Mount
from tests.support.sandbox import Sandbox
from tests.support.site import Site
from tests.support.upstream import ABLE, GIT, HERE, RUNNER, Upstream

#: What git speaks https with, for a root that has none.
CURL = [Mount(path) for path in Path("/usr/lib").glob("*-linux-gnu/libcurl-gnutls.so.4")]
#: A directory by https, and a proxy that writes down what it is asked and lets nothing through.
SERVERS = """
import functools, http.server, ssl, sys, threading
served, certificate, asked = sys.argv[1:]
class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_CONNECT(self):
        with open(asked, "a") as file:
            print(self.path, self.headers.get("Proxy-Authorization", ""), file=file)
        known = "Proxy-Authorization" in self.headers
        self.send_response(403 if known else 407)
        self.send_header("Proxy-Authenticate", "Basic")
        self.send_header("Content-Length", "0")
        self.end_headers()
proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 3128), Proxy)
threading.Thread(target=proxy.serve_forever, daemon=True).start()
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=served)
site = http.server.ThreadingHTTPServer(("127.0.0.1", 8443), handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate)
site.socket = context.wrap_socket(site.socket, server_side=True)
print("ready", flush=True)
site.serve_forever()
"""
#: Writes down the words of each `env` that starts something: that is how git is started.
ENV = '#!/bin/sh\nprintf \'%s\\n\' "$*" >>/srv/arguments\nexec /usr/bin/env "$@"\n'


@pytest.fixture
def authority(site: Site) -> Authority:
    (site.directory / "tls").mkdir()
    return Authority.make(site.directory / "tls")


@pytest.fixture
def host(
    site: Site, upstream: Upstream, authority: Authority, make_sandbox: Callable[..., Sandbox]
) -> Iterator[Sandbox]:
    assert CURL, "git-remote-https needs libcurl-gnutls, and Debian's git depends on it"
    sandbox = make_sandbox(mounts=[Mount(site.directory), *GIT, *CURL])
    sandbox.run(ABLE, check=True)
    with servers(sandbox, upstream, authority):
        yield sandbox


@contextmanager
def servers(host: Sandbox, upstream: Upstream, authority: Authority) -> Iterator[None]:
    """Both servers, on the loopback of the root."""
    authority.server()
    (certificate,) = authority.directory.glob("server-*.pem")
    words = [str(upstream.path), str(certificate), str(upstream.site.directory / "asked")]
    with subprocess.Popen(
        ["nsenter", "-t", str(host.pid), "-n", "--", sys.executable, "-c", SERVERS, *words],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield
        finally:
            process.kill()


def declare(upstream: Upstream, source: str, **network: str) -> None:
    schedule = {"every": "1h", "source": source, "ref": "main", "signers": [upstream.public("ann")]}
    upstream.site.declare({}, users=["ann"], schedule=schedule, network=network)
    upstream.commit()
    upstream.git("update-server-info")


def scheduled(host: Sandbox) -> dict[str, Any]:
    """What a run said of itself."""
    host.run([RUNNER], env={"LANG": "C"}, timeout=180)
    told: dict[str, Any] = json.loads(host.run("cat /opt/gostead/state/schedule.json").stdout)
    return told


def test_a_certificate_of_ones_own_is_trusted_where_it_is_declared(
    host: Sandbox, upstream: Upstream, authority: Authority
) -> None:
    source = "https://127.0.0.1:8443/.git"
    declare(upstream, source)
    assert upstream.site.apply(host)["exit"] == 0
    told = scheduled(host)
    assert told["result"] == "could not fetch"
    assert "certificate" in told["error"]
    declare(upstream, source, ca_bundle=str(authority.bundle))
    assert upstream.site.apply(host)["exit"] == 0
    assert scheduled(host)["result"] == "converged"


def test_a_proxy_is_asked_and_its_password_is_nobodys_argument(
    host: Sandbox, upstream: Upstream
) -> None:
    env = host.path / "usr/sbin/env"
    env.write_text(ENV)
    env.chmod(0o755)
    source = "https://git.example.com/x.git"
    declare(upstream, source, proxy="http://robot:canary@127.0.0.1:3128")
    report = upstream.site.apply(host)
    assert report["exit"] == 0
    assert "canary" not in json.dumps(report)
    assert scheduled(host)["result"] == "could not fetch"
    asked = (upstream.site.directory / "asked").read_text().splitlines()
    credentials = base64.b64encode(b"robot:canary").decode()
    assert asked[-1] == f"git.example.com:443 Basic {credentials}"
    arguments = host.run("cat /srv/arguments").stdout
    assert "ls-remote" in arguments
    assert "canary" not in arguments
    kept = host.run(f"grep -rl canary {HERE} /opt/gostead/state").stdout.split()
    assert kept == [f"{HERE}/network", f"{HERE}/work/git"]
    modes = host.run(f"stat -c %a {HERE} {HERE}/network {HERE}/work/git").stdout.split()
    assert modes == ["700", "600", "600"]

    # Not declared any more: it does not stay there.
    declare(upstream, source)
    assert upstream.site.apply(host)["exit"] == 0
    assert host.run(f"cat {HERE}/network").stdout == ""
