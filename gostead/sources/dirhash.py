"""Hash1, the `h1:` of go.sum and of the checksum database (golang.org/x/mod/sumdb/dirhash)."""

import base64
import binascii
import hashlib
from collections.abc import Iterable


def h1(lines: Iterable[tuple[str, str]]) -> str:
    """The h1 of (name, hex sha256) pairs, in any order; names as in the module's zip.

    The sha256, in base64, of the lines `<hex>  <name>\\n` sorted by the bytes of the name.
    """
    total = hashlib.sha256()
    for name, digest in sorted((name.encode(), digest) for name, digest in lines):
        total.update(digest.encode() + b"  " + name + b"\n")
    return "h1:" + base64.b64encode(total.digest()).decode()


def parse_h1(pin: str) -> bytes | None:
    """The 32 bytes that an h1 stands for, or None if it is not one."""
    if not pin.startswith("h1:"):
        return None
    try:
        raw = base64.b64decode(pin[3:], validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == 32 and base64.b64encode(raw).decode() == pin[3:] else None


def module_name(path: str) -> str:
    """The name that a toolchain's file has in its module: go.mod files are kept as _go.mod.

    A nested go.mod would end the module there, so cmd/distpack renames each of them.
    """
    head, slash, last = path.rpartition("/")
    return f"{head}{slash}_go.mod" if last == "go.mod" else path


class Hash1:
    """Collects the files of a tree as they pass and says the h1 at the end.

    `module` is "golang.org/toolchain@v0.0.1-go1.27.3.linux-amd64"; paths are those of the
    canonical tree. Memory: one short line per file.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._lines: list[tuple[str, str]] = []

    def add(self, path: str, digest: str) -> None:
        """One file: its path in the tree and the hex sha256 of its content."""
        self._lines.append((f"{self._module}/{module_name(path)}", digest))

    def value(self) -> str:
        """The h1 of all that was added."""
        return h1(self._lines)
