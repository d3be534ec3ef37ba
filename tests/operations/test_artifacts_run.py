"""What is said of a program's libc is what a root with that libc, or without one, does with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.artifacts import judged
from tests.support.go_binaries import PURE, WITH_C, built
from tests.support.root import Mount, Root

# With real toolchains, which take their time: with --all.
pytestmark = pytest.mark.slow

MUSL = Path("/lib/ld-musl-x86_64.so.1")
STATIC = "-ldflags=-linkmode=external -extldflags=-static"


@pytest.mark.parametrize(
    ("source", "words", "variables", "libc"),
    [
        (PURE, [], {}, "whatever"),
        (WITH_C, [STATIC], {"CC": "gcc"}, "whatever"),
        (WITH_C, [STATIC], {"CC": "musl-gcc"}, "whatever"),
        (WITH_C, [], {"CC": "gcc"}, "with glibc"),
        (WITH_C, ["-buildmode=pie"], {"CC": "gcc"}, "with glibc"),
        (WITH_C, [], {"CC": "musl-gcc"}, "with musl"),
    ],
)
def test_it_runs_where_it_was_said_to_run(
    tmp_path: Path, make_root: Callable[..., Root], source: str, words: list[str],
    variables: dict[str, str], libc: str,
) -> None:  # fmt: skip
    file = built(source, *words, **variables)
    (said,) = judged(tmp_path, file.read_bytes())[0]["runs"]
    assert libc in said
    root = make_root(mounts=[Mount(file, "/srv/hello")])
    root.run(
        "mkdir -p /srv/none /srv/musl/lib && cp /srv/hello /srv/none && cp /srv/hello /srv/musl"
    )
    root.run("chmod -R 755 /srv/none /srv/musl", check=True)
    if libc == "with musl":
        shutil.copy(MUSL, root.path / "srv/musl/lib")
    for command, runs in (
        (["chroot", "/srv/none", "/hello"], libc == "whatever"),
        (["chroot", "/srv/musl", "/hello"], libc != "with glibc"),
        (["/srv/none/hello"], libc != "with musl"),  # Debian has a glibc
    ):
        done = root.run(command)
        assert (done.returncode == 0) == runs, (command, done.stdout, done.stderr)
        assert done.stdout.startswith("hello") == runs
