"""What running the shells taught is text on a host: read back as it was written, or not at all."""

from __future__ import annotations

from gostead.facts.entries import Entry
from gostead.facts.people import Home
from gostead.operations.learning import beaten, last_file, parse
from gostead.trace import Cell

HOME = "/home/ann"


def home(*files: str, zdotdir: str = HOME) -> Home:
    entries = {f"{HOME}/{name}": Entry(f"{HOME}/{name}", "file") for name in files}
    return Home("ann", 1, 1, HOME, "/bin/bash", zdotdir=zdotdir, config=f"{HOME}/.config",
                entries=entries)  # fmt: skip


def cell(shell: str, mode: str, go: str = "/other/go") -> Cell:
    return Cell("ann", shell, mode, go=go)


def test_a_trace_of_another_format_teaches_nothing() -> None:
    assert parse("2 abc\nlast\t/x\n").lines == ()
    assert parse("").fingerprint == ""
    known = parse("1 abc\nlast\t/x\ngoroot\t/y\t3\tff\n")
    assert known.fingerprint == "abc"
    assert list(known.of("last")) == [("/x",)]


def test_the_last_file_of_each_way() -> None:
    full = home(".bashrc", ".profile", ".zshenv", ".zprofile", ".zshrc", ".config/fish/config.fish")
    assert last_file(full, cell("bash", "interactive")) == f"{HOME}/.bashrc"
    assert last_file(full, cell("bash", "ssh-command")) == f"{HOME}/.bashrc"
    assert last_file(full, cell("bash", "login")) == f"{HOME}/.profile"
    assert last_file(full, cell("zsh", "both")) == f"{HOME}/.zshrc"
    assert last_file(full, cell("zsh", "login")) == f"{HOME}/.zprofile"
    assert last_file(full, cell("zsh", "plain")) == f"{HOME}/.zshenv"
    assert last_file(full, cell("fish", "plain")) == f"{HOME}/.config/fish/config.fish"
    assert last_file(full, cell("sh", "plain")) == ""
    hidden = home(".bash_login", ".profile", ".zlogin", ".zshrc")
    assert last_file(hidden, cell("bash", "login")) == f"{HOME}/.bash_login"
    assert last_file(hidden, cell("zsh", "both")) == f"{HOME}/.zlogin"


def test_where_no_file_is_read_nobody_is_beaten() -> None:
    directory = "/opt/gostead/current/bin"
    assert beaten(cell("bash", "login"), directory)
    assert beaten(cell("zsh", "plain"), directory)
    assert not beaten(cell("bash", "plain"), directory)
    assert not beaten(cell("sh", "ssh-command"), directory)
    assert not beaten(cell("bash", "login", f"{directory}/go"), directory)
