"""The real go, asked for settings: it must not start a C compiler, and what it says must be so."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from gostead import trace
from gostead.templates import host_script
from gostead.trace.model import Person
from tests.support.go_binaries import tree_of

# With a real toolchain, which takes its time: with --all.
pytestmark = pytest.mark.slow

VERSIONS = ("1.27.3", "1.26.8")
#: What cmd/go has an answer for once it has tried the compiler.
FLAGS = {"CGO_CFLAGS": "-O2 -g '-Dx=a b'", "CGO_LDFLAGS": "-O1", "PKG_CONFIG": "/opt/pkg"}


@dataclass(frozen=True)
class Home:
    """A home whose settings file names a compiler that writes down that it ran."""

    path: Path

    @property
    def compiler(self) -> str:
        """Where that compiler is."""
        return str(self.path / "cc")

    @property
    def ran(self) -> int:
        """How often it ran."""
        log = self.path / "ran"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def run(self, script: str, text: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        """A script, by sh."""
        return subprocess.run(
            ["sh", "-c", script], input=text, capture_output=True, text=True, check=False,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.path), "GOTOOLCHAIN": "local", **more},
        )  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    (tmp_path / "cc").write_text(f"#!/bin/sh\necho ran >>'{tmp_path}/ran'\nexit 1\n")
    (tmp_path / "cc").chmod(0o755)
    settings = {**FLAGS, "CC": made.compiler, "GOPRIVATE": "git.example.com"}
    (tmp_path / ".config/go").mkdir(parents=True)
    text = "".join(f"{name}={value}\n" for name, value in settings.items())
    (tmp_path / ".config/go/env").write_text(text)
    return made


@pytest.mark.parametrize("version", VERSIONS)
def test_all_settings_are_told_and_no_compiler_runs(version: str, home: Home) -> None:
    person = Person("it", os.getuid(), os.getgid(), str(home.path), "/bin/sh")
    go = str(tree_of(version) / "bin/go")
    (told,) = trace.settings(lambda script: home.run(script).stdout.encode(), [person], go)
    values = {name: one.value for name, one in told.known.items()}
    assert (told.error, home.ran) == ("", 0)
    assert {name: values[name] for name in FLAGS} == FLAGS
    assert (values["CC"], values["CGO_ENABLED"]) == (home.compiler, "1")
    # The plain question starts it, and has the same answers; the one left out is nobody's setting.
    plain = json.loads(home.run(f"cd /; {go} env -json").stdout)
    assert home.ran > 0
    assert plain.pop("GOGCCFLAGS")
    assert {name: value for name, value in values.items() if name != "GOTOOLCHAIN"} == {
        name: value for name, value in plain.items() if name != "GOTOOLCHAIN"
    }


def test_a_compiler_that_is_not_there_is_no_cgo(home: Home) -> None:
    """Go says so by CGO_ENABLED, and the compiler that is none would hide it."""
    (home.path / ".config/go/env").write_text("CC=/nowhere/cc\n")
    person = Person("it", os.getuid(), os.getgid(), str(home.path), "/bin/sh")
    go = str(tree_of("1.27.3") / "bin/go")
    (told,) = trace.settings(lambda script: home.run(script).stdout.encode(), [person], go)
    assert told.known["CGO_ENABLED"].value == home.run(f"{go} env CGO_ENABLED").stdout.strip()


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_written_is_proved_and_no_compiler_runs(version: str, home: Home) -> None:
    go = str(tree_of(version) / "bin/go")
    script = host_script("lib/prove_env", go=go, config="", offline=True,
                         telemetry=str(home.path / "telemetry"))  # fmt: skip

    def proved(**values: str) -> str:
        told = {name: hashlib.sha256(value.encode()) for name, value in values.items()}
        lines = "".join(f"{name} {digest.hexdigest()}\n" for name, digest in told.items())
        return home.run(script, lines).stderr

    assert proved(**FLAGS, CC=home.compiler, GOPRIVATE="git.example.com") == ""
    assert "does not say what is declared for: CGO_CFLAGS" in proved(CGO_CFLAGS="-O3")
    assert "does not say what is declared for: CC" in proved(CC="false")
    assert home.ran == 0
