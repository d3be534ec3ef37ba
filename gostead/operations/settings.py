"""A user's Go settings file, key by key: every other byte of it stays as it is.

Its form is cmd/go's (internal/cfg, readEnvFile): a line KEY=VALUE, the key beginning with A to Z,
the last line of a key counts, every other line is a comment.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Ledger:
    """What we did to one settings file. `before`: it without us, None where it was not there;
    `written`: the digest of the file as we left it; `keys`: the digest of each value that we wrote,
    empty where we took the key out; `mode`: the permission bits that it had, where we took some
    away because of a secret in it."""

    before: bytes | None = b""
    written: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    mode: str = ""

    def text(self) -> str:
        """One word without blanks, for the registry."""
        before = None if self.before is None else base64.b64encode(self.before).decode()
        data = json.dumps([before, self.written, dict(sorted(self.keys.items())), self.mode])
        return base64.b64encode(data.encode()).decode()


def ledger(text: str) -> Ledger:
    """What `Ledger.text` wrote; an empty one of anything else."""
    try:
        before, written, keys, mode = json.loads(base64.b64decode(text, validate=True))
        return Ledger(
            None if before is None else base64.b64decode(before, validate=True),
            str(written),
            {str(name): str(digest) for name, digest in keys.items()},
            str(mode),
        )
    except (ValueError, TypeError, AttributeError, binascii.Error):
        return Ledger()


def values(content: bytes) -> dict[str, bytes]:
    """The settings in the file, as Go reads them."""
    found: dict[str, bytes] = {}
    for line in content.split(b"\n"):
        key, equals, value = line.partition(b"=")
        if equals and b"A" <= key[:1] <= b"Z":
            found[key.decode("utf-8", "surrogateescape")] = value
    return found


def put(
    content: bytes | None, wanted: Mapping[str, bytes | None], known: Ledger
) -> tuple[bytes | None, Ledger, tuple[str, ...]]:
    """The file (None: none) with every key of `wanted` as it says (None: not there), and without
    what we did to other keys; the ledger that undoes it; the keys that somebody else changed since
    we did, which are theirs now."""
    now = values(content or b"")
    if set(known.keys) <= set(wanted) and all(now.get(k) == v for k, v in wanted.items()):
        return content, known, ()
    base, theirs = content, list[str]()
    if known.keys:
        if content is not None and _digest(content) == known.written:
            base = known.before
        elif content is not None:
            base, theirs = _without(content, known)
    lines = _lines(base or b"")
    keys = {}
    for name, value in wanted.items():
        at = _places(lines, name)
        present = _value(lines[at[-1]]) if at else None
        if present == value:
            continue
        if value is None:
            lines = [line for i, line in enumerate(lines) if i not in at]
        elif at:
            lines[at[-1]] = name.encode() + b"=" + value + b"\n"
        else:
            if lines and not lines[-1].endswith(b"\n"):
                lines[-1] += b"\n"
            lines.append(name.encode() + b"=" + value + b"\n")
        keys[name] = "" if value is None else _digest(value)
    after = b"".join(lines) if keys else base
    written = _digest(after) if after is not None else ""
    return after, Ledger(base, written, keys, known.mode) if keys else Ledger(), tuple(theirs)


def _without(content: bytes, known: Ledger) -> tuple[bytes, list[str]]:
    """The content, edited since, with every key as before that still is as we made it."""
    lines, before, theirs = _lines(content), _lines(known.before or b""), []
    for name, ours in sorted(known.keys.items()):
        at = _places(lines, name)
        if (_digest(_value(lines[at[-1]])) if at else "") != ours:
            theirs.append(name)
            continue
        old = [before[i] for i in _places(before, name)]
        if not ours:
            lines += [line if line.endswith(b"\n") else line + b"\n" for line in old]
        elif old:
            lines[at[-1]] = old[-1]
        else:
            del lines[at[-1]]
    return b"".join(lines), theirs


def _lines(content: bytes) -> list[bytes]:
    # bytes.splitlines takes a lone \r for an end of line; Go does not.
    parts = content.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + [parts[-1]] * bool(parts[-1])


def _places(lines: list[bytes], name: str) -> list[int]:
    return [i for i, line in enumerate(lines) if line.startswith(name.encode() + b"=")]


def _value(line: bytes) -> bytes:
    return line.partition(b"=")[2].removesuffix(b"\n")


def _digest(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()
