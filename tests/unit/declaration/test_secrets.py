"""Secrets are read on the controller and shown nowhere."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from gostead.declaration import DeclarationError, Network, Problem

from .conftest import Declare

Problems = Callable[..., tuple[Problem, ...]]
CANARY = "canary-5f2d"


def auth(declare: Declare, text: str) -> str | None:
    secret = declare(f"go:\n  network:\n    auth: {text}\n").linux.network.auth
    return secret.get_secret_value() if secret else None


def test_env_reads_a_variable(declare: Declare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOSTEAD_TEST_TOKEN", CANARY)
    assert auth(declare, "!env GOSTEAD_TEST_TOKEN") == CANARY


@pytest.mark.parametrize(
    ("content", "value"),
    [(f"{CANARY}\n", CANARY), (f"{CANARY}\r\n", CANARY), (CANARY, CANARY), ("a:b c\n", "a:b c")],
)
def test_file_is_relative_to_the_yaml_file_and_loses_one_newline(
    declare: Declare, tmp_path: Path, content: str, value: str
) -> None:
    (tmp_path / "token").write_text(content)
    assert auth(declare, "!file ../token") == value
    assert auth(declare, f"!file {tmp_path}/token") == value


def test_a_proxy_may_be_a_secret(declare: Declare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOSTEAD_TEST_PROXY", f"http://me:{CANARY}@proxy:3128")
    network = declare("go: {network: {proxy: !env GOSTEAD_TEST_PROXY}}").linux.network
    assert network.proxy is not None
    assert network.proxy.get_secret_value() == f"http://me:{CANARY}@proxy:3128"
    assert network.shown_proxy == "http://***@proxy:3128"


def test_nothing_shows_a_secret(declare: Declare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOSTEAD_TEST_TOKEN", CANARY)
    declared = declare(
        f"go: {{network: {{auth: !env GOSTEAD_TEST_TOKEN, proxy: 'http://u:{CANARY}@p'}}}}"
    )
    dumped = declared.linux.model_dump()
    shown = [repr(declared), str(declared.linux), str(dumped), declared.linux.model_dump_json()]
    shown += [json.dumps(dict(declared.where["linux"])), f"{declared.linux.network.auth}"]
    assert CANARY not in "".join(shown)


@pytest.mark.parametrize(
    "text",
    [
        "network: {auth: !env GOSTEAD_TEST_TOKEN}\n  scope: wrong",
        "network: {proxy: !env GOSTEAD_TEST_TOKEN}",
        "network: {proxy: 'ftp://u:canary-5f2d@x'}",
        "network: {proxy: 'u:canary-5f2d'}",
        "network: {proxy: [canary-5f2d]}",
        "network: {auth: [canary-5f2d]}",
        "network: {auth: {canary: canary-5f2d}}",
        "network: canary-5f2d",
        "network: {auht: canary-5f2d}",
        "toolchains: {archive_url: 'https://u:canary-5f2d@x.example'}",
        "toolchains: {archive_url: 'u:canary-5f2d@x.example'}",
        "toolchains: {goproxy: 'https://u:canary-5f2d@x.example,direct'}",
        "toolchains: {default: !env GOSTEAD_TEST_TOKEN}",
        "toolchains: {versions: [!env GOSTEAD_TEST_TOKEN]}",
        "toolchains: {pins: {x: {y: {h1: !env GOSTEAD_TEST_TOKEN}}}}",
        "users: !file ../token",
        "unknown: canary-5f2d",
    ],
)
def test_no_problem_shows_a_secret(
    declare: Declare, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    monkeypatch.setenv("GOSTEAD_TEST_TOKEN", CANARY + "\n")
    (tmp_path / "token").write_text(CANARY)
    with pytest.raises(DeclarationError) as caught:
        declare(f"go:\n  {text}\n")
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert CANARY not in repr(caught.value.problems)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("!env GOSTEAD_TEST_ABSENT", "!env GOSTEAD_TEST_ABSENT, which is not set here"),
        ("!env GOSTEAD_TEST_EMPTY", "!env GOSTEAD_TEST_EMPTY, which is empty here"),
        ("!env", "!env without a variable's name"),
        ("!env $HOME", "!env without a variable's name"),
        ("!env GOSTEAD_TEST_ODD=", "!env without a variable's name"),
        ("!file nowhere", '!file "nowhere", which cannot be read (No such file or directory)'),
        ("!file .", '!file ".", which cannot be read (not a regular file)'),
        ("!file ''", '!file "", which cannot be read (not a regular file)'),
        ("!file empty", '!file "empty", which cannot be read (empty)'),
        ("!file large", '!file "large", which cannot be read (more than 65536 bytes)'),
        ("!file latin", '!file "latin", which is no usable path or no UTF-8 text'),
        ("!file fifo", '!file "fifo", which cannot be read (not a regular file)'),
        ('!file "a\\0b"', '!file "a\\x00b", which is no usable path or no UTF-8 text'),
    ],
)
def test_an_unreadable_secret_names_its_line_and_where_it_should_be(
    problems: Problems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, found: str
) -> None:
    monkeypatch.setenv("GOSTEAD_TEST_EMPTY", "")
    directory = tmp_path / "group_data"
    directory.mkdir()
    (directory / "empty").touch()
    (directory / "large").write_bytes(b"x" * 65537)
    (directory / "latin").write_bytes(b"\xe9")
    os.mkfifo(directory / "fifo")
    (problem,) = problems(f"go:\n  network:\n    auth: {text}\n")
    assert (problem.where, problem.key) == ("all.yaml:3", "go.network.auth")
    assert problem.found == found


def test_a_secret_that_a_later_layer_replaces_is_not_read(declare: Declare) -> None:
    files = {
        "all.yaml": "go: {network: {auth: !env GOSTEAD_TEST_ABSENT}}",
        "web.yaml": "go: {network: {auth: null}}",
    }
    assert declare(files, ["web"]).linux.network.auth is None


def test_a_secret_of_one_system_is_read_for_it(problems: Problems) -> None:
    (problem,) = problems({"darwin.yaml": "go: {network: {auth: !env GOSTEAD_TEST_ABSENT}}"})
    assert problem.where == "darwin.yaml:1"


@pytest.mark.parametrize("value", ["a\nb", "a\r", " a", "é", "", "x" * 8193, "a\0"])
def test_a_secret_must_fit_into_one_header_line(value: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        Network.model_validate({"auth": value})


@pytest.mark.parametrize(
    ("key", "url"),
    [
        ("archive_url", "http://mirror.example.com/go"),
        ("goproxy", "https://a.example,http://b.example"),
    ],
)
def test_a_credential_never_goes_over_plain_http(problems: Problems, key: str, url: str) -> None:
    (problem,) = problems(
        {
            "all.yaml": f"go:\n  toolchains:\n    {key}: {url}\n",
            "linux.yaml": "go: {network: {auth: abc}}",
        }
    )
    assert (problem.where, problem.key) == ("all.yaml:3", f"go.toolchains.{key}")
    assert "linux.yaml:1" in problem.hint


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/go", "http://localhost/go", "http://[::1]:1/go", "file:///srv"]
)
def test_a_credential_may_go_to_loopback(declare: Declare, url: str) -> None:
    text = f"go: {{toolchains: {{archive_url: '{url}'}}, network: {{auth: abc}}}}"
    assert declare(text).linux.toolchains.archive_url == url
