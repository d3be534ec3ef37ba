"""Every byte outside of our block stays as it is, whatever the file holds."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gostead.operations import blocks

LINE = b". /opt/gostead/env.sh"
contents = st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from([b"export A=1", b"\xe9t\xe9", b"x\\", b"# c", b""])).map(b"\n".join),
    st.lists(st.sampled_from([b"alias a=b", b"fi"])).map(b"\r\n".join),
).filter(lambda content: b">>> gostead" not in content)


@given(content=contents)
def test_taking_undoes_putting(content: bytes) -> None:
    after, joint = blocks.put(content, LINE)
    assert blocks.take(after, joint) == content


@given(content=contents)
def test_putting_twice_is_putting_once(content: bytes) -> None:
    once, _ = blocks.put(content, LINE)
    assert blocks.put(once, LINE)[0] == once


@given(content=contents, added=st.binary(max_size=50).map(lambda b: b.replace(b"gostead", b"")))
def test_what_was_added_behind_the_block_stays(content: bytes, added: bytes) -> None:
    after, joint = blocks.put(content, LINE)
    left = blocks.take(after + added, joint)
    assert left.startswith(content)
    assert left.endswith(added)


@given(content=contents)
def test_a_changed_line_is_put_in_place(content: bytes) -> None:
    before, _ = blocks.put(content, b"old")
    after, _ = blocks.put(before, LINE)
    assert after == before.replace(
        blocks.BLOCK.begin + b"\nold\n", blocks.BLOCK.begin + b"\n" + LINE + b"\n"
    )


def test_the_block_is_not_glued_to_a_line_without_its_newline() -> None:
    after, joint = blocks.put(b"export A=1", LINE)
    assert after.startswith(b"export A=1\n# >>> gostead")
    assert joint == "newline"


def test_a_marker_inside_a_line_is_not_a_block() -> None:
    content = b"echo '" + blocks.BLOCK.begin + b"'\n" + blocks.BLOCK.end + b"\n"
    assert blocks.find(content) is None


@pytest.mark.parametrize("content", [b"echo a \\", b"echo a \\\n"])
def test_the_block_does_not_continue_a_command(content: bytes, tmp_path: Path) -> None:
    rc = tmp_path / "rc"
    rc.write_bytes(blocks.put(content, b"echo ours")[0])
    done = subprocess.run(["dash", rc], capture_output=True, text=True, check=True)
    assert done.stdout == "a\nours\n"


@given(content=contents)
def test_a_block_in_front_comes_back_out(content: bytes) -> None:
    after, joint = blocks.put(content, LINE, "first")
    assert blocks.find(after) is not None
    assert blocks.take(after, joint) == content


def test_a_block_in_front_stands_behind_the_interpreter_line() -> None:
    after, _ = blocks.put(b"#!/bin/sh\necho\n", LINE, "first")
    assert after.startswith(b"#!/bin/sh\n" + blocks.BLOCK.begin)


def test_two_blocks_are_told_apart() -> None:
    first, _ = blocks.put(b"case $- in *i*) ;; *) return ;; esac\n", LINE, "first")
    both, joint = blocks.put(first, LINE, marks=blocks.AFTER)
    assert blocks.is_last(both, blocks.AFTER)
    assert not blocks.is_last(both)
    assert blocks.take(both, joint, blocks.AFTER) == first
