"""What a request accepts, and the addresses that follow from it."""

from __future__ import annotations

from typing import Any

import pytest

from gostead.sources import Request, SourceError, archive_url_for, module_url
from gostead.sources.redact import printable, redact_url

H1 = "h1:" + "A" * 43 + "="


def make(**given: Any) -> Request:
    return Request(**{"version": "1.27.3", "platform": "linux-amd64", "h1": H1, **given})


def test_addresses() -> None:
    request = make(archive_url="https://mirror.example/go/")
    assert archive_url_for(request) == "https://mirror.example/go/go1.27.3.linux-amd64.tar.gz"
    assert archive_url_for(make()) == "https://go.dev/dl/go1.27.3.linux-amd64.tar.gz"
    assert module_url("https://proxy.example/x/", request) == (
        "https://proxy.example/x/golang.org/toolchain/@v/v0.0.1-go1.27.3.linux-amd64.zip"
    )


@pytest.mark.parametrize("version", ["1.21rc2", "1.27.3", "1.20"])
def test_versions_that_exist(version: str) -> None:
    assert make(version=version).module_version == f"v0.0.1-go{version}.linux-amd64"


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": "1.27.3/../../x"},
        {"version": "go1.27.3"},
        {"version": "1.27.3\n"},
        {"version": "--help"},
        {"version": "\u0661.27"},
        {"platform": "../x-y"},
        {"platform": "linux"},
        {"platform": "linux-amd64\n"},
        {"h1": "A" * 44},
        {"h1": "h1:short"},
        {"h1": "h1:" + "A" * 42 + "B="},
        {"h1": H1 + "\n"},
        {"sha256": "A" * 64},
        {"sha256": "0" * 63},
    ],
)
def test_what_is_no_toolchain_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SourceError):
        make(**wrong)


def test_repr_hides_whatever_may_hold_a_secret() -> None:
    url = "https://u:canary@host"
    request = make(archive_url=url, goproxy=url, proxy=url, auth="canary")
    assert "canary" not in repr(request)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:canary@host:8443/a/@v/b.zip", "https://host:8443/a/@v/b.zip"),
        ("https://host/a?X-Signature=canary#canary", "https://host/a?…"),
        ("https://a@canary@host/", "https://host/"),
        ("user:canary@host", "(unreadable URL)"),
        ("//u:canary@host", "(unreadable URL)"),
        ("http://[canary", "(unreadable URL)"),
        ("https://host/\x1b[2J", "https://host/\\x1b[2J"),
        ("file:///srv/mirror", "file:///srv/mirror"),
    ],
)
def test_urls_are_shown_without_secrets(url: str, shown: str) -> None:
    assert redact_url(url) == shown


def test_foreign_text_stays_on_its_line() -> None:
    assert printable("a\nb\x1b[31m" + "c" * 500, 10).isprintable()
