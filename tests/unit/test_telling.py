"""What scripts say of how far they are is told line by line, whatever a host makes of it."""

from __future__ import annotations

import pytest

from gostead.telling import LONGEST, MOST, Listener, without_progress


def heard(*pieces: bytes) -> list[str]:
    """What is told of these pieces."""
    told: list[str] = []
    listener = Listener(told.append)
    for piece in pieces:
        listener.hear(piece)
    return told


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_line_is_told_once_it_is_whole_however_it_is_cut(size: int) -> None:
    said = b"progress: one\nwarning: other\nprogress: two\nprogress: half"
    pieces = [said[n : n + size] for n in range(0, len(said), size)]
    assert heard(*pieces) == ["one", "two"]


def test_what_a_terminal_would_obey_is_shown_as_text() -> None:
    assert heard(b"progress: \x1b]0;x\x07\r\xff\n") == ["\\x1b]0;x\\x07\\r\ufffd"]


def test_lines_are_cut_and_end() -> None:
    assert heard(b"progress: " + b"x" * 10_000 + b"\n") == ["x" * LONGEST]
    assert len(heard(b"progress: x\n" * (MOST + 5))) == MOST
    listener = Listener(print)
    for _ in range(1000):
        listener.hear(b"x" * 1000)
    assert len(listener._begun) < 10_000


def test_trouble_of_whoever_is_told_is_not_the_scripts() -> None:
    def refuse(line: str) -> None:
        raise RuntimeError(line)

    Listener(refuse).hear(b"progress: x\n")


def test_a_failure_is_told_without_it() -> None:
    assert without_progress(b"progress: 1\nno space\nprogress: 2\nleft\n") == b"no space\nleft\n"
