"""What Go itself makes: programs, libraries and archives for any system, and the released tools.

Built once, by the toolchains that the pins vouch for, and kept in the tests' cache. The builds ask
no network and write only there; what they make is started in throw-away roots alone.
"""

from __future__ import annotations

import os
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tests.support.cache import built_once, cache_dir, recipe_key
from tests.support.go_cache import PLATFORM, go_cache, own_goproxy
from tests.support.requirements import need_programs

PURE = 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("hello") }\n'
WITH_C = """package main

// #include <stdlib.h>
// static int seven(void) { return abs(-7); }
import "C"
import "fmt"

//export Seven
func Seven() int { return int(C.seven()) }

func main() { fmt.Println("hello", Seven()) }
"""
LIBRARY = 'package hello\n\nfunc Hello() string { return "hello" }\n'


def built(
    source: str, *words: str, version: str = "1.27.3", system: str = "linux",
    machine: str = "amd64", **variables: str,
) -> Path:  # fmt: skip
    """What `go build WORDS` makes of `source`; CGO_ENABLED is 0 unless `variables` have CC."""
    if compiler := variables.get("CC"):
        need_programs(compiler)
    settings = {"GOOS": system, "GOARCH": machine, "CGO_ENABLED": "1" if compiler else "0"}
    settings |= variables
    key = recipe_key(version, source, *words, *(f"{k}={v}" for k, v in sorted(settings.items())))
    return built_once(
        f"artifact-{key}", lambda path: _build(path, source, words, version, settings)
    )


def installed(package: str, version: str) -> Path:
    """The program that `go install PACKAGE@VERSION` makes without cgo, by the machine's GOPROXY."""

    def install(path: Path) -> None:
        with tempfile.TemporaryDirectory() as home:
            settings = {"GOBIN": f"{home}/bin", "GOPATH": f"{home}/go", "GOFLAGS": "-modcacherw",
                        "GOPROXY": own_goproxy(), "CGO_ENABLED": "0"}  # fmt: skip
            done = subprocess.run(
                [tree_of("1.27.3") / "bin/go", "install", f"{package}@{version}"], cwd=home,
                env=_environment(Path(home), settings), capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            (program,) = (Path(home) / "bin").iterdir()
            path.write_bytes(program.read_bytes())
            path.chmod(0o755)

    return built_once(f"installed-{recipe_key(package, version)}", install)


def released(name: str, platform: str, version: str = "1.27.3") -> Path:
    """A file of a release, such as bin/go of darwin-arm64, as the Go project signed it."""

    def extract(path: Path) -> None:
        with tarfile.open(go_cache().tar(version, platform).path) as opened:
            content = opened.extractfile(name)
            assert content is not None
            path.write_bytes(content.read())

    return built_once(f"released-{version}-{platform}-{name.replace('/', '-')}", extract)


def build_cache(package: str, version: str = "1.27.3") -> Path:
    """A tar of a GOCACHE in which that package of the standard library is built, without cgo: what
    goes by content, and so is good wherever the same toolchain stands."""

    def fill(path: Path) -> None:
        with tempfile.TemporaryDirectory() as directory:
            settings = {"GOCACHE": f"{directory}/cache", "CGO_ENABLED": "0"}
            subprocess.run(
                [tree_of(version) / "bin/go", "build", package],
                env=_environment(Path(directory), settings), check=True, capture_output=True,
            )  # fmt: skip
            with tarfile.open(path, "w") as tar:
                tar.add(settings["GOCACHE"], ".")

    return built_once(f"gocache-{version}-{package.replace('/', '-')}.tar", fill)


def go_version_m(file: Path) -> dict[str, str]:
    """What Go's own reader says: the settings, with the release under ""."""
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [tree_of("1.27.3") / "bin/go", "version", "-m", file], env=_environment(Path(home), {}),
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    first, *rows = done.stdout.splitlines()
    found = {"": first.rpartition(": ")[2]}
    for row in rows:
        kind, _, value = row.strip("\t").partition("\t")
        if kind == "build":
            found[value.partition("=")[0]] = value.partition("=")[2]
    return found


def _build(
    path: Path, source: str, words: tuple[str, ...], version: str, settings: dict[str, str]
) -> None:
    tree = tree_of(version)
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        (home / "hello").mkdir()
        (home / "hello/go.mod").write_text("module example.com/hello\n\ngo 1.26\n")
        (home / "hello/hello.go").write_text(source)
        # What it needs of the standard library is compiled once for all of them.
        kept = {"GOCACHE": str(cache_dir() / "go-build")}
        done = subprocess.run(
            [tree / "bin/go", "build", *words, "-o", home / "made", "."], cwd=home / "hello",
            env=_environment(home, settings | kept), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        path.write_bytes((home / "made").read_bytes())


def _environment(home: Path, settings: dict[str, str]) -> dict[str, str]:
    # Telemetry is told by a file alone (go telemetry off); else a child of go's writes into the
    # home while that is removed.
    mode = home / ".config/go/telemetry/mode"
    mode.parent.mkdir(parents=True, exist_ok=True)
    mode.write_text("off")
    own = {"HOME": str(home), "GOENV": "off", "GOTOOLCHAIN": "local", "GOPROXY": "off"}
    return {"PATH": os.environ["PATH"], **own, **settings}


def tree_of(version: str) -> Path:
    """A release for this machine, unpacked."""

    def extract(path: Path) -> None:
        path.mkdir()
        tar = go_cache().tar(version).path
        subprocess.run(["tar", "-xf", tar, "-C", path], check=True)

    return built_once(f"go{version}.{PLATFORM}.tree", extract)
