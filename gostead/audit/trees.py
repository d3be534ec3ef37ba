"""Trees as the audit sees them: its own walk, its own digests, where there is one by another tool
than the operation uses."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

from gostead.audit.asking import Place, ask
from gostead.declaration import GoSetup, pin_for

# perl's shasum, then sha256sum: the operation prefers openssl. busybox has one only.
DIGESTS = """
cd "$1" || exit 1
shift
if command -v shasum >/dev/null 2>&1; then
  find "$@" -type f -exec shasum -a 256 {} +
elif command -v sha256sum >/dev/null 2>&1; then
  find "$@" -type f -exec sha256sum {} +
else
  find "$@" -type f -exec openssl dgst -sha256 -r {} +
fi
"""
ODDITIES = """
cd "$1" || exit 1
find . ! -type f ! -type d
find . -type d ! -perm 755
find . -type f ! -perm 444 ! -perm 555
find . -type f -perm 555 ! -path './bin/*' ! -path './pkg/tool/*' ! -path './lib/wasm/go_*_exec'
find . -type d | while IFS= read -r directory; do
  set -- "$directory"/* "$directory"/.[!.]*
  [ -e "$1" ] || [ -e "$2" ] || printf '%s/ (empty)\\n' "$directory"
done
"""


def module_name(path: str) -> str:
    """A file's name in the toolchain module: go.mod files are _go.mod there."""
    directory, slash, name = path.rpartition("/")
    return f"{directory}{slash}{'_go.mod' if name == 'go.mod' and directory else name}"


def digests(host: Any, root: str, *below: str) -> dict[str, str]:
    """sha256 of every file of a tree, by its path in the tree."""
    found = {}
    for line in ask(host, DIGESTS, root, *below).out.split("\n"):
        match = re.fullmatch(r"([0-9a-f]{64}) [ *](.+)", line)
        if match:
            found[match[2].removeprefix("./")] = match[1]
    return found


def manifest(host: Any, where: Place, setup: GoSetup, version: str) -> dict[str, str] | None:
    """The release's files and their sha256; None unless the list's own sha256 is the pin."""
    text = ask(host, 'cat "$1"', f"{where.root}/state/manifests/go{version}").out
    h1 = "h1:" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    if h1 != pin_for(setup, version, where.platform).h1:
        return None
    prefix = f"golang.org/toolchain@v0.0.1-go{version}.{where.platform}/"
    found = {}
    for line in text.splitlines():
        digest, _, name = line.partition("  ")
        name = name.removeprefix(prefix)
        found[re.sub(r"(^|/)_go\.mod$", r"\1go.mod", name)] = digest
    return found


def differences(wanted: dict[str, str], found: dict[str, str]) -> list[str]:
    """What differs, in words."""
    changed = [f"{n} (changed)" for n in wanted if n in found and found[n] != wanted[n]]
    missing = [f"{name} (missing)" for name in wanted if name not in found]
    extra = [f"{name} (not in the release)" for name in found if name not in wanted]
    return sorted(changed + missing + extra)


def oddities(host: Any, root: str) -> str:
    """Modes, links and empty directories that no hash of contents sees."""
    return ask(host, ODDITIES, root).out
