"""Which URLs are accepted."""

from __future__ import annotations

import pytest

from gostead.declaration.grammar import Refusal
from gostead.declaration.network import check_path
from gostead.declaration.urls import (
    check_archive_url,
    check_goproxy,
    check_proxy,
    is_plain_http,
    redact_url,
)


@pytest.mark.parametrize(
    "url",
    [
        "https://go.dev/dl",
        "http://mirror.example.com:8080/a%20b/go",
        "https://[2001:db8::1]:8443/go",
        "https://user.example/a@b/~go",
        "file:///srv/go",
        "file://localhost/srv/go",
    ],
)
def test_base_urls(url: str) -> None:
    assert check_archive_url(url) == url
    assert check_archive_url(url + "/") == url, "a slash at the end makes no difference"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "go.dev/dl",
        "ftp://go.dev/dl",
        "HTTPS://go.dev/dl",
        "https:go.dev/dl",
        "https:///dl",
        "https://",
        "https://user@go.dev/dl",
        "https://user:pw@go.dev/dl",
        "https://go.dev/dl?x=1",
        "https://go.dev/dl#x",
        "https://go.dev/dl\n",
        "https://go.dev/d l",
        "https://go.dev/$(id)",
        "https://go.dev/`id`",
        "https://go.dev/'",
        'https://go.dev/"',
        "https://go.dev/;id",
        "https://go.dev/\\x",
        "https://go.dev/%zz",
        "https://go.dev/%0a",
        "https://go.dev/%00",
        "https://go.dev:99999/dl",
        "https://go.dev:0/dl",
        "https://go.dev:/dl",
        "https://go.dev:x/dl",
        "https://[::1/dl",
        "https://gö.dev/dl",
        "file:srv/go",
        "file://host/srv/go",
        "file://srv",
        "--help",
    ],
)
def test_what_is_no_base_url(url: str) -> None:
    with pytest.raises(Refusal):
        check_archive_url(url)


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("https://user@go.dev/dl", "network.auth"),
        ("https://go.dev/dl?x=1", "no ? and no #"),
        ("https://go.dev/dl#x", "no ? and no #"),
        ("go.dev/dl", "begin with https://"),
        ("https://go.dev/d l", "percent-encode"),
        ("file://host/srv", "three slashes"),
        ("https://go.dev:x/dl", "the port"),
    ],
)
def test_the_hint_fits_the_mistake(url: str, hint: str) -> None:
    for check in (check_archive_url, check_goproxy):
        with pytest.raises(Refusal) as caught:
            check(url)
        assert hint in caught.value.hint


@pytest.mark.parametrize("text", ["direct,", "direct,,off", "direct, off", " direct"])
def test_a_goproxy_list_has_no_empty_entries_and_no_blanks(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        check_goproxy(text)
    assert caught.value.hint == "no empty entries, no blanks"


@pytest.mark.parametrize(
    "path", ["", "ca.pem", "~/ca.pem", "/a\nb", "/a\0b", "/\x1b[2J", "/" + "x" * 1024]
)
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(Refusal):
        check_path(path)


def test_a_path_may_hold_blanks_and_any_letter() -> None:
    assert check_path("/etc/größe und so/ca.pem") == "/etc/größe und so/ca.pem"


@pytest.mark.parametrize(
    "text",
    [
        "off",
        "direct",
        "https://goproxy.example.com",
        "https://a.example/x,https://b.example|direct",
        "https://a.example,off",
        "file:///srv/goproxy",
        "http://127.0.0.1:3000",
    ],
)
def test_goproxy_lists(text: str) -> None:
    assert check_goproxy(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "direct,",
        "|off",
        "https://a.example, direct",
        "a.example",
        "Direct",
        "https://u@a.b",
    ],
)
def test_what_is_no_goproxy_list(text: str) -> None:
    with pytest.raises(Refusal):
        check_goproxy(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://proxy:3128", "http://proxy:3128"),
        ("https://me:p%40ss@proxy.example.com", "https://***@proxy.example.com"),
        ("http://me@proxy", "http://***@proxy"),
    ],
)
def test_proxies(text: str, shown: str) -> None:
    assert check_proxy(text) == text
    assert check_proxy(text + "/") == text
    assert redact_url(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "proxy:3128",
        "socks5://proxy",
        "http://proxy/path",
        "http://me:a@b@proxy",
        "http://me:a/b@proxy",
        "http://me:a b@proxy",
        "http://@proxy",
        "me:pw@proxy",
        "http://me:pw@",
        "http://me:pw@proxy\n",
    ],
)
def test_what_is_no_proxy(text: str) -> None:
    with pytest.raises(Refusal):
        check_proxy(text)


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("http://a.example", True),
        ("http://127.0.0.1.example", True),
        ("http://localhost.example", True),
        ("https://a.example", False),
        ("http://127.8.9.1:80", False),
        ("http://localhost", False),
        ("http://[::1]:8080/x", False),
        ("file:///x", False),
        ("direct", False),
    ],
)
def test_what_would_carry_a_secret_unencrypted(url: str, plain: bool) -> None:
    assert is_plain_http(url) is plain
