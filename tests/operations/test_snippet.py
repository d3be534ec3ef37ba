"""The snippet that every block sources, under real shells with hostile settings."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from gostead.templates import render
from tests.support.root import Mount
from tests.support.sandbox import Sandbox

BIN = "/opt/it's go/current/bin"
OWN = "/home/ann/go/bin"
SHELLS = ("bash", "zsh", "dash", "mksh", "busybox ash", "bash --posix", "zsh --emulate sh")
HOSTILE = {
    "nothing": "",
    "nounset and errexit": "set -eu",
    "noclobber": "set -C",
    "IFS": "IFS=:",
    "aliases": "alias export=false unset=false set=false test=false",
}


@pytest.fixture(scope="module")
def snippet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("snippet")
    directory.chmod(0o755)
    (directory / "env.sh").write_text(render("env.sh.j2", bin=BIN))
    (directory / "env.fish").write_text(render("env.fish.j2", bin=BIN))
    return directory


@pytest.fixture(scope="module")
def room(snippet: Path) -> Iterator[Sandbox]:
    with Sandbox(mounts=[Mount(snippet)]) as sandbox:
        sandbox.run(f"mkdir -p {shlex.quote(BIN)} {OWN}; chown -R ann: /home/ann", check=True)
        yield sandbox


def path_after(
    room: Sandbox, snippet: Path, shell: str, path: str, before: str = "", **env: str
) -> list[str]:
    name = "env.fish" if shell == "fish" else "env.sh"
    ask = "printf '%s\\n' $PATH" if shell == "fish" else 'printf "%s\\n" "$PATH"'
    code = f"{before}\n. {snippet}/{name}\n. {snippet}/{name}\n{ask}"
    setting = [f"{k}={v}" for k, v in {"HOME": "/home/ann", "PATH": path, **env}.items()]
    program = [room.run(f"command -v {shell.split()[0]}").stdout.strip(), *shell.split()[1:]]
    done = room.run(["env", "-i", *setting, *program, "-c", code])
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1] if shell == "fish" else done.stdout.strip().split(":")


@pytest.mark.parametrize("settings", HOSTILE)
@pytest.mark.parametrize("shell", SHELLS)
def test_it_moves_to_the_front_and_never_doubles(
    room: Sandbox, snippet: Path, shell: str, settings: str
) -> None:
    before = HOSTILE[settings]
    got = path_after(room, snippet, shell, f"/usr/bin:{OWN}:{BIN}:/bin:{BIN}", before)
    assert got == [BIN, OWN, "/usr/bin", "/bin"]


def test_zsh_with_the_options_of_other_shells(room: Sandbox, snippet: Path) -> None:
    before = "setopt KSH_ARRAYS SH_WORD_SPLIT NO_UNSET NO_NOMATCH ERR_EXIT"
    got = path_after(room, snippet, "zsh", f"/usr/bin:/bin:{BIN}", before)
    assert got == [BIN, OWN, "/usr/bin", "/bin"]


def test_fish(room: Sandbox, snippet: Path) -> None:
    got = path_after(room, snippet, "fish", f"/usr/bin:{OWN}:{BIN}:/bin:{BIN}")
    assert got == [BIN, OWN, "/usr/bin", "/bin"]


@pytest.mark.parametrize("shell", [*SHELLS[:4], "fish"])
@pytest.mark.parametrize(
    ("env", "own"),
    [
        ({"GOBIN": "/srv"}, "/srv"),
        ({"GOPATH": "/usr:/var"}, "/usr/bin"),
        ({"GOBIN": "/nowhere"}, ""),
        ({"GOBIN": "relative"}, ""),
        ({"HOME": "/root"}, ""),
    ],
)
def test_what_go_install_fills_stands_behind(
    room: Sandbox, snippet: Path, shell: str, env: dict[str, str], own: str
) -> None:
    got = path_after(room, snippet, shell, "/sbin:/bin", **env)
    assert got == [BIN, *([own] if own else []), "/sbin", "/bin"]


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_an_empty_path_gains_no_empty_place(room: Sandbox, snippet: Path, shell: str) -> None:
    got = path_after(room, snippet, shell, "", HOME="/root")
    assert got == [BIN], "an empty place on PATH is the working directory"


@pytest.mark.parametrize("shell", ["bash", "zsh", "dash", "fish"])
def test_it_starts_no_process(room: Sandbox, snippet: Path, shell: str) -> None:
    name = "env.fish" if shell == "fish" else "env.sh"

    def started(code: str) -> int:
        trace = "strace -f -qq -e trace=execve,fork,vfork,clone,clone3 -o /dev/stdout"
        program = room.run(f"command -v {shell}").stdout.strip()
        flags = "-N" if shell == "fish" else "-f" if shell == "zsh" else ""
        done = room.run(f"{trace} {program} {flags} -c {shlex.quote(code)}")
        return len([x for x in done.stdout.splitlines() if "CLONE_THREAD" not in x])

    assert started(f". {snippet}/{name}") == started(":")


def test_a_restricted_shell_stays_quiet(room: Sandbox, snippet: Path) -> None:
    room.run(f"cp {snippet}/env.sh /home/ann/.bash_profile")
    done = room.run("su ann -s /bin/rbash -l -c 'echo $PATH'")
    assert done.stdout.startswith(f"{BIN}:")
    assert done.stderr == ""
