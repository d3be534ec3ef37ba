"""A block of ours in a file of somebody else's: every byte outside of it stays as it is."""

from __future__ import annotations

BEGIN = b"# >>> gostead >>> PATH for Go; `gostead remove` takes this block away"
END = b"# <<< gostead <<<"


def find(content: bytes) -> tuple[int, int] | None:
    """Where the block stands, its last newline included; None where there is none."""
    start = content.find(BEGIN)
    if start < 0 or (start > 0 and content[start - 1 : start] != b"\n"):
        return None
    stop = content.find(END, start)
    if stop < 0:
        return None
    newline = content.find(b"\n", stop)
    return start, len(content) if newline < 0 else newline + 1


def put(content: bytes, line: bytes) -> tuple[bytes, str]:
    """The content with the block that holds `line`, and what `take` must know to undo it."""
    block = BEGIN + b"\n" + line + b"\n" + END + b"\n"
    found = find(content)
    if found:
        return content[: found[0]] + block + content[found[1] :], ""
    # Without a final newline the block would be glued to the last line, and after a backslash its
    # first line would continue a command.
    joint = b"\n" if content and not content.endswith(b"\n") else b""
    if content.removesuffix(b"\n").endswith(b"\\"):
        joint += b"\n"
    return content + joint + block, ("", "newline", "newlines")[len(joint)]


def take(content: bytes, joint: str) -> bytes:
    """The content without the block, and without the newlines that `put` had to add."""
    found = find(content)
    if not found:
        return content
    before, after = content[: found[0]], content[found[1] :]
    if not after:
        before = before.removesuffix({"newline": b"\n", "newlines": b"\n\n"}.get(joint, b""))
    return before + after
