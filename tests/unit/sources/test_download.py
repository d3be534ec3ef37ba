"""How one file is fetched: resuming, retrying, proxies, credentials."""

from __future__ import annotations

import time
from email.utils import formatdate
from pathlib import Path

import pytest

from gostead.sources import SourceError
from gostead.sources.limits import Limits
from tests.support.badserver import (
    Authority,
    BadServer,
    Handler,
    redirect,
    reset,
    serve_well,
    status,
    tag,
    truncated,
)
from tests.support.source_fixtures import QUICK, CacheDirectory
from tests.support.toolchain import Toolchain


@pytest.fixture
def path(server: BadServer, toolchain: Toolchain) -> str:
    """The path of the module's zip, which the server has."""
    server.files[toolchain.module_path] = toolchain.zip()
    return toolchain.module_path


def fetch(server: BadServer, toolchain: Toolchain, cache: CacheDirectory, **given: object) -> None:
    request = toolchain.request(sources=("module",), goproxy=server.url, **given)
    assert cache.obtain(request).h1 == toolchain.h1


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504, 408])
def test_a_passing_trouble_is_waited_out(
    code: int, server: BadServer, toolchain: Toolchain, cache: CacheDirectory, path: str
) -> None:
    server.script[path] = [status(code), status(code)]
    fetch(server, toolchain, cache)
    assert len(server.seen) == 3


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 418, 204, 304])
def test_what_will_not_change_is_asked_once(
    code: int, server: BadServer, toolchain: Toolchain, cache: CacheDirectory, path: str
) -> None:
    server.script[path] = [status(code)] * 9
    with pytest.raises(SourceError, match=f"HTTP {code}"):
        fetch(server, toolchain, cache)
    assert len(server.seen) == 1


@pytest.mark.parametrize("when", ["1", "date"])
def test_retry_after_is_obeyed(
    when: str, server: BadServer, toolchain: Toolchain, cache: CacheDirectory, path: str
) -> None:
    text = formatdate(time.time() + 2, usegmt=True) if when == "date" else when
    server.script[path] = [status(503, Retry_After=text)]
    request = toolchain.request(sources=("module",), goproxy=server.url)
    started = time.monotonic()
    cache.obtain(request, Limits(backoff=0.001, attempts=2))
    assert 0.9 < time.monotonic() - started < 4


def test_an_absurd_retry_after_is_capped(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory, path: str
) -> None:
    server.script[path] = [status(503, Retry_After="86400")]
    started = time.monotonic()
    fetch(server, toolchain, cache)
    assert time.monotonic() - started < 3


def test_a_file_that_changed_meanwhile_is_fetched_anew(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory, path: str
) -> None:
    good = server.files[path]

    def older_version(handler: Handler, _: bytes | None) -> None:
        other = b"PK" + bytes(len(good) - 2)
        truncated(50_000)(handler, other)

    server.script[path] = [older_version]
    fetch(server, toolchain, cache)
    assert "if-range" in server.seen[1].headers


def test_a_part_that_was_not_asked_for_is_not_glued_on(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory, path: str
) -> None:
    def wrong_part(handler: Handler, body: bytes | None) -> None:
        assert body is not None
        part = body[10:]
        where = f"bytes 10-{len(body) - 1}/{len(body)}"
        handler.reply(206, {"Content-Length": str(len(part)), "Content-Range": where}, part)

    server.script[path] = [truncated(70_000), wrong_part, serve_well]
    fetch(server, toolchain, cache)
    assert "range" not in server.seen[2].headers


def test_a_refusal_to_resume_leads_to_a_new_start(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory, path: str
) -> None:
    server.script[path] = [truncated(70_000), status(416)]
    fetch(server, toolchain, cache)


def test_without_a_validator_nothing_is_resumed(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory, path: str
) -> None:
    server.script[path] = [truncated(70_000, tagged=False)]
    fetch(server, toolchain, cache)
    assert "range" not in server.seen[1].headers


def test_a_weak_entity_tag_is_no_base_for_resuming(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory, path: str
) -> None:
    def weakly(handler: Handler, body: bytes | None) -> None:
        assert body is not None
        headers = {"Content-Length": str(len(body)), "ETag": "W/" + tag(body)}
        handler.reply(200, headers, body[:70_000])
        handler.close_connection = True

    server.script[path] = [weakly]
    fetch(server, toolchain, cache)
    assert "range" not in server.seen[1].headers


