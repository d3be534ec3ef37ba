"""Which names an archive's member may have, and which mode its file gets."""

import re

from gostead.sources.errors import Contents

_PLAIN = re.compile(r"[A-Za-z0-9_+@~=,%#$!&(){}\[\]^;' -][A-Za-z0-9_+@~=,%#$!&(){}\[\]^;' .-]*")


def decode_name(raw: bytes) -> str:
    """A member's name as text; Contents when it is not UTF-8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Contents(f"member name {raw[:80]!r} is not UTF-8") from error


def check_name(name: str) -> str:
    """The name itself when it stays inside the tree on any system; else Contents.

    Refused are: empty names, absolute ones, `.`, `..` and empty components, backslashes and
    colons (separators elsewhere), control and invisible characters. Too long a name is what the
    writer's header does not hold.
    """
    if not name:
        raise Contents("member with an empty name")
    if name.startswith("/"):
        raise Contents(f"absolute member name {name!r}")
    for part in name.split("/"):
        if _PLAIN.fullmatch(part):
            continue
        if part in ("", ".", ".."):
            raise Contents(f"member name {name!r} has the component {part!r}")
        if "\\" in part or ":" in part or not part.isprintable():
            raise Contents(f"member name {name!r} has a character that no toolchain file has")
    return name


def mode_of(path: str) -> int:
    """Mode of a file in the canonical tree: 0555 for what is executed, else 0444."""
    executed = path.startswith(("bin/", "pkg/tool/")) or (
        path.startswith("lib/wasm/go_") and path.endswith("_exec") and path.count("/") == 2
    )
    return 0o555 if executed else 0o444


def sort_key(path: str) -> str:
    """Order of the canonical tar: by components, so a directory is followed by what is in it."""
    return path.replace("/", "\0")
