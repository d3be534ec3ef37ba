"""Go's settings are checked as `go env -w` checks them, and secrets among them are not shown."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from pydantic import SecretStr

from gostead.declaration import DeclarationError
from gostead.declaration.go_env import SETTINGS, check_value, shown
from gostead.declaration.grammar import Refusal

from .conftest import Declare

GO = "/usr/local/go/bin/go"


@pytest.fixture
def declare(declare: Declare) -> Declare:
    """The same for what stands below `go`."""
    return lambda text: declare("go: " + (text if text.startswith("{") else f"{{{text}}}"))


def refused(declare: Declare, text: str) -> list[str]:
    with pytest.raises(DeclarationError) as caught:
        declare(text)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "key", "hint"),
    [
        ("GOPROX: x", "go.env.GOPROX", "did you mean GOPROXY?"),
        ("GOROOT: /usr/local/go", "go.env.GOROOT", "toolchains.default"),
        ("GOENV: off", "go.env.GOENV", "leave it unset"),
        ("GOTELEMETRY: off", "go.env.GOTELEMETRY", "telemetry: off"),
        ("GOVERSION: go1.2", "go.env.GOVERSION", "toolchains"),
        ("GOBIN: bin", "go.env.GOBIN", "absolute"),
        ("GOPATH: /a:b", "go.env.GOPATH", "absolute"),
        ("GOCACHE: ~/x", "go.env.GOCACHE", "not expanded"),
        ("CC: ./gcc", "go.env.CC", "absolute path"),
        ('CC: "\'gcc"', "go.env.CC", "quote"),
        ("GOFLAGS: mod=mod", "go.env.GOFLAGS", "begin with -"),
        ("GO111MODULE: maybe", "go.env.GO111MODULE", "auto, on, off"),
        ("CGO_ENABLED: 2", "go.env.CGO_ENABLED", "0, 1"),
        ("GOPROXY: foo", "go.env.GOPROXY", "direct or off"),
        ("GOPROXY: 'https://a,,direct'", "go.env.GOPROXY", "no empty"),
        ("GOTOOLCHAIN: 1.2", "go.env.GOTOOLCHAIN", "quote it"),
        ("GOTOOLCHAIN: v1", "go.env.GOTOOLCHAIN", "local, auto"),
        ('GOPRIVATE: "a\\nGOFLAGS=-x"', "go.env.GOPRIVATE", "one line"),
        ('GOPRIVATE: "a\\0b"', "go.env.GOPRIVATE", "one line"),
        ("GOPRIVATE: ''", "go.env.GOPRIVATE", "null takes"),
        ("GOGC: [1]", "go.env.GOGC", "text, a whole number, or null"),
        ("GOGC: 1.5", "go.env.GOGC", "quote it"),
        ("GOMEMLIMIT: 2G", "go.env.GOMEMLIMIT", "GiB"),
        ("GOMAXPROCS: 0", "go.env.GOMAXPROCS", "at least 1"),
        ("GOWORK: x", "go.env.GOWORK", "absolute path of a go.work"),
    ],
)
def test_what_go_refuses_is_refused_before(
    declare: Declare, text: str, key: str, hint: str
) -> None:
    (problem,) = refused(declare, f"env: {{{text}}}")
    assert "/all.yaml:1: " in problem
    assert key in problem
    assert hint in problem


def test_all_of_them_at_once(declare: Declare) -> None:
    found = refused(declare, "{env: {GOBIN: x, GOPROX: y, GOROOT: /z}, scope: nowhere}")
    assert len(found) == 4


def test_null_takes_a_key_out_and_numbers_are_words(declare: Declare) -> None:
    setup = declare("env: {GOFLAGS: null, CGO_ENABLED: 0, GOROOT: null}").linux
    assert setup.env == {"GOFLAGS": None, "CGO_ENABLED": "0", "GOROOT": None}


@pytest.mark.skipif(not Path(GO).exists(), reason="no go here to compare with")
def test_the_names_are_those_that_go_env_takes(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "GOTOOLCHAIN": "local"}

    def write(name: str) -> str:
        (tmp_path / "env").unlink(missing_ok=True)
        command = [GO, "env", "-w", f"{name}=" + {"GOFLAGS": "-v"}.get(name, "")]
        done = subprocess.run(command, env=environment | {"GOENV": str(tmp_path / "env")},
                              capture_output=True, text=True, check=False)  # fmt: skip
        return done.stderr

    for name in sorted(SETTINGS):
        assert "unknown go command variable" not in write(name), name
        assert "cannot be modified" not in write(name), name
    for name in ("GOMEMLIMIT", "GODEBUG", "GOENV", "GOTELEMETRY", "GOEXE", "GOWORK", "GOGC"):
        assert write(name), name


def test_secrets_are_not_shown(declare: Declare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_ADDRESS", "https://u:canary@goproxy.example.com")
    declared = declare("env: {GOPROXY: !env PROXY_ADDRESS}")
    assert "canary" not in repr(declared)
    assert declared.linux.env["GOPROXY"] == SecretStr("https://u:canary@goproxy.example.com")
    assert shown(declared.linux.env["GOPROXY"]) == "***"
    assert (
        shown("https://u:canary@x,https://v:canary@y,direct")
        == "https://***@x,https://***@y,direct"
    )
    monkeypatch.setenv("PROXY_ADDRESS", "u:canary@nowhere")
    (problem,) = refused(declare, "env: {GOPROXY: !env PROXY_ADDRESS}")
    assert "canary" not in problem
    (problem,) = refused(declare, "env: {GOPROXY: 'u:canary@nowhere'}")
    assert "canary" not in problem


def test_a_setting_is_declared_once(declare: Declare) -> None:
    (problem,) = refused(declare, "{env: {GOCACHE: /x}, cache: {root: /var/cache/go}}")
    assert "cache.root stands at" in problem
    (problem,) = refused(declare, "{env: {CC: gcc}, cgo: {compiler: {CC: gcc}}}")
    assert "each setting once" in problem


@pytest.mark.parametrize("other", ["/var/cache/go", "/var/cache/go/mod", "/var/cache"])
def test_caches_have_directories_of_their_own(declare: Declare, other: str) -> None:
    problems = refused(declare, f"cache: {{root: /var/cache/go, modules: {other}}}")
    assert len(problems) == 1


@pytest.mark.parametrize("path", ["/tmp", "/", "/var/cache", "x", "/a/../b", "/a:b", "/proc/x"])
def test_a_cache_is_no_directory_of_others(declare: Declare, path: str) -> None:
    (problem,) = refused(declare, f"cache: {{root: '{path}'}}")
    assert "go.cache.root" in problem


@pytest.mark.parametrize(
    "tool",
    ["golang.org/x/tools/gopls@latest", "golang.org/x/tools/gopls", "x/y@v1.0.0", "a.b/c@v1",
     "a.b/c@v1.2.3; id", "--help@v1.0.0", "a.b/../c@v1.0.0", "a.b/$(id)@v1.0.0", "a.b/go@v1.0.0",
     "https://a.b/c@v1.0.0"],
)  # fmt: skip
def test_a_tool_is_exact(declare: Declare, tool: str) -> None:
    (problem,) = refused(declare, f"tools: ['{tool}']")
    assert "go.tools[0]" in problem


def test_two_tools_have_two_binaries(declare: Declare) -> None:
    (problem,) = refused(declare, "tools: [a.b/x@v1.0.0, c.d/x/v2@v2.0.0]")
    assert "two make x" in problem
    assert declare("tools: [a.b/x@v1.0.0, c.d/y/v2@v2.0.0-0.20260101000000-0123456789ab]")


def test_a_value_that_go_takes_is_taken() -> None:
    for name, value in {
        "GOTOOLCHAIN": "go1.27.3+auto", "GOPROXY": "https://a|direct,off", "CC": "gcc -m64",
        "GOFLAGS": "-mod=mod '-ldflags=-s -w'", "GOSUMDB": "off", "GOPATH": "/a:/b",
        "GOMEMLIMIT": "2GiB", "GOGC": "off", "GOWORK": "off",
    }.items():  # fmt: skip
        check_value(name, value)
    with pytest.raises(Refusal):
        check_value("GOPATH", "/a:")
