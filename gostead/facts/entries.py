"""What stands at a path on a host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["absent", "file", "directory", "link", "other"]


@dataclass(frozen=True)
class Entry:
    """One path: what it is, who owns it (numbers), its permission bits (octal, no leading zero),
    where a link leads, the bytes of a file that the probe was asked to bring, and how many names
    (hard links) that file has."""

    path: str
    kind: Kind = "absent"
    uid: int | None = None
    gid: int | None = None
    mode: str = ""
    target: str = ""
    content: bytes | None = None
    names: int = 1

    def describe(self) -> str:
        """For messages and plans: what a person would say stands there."""
        if self.kind == "link":
            return f"-> {self.target}"
        if self.kind in ("file", "directory"):
            return f"{self.kind}, mode {self.mode}, uid {self.uid}"
        return "absent" if self.kind == "absent" else "neither file, directory nor link"


def parse_entry(fields: tuple[bytes, ...]) -> Entry:
    """An `entry` record. Raises ValueError where it is not of the probe's form."""
    path, kind, uid, gid, mode, target = (text(field) for field in fields)
    if kind not in ("absent", "file", "directory", "link", "other"):
        raise ValueError(f"unknown kind {kind!r}")
    return Entry(
        path=path,
        kind=kind,  # type: ignore[arg-type] # mypy does not narrow a Literal by `in`
        uid=int(uid) if uid else None,
        gid=int(gid) if gid else None,
        mode=mode.lstrip("0") or ("0" if mode else ""),
        target=target,
    )


def text(field: bytes) -> str:
    """A field as text; bytes that are no UTF-8 survive a round trip."""
    return field.decode("utf-8", "surrogateescape")