def test_an_archive_that_starts_anew_is_unpacked_anew(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    """It is unpacked while it comes; the half that came first must leave no trace."""
    older = Toolchain(version="1.26.8").archive()
    server.files[toolchain.archive_path] = toolchain.archive()
    server.script[toolchain.archive_path] = [
        lambda handler, _: truncated(600_000, tagged=False)(handler, older),
        reset(300_000),
    ]
    tar = cache.obtain(toolchain.request(sources=("archive",), archive_url=server.url))
    assert tar.h1 == toolchain.h1
    assert len(server.seen) == 3


def test_a_chunked_body_without_length_is_read(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory, path: str
) -> None:
    def chunked(handler: Handler, body: bytes | None) -> None:
        assert body is not None
        handler.reply(200, {"Transfer-Encoding": "chunked", "ETag": tag(body)})
        for at in range(0, len(body), 50_000):
            part = body[at : at + 50_000]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        handler.wfile.write(b"0\r\n\r\n")

    server.script[path] = [chunked]
    fetch(server, toolchain, cache)


def test_a_content_encoding_is_not_taken_off(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    """Some servers call a .tar.gz gzip-encoded; the file as released is what is pinned."""
    body = toolchain.archive()
    headers = {"Content-Encoding": "gzip", "Content-Length": str(len(body))}
    server.script[toolchain.archive_path] = [lambda h, _: h.reply(200, headers, body)]
    cache.obtain(toolchain.request(sources=("archive",), archive_url=server.url))


def test_the_declared_proxy_is_used_with_its_password(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    target = f"http://mirror.test{toolchain.archive_path}"
    server.files[target] = toolchain.archive()
    proxy = server.url.replace("//", "//ann:p%40ss@")
    cache.obtain(
        toolchain.request(
            sources=("archive",), archive_url="http://mirror.test", proxy=proxy, auth="canary"
        )
    )
    (seen,) = server.seen
    assert seen.target == target
    assert seen.headers["proxy-authorization"] == "Basic YW5uOnBAc3M="
    assert "authorization" not in seen.headers, "a secret over plain http to another machine"


def test_the_environment_names_the_proxy_and_the_exceptions(
    server: BadServer,
    toolchain: Toolchain,
    cache: CacheDirectory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.files[f"http://mirror.test{toolchain.archive_path}"] = toolchain.archive()
    monkeypatch.setenv("http_proxy", server.url)
    cache.obtain(toolchain.request(sources=("archive",), archive_url="http://mirror.test"))
    monkeypatch.setenv("no_proxy", "mirror.test")
    other = Toolchain(version="1.26.8")
    server.files[f"http://mirror.test{other.archive_path}"] = other.archive()
    monkeypatch.setattr("socket.getaddrinfo", _no_such_name)
    with pytest.raises(SourceError, match=r"mirror\.test cannot be resolved"):
        cache.obtain(other.request(sources=("archive",), archive_url="http://mirror.test"))


def _no_such_name(*_: object, **__: object) -> None:
    raise OSError(-2, "Name or service not known")


def test_this_machine_is_never_asked_through_a_proxy(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory, path: str
) -> None:
    fetch(server, toolchain, cache, proxy="http://127.0.0.1:1")


def test_an_https_proxy_refusal_is_told(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    """The server knows no CONNECT, as a proxy that forbids it."""
    request = toolchain.request(
        sources=("archive",), archive_url="https://mirror.test", proxy=server.url
    )
    with pytest.raises(SourceError, match=r"the proxy refuses .*501"):
        cache.obtain(request)


@pytest.mark.parametrize(("auth", "header"), [("tok", "Bearer tok"), ("a:b", "Basic YTpi")])
def test_the_secret_goes_to_the_first_declared_proxy_only(
    auth: str, header: str, server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    with BadServer() as public:
        public.files[toolchain.module_path] = toolchain.zip()
        goproxy = f"{server.url},{public.url}"
        cache.obtain(toolchain.request(sources=("module",), goproxy=goproxy, auth=auth))
        assert [s.headers.get("authorization") for s in server.seen] == [header]
        assert [s.headers.get("authorization") for s in public.seen] == [None]


def test_the_secret_is_not_for_a_proxy_of_the_environment(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory, path: str
) -> None:
    request = toolchain.request(sources=("module",), auth="canary")
    cache.obtain(request, environ={"GOPROXY": server.url})
    assert "authorization" not in server.seen[0].headers


def test_the_secret_is_not_for_the_public_download_page() -> None:
    from gostead.sources.credentials import archive_authorization

    assert archive_authorization(Toolchain().request(auth="canary")) is None


def test_a_password_in_the_url_wins_and_is_not_in_the_request_line(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory, path: str
) -> None:
    with_user = server.url.replace("//", "//ann:b%2Fc@")
    cache.obtain(toolchain.request(sources=("module",), goproxy=with_user, auth="other"))
    assert server.seen[0].headers["authorization"] == "Basic YW5uOmIvYw=="
    assert server.seen[0].target == path
    assert "ann" not in server.seen[0].headers["host"]


def test_a_secret_with_a_line_break_is_refused_unseen(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory
) -> None:
    with pytest.raises(SourceError, match=r"network\.auth holds a line break") as caught:
        fetch(server, toolchain, cache, auth="canary\r\nX: y")
    assert "canary" not in str(caught.value)
    assert server.seen == []


def test_https_carries_the_secret_and_a_redirect_to_another_port_does_not(
    toolchain: Toolchain, cache: CacheDirectory, tmp_path: Path
) -> None:
    authority = Authority.make(tmp_path)
    with BadServer(authority.server()) as one, BadServer(authority.server()) as two:
        two.files["/store"] = toolchain.zip()
        one.script[toolchain.module_path] = [redirect(two.url + "/store")]
        fetch(one, toolchain, cache, auth="tok", ca_bundle=str(authority.bundle))
        assert one.seen[0].headers["authorization"] == "Bearer tok"
        assert "authorization" not in two.seen[0].headers


def test_progress_tells_what_is_done_and_of_how_much(
    server: BadServer, toolchain: Toolchain, cache: CacheDirectory, path: str
) -> None:
    from gostead.sources import obtain

    told: list[tuple[str, int, int | None]] = []
    obtain(
        toolchain.request(sources=("module",), goproxy=server.url.replace("//", "//u:canary@")),
        cache=cache.root,
        limits=QUICK,
        progress=lambda *step: told.append(step),
    )
    size = len(server.files[path])
    assert told[0][0] == f"fetching Go 1.27.3 for linux-amd64 from {server.url}{path}"
    assert (told[0][0], size, size) in told
    assert [done for _, done, total in told if total] == sorted(d for _, d, t in told if t)
