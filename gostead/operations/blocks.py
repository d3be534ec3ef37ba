"""A block of ours in a file of somebody else's: every byte outside of it stays as it is."""

from __future__ import annotations

from typing import Literal, NamedTuple

Where = Literal["first", "last"]


class Marks(NamedTuple):
    """The lines around a block."""

    begin: bytes
    end: bytes


BLOCK = Marks(
    b"# >>> gostead >>> PATH for Go; `gostead remove` takes this block away",
    b"# <<< gostead <<<",
)
#: A second block, for a file that returns early in one way of starting and undoes it in another.
AFTER = Marks(
    b"# >>> gostead (last) >>> PATH for Go; `gostead remove` takes this block away",
    b"# <<< gostead (last) <<<",
)


def find(content: bytes, marks: Marks = BLOCK) -> tuple[int, int] | None:
    """Where the block stands, its last newline included; None where there is none."""
    start = content.find(marks.begin)
    if start < 0 or (start > 0 and content[start - 1 : start] != b"\n"):
        return None
    stop = content.find(marks.end, start)
    if stop < 0:
        return None
    newline = content.find(b"\n", stop)
    return start, len(content) if newline < 0 else newline + 1


def put(
    content: bytes, line: bytes, where: Where = "last", marks: Marks = BLOCK
) -> tuple[bytes, str]:
    """The content with the block that holds `line`, and what `take` must know to undo it.

    A block that is there stays where it is; a new one goes to the end or, `first`, to the front
    (behind a #! line).
    """
    block = marks.begin + b"\n" + line + b"\n" + marks.end + b"\n"
    found = find(content, marks)
    if found:
        return content[: found[0]] + block + content[found[1] :], ""
    if where == "first":
        head = content.find(b"\n") + 1 if content.startswith(b"#!") else 0
        return content[:head] + block + content[head:], ""
    # Without a final newline the block would be glued to the last line, and after a backslash its
    # first line would continue a command.
    joint = b"\n" if content and not content.endswith(b"\n") else b""
    if content.removesuffix(b"\n").endswith(b"\\"):
        joint += b"\n"
    return content + joint + block, ("", "newline", "newlines")[len(joint)]


def take(content: bytes, joint: str, marks: Marks = BLOCK) -> bytes:
    """The content without the block, and without the newlines that `put` had to add."""
    found = find(content, marks)
    if not found:
        return content
    before, after = content[: found[0]], content[found[1] :]
    if not after:
        before = before.removesuffix({"newline": b"\n", "newlines": b"\n\n"}.get(joint, b""))
    return before + after


def is_last(content: bytes, marks: Marks = BLOCK) -> bool:
    """Whether nothing but blank lines stands behind the block."""
    found = find(content, marks)
    return found is not None and not content[found[1] :].strip()
