"""The stand-in's root: the bare one with macOS's programs at their places. Made in a second."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.hosts.darwin.base import base
from tests.hosts.darwin.userland import plain, wrappers
from tests.support.cache import built_once, recipe_key

PROGRAMS = Path(__file__).with_name("programs")
#: These only exist with the developer tools. What stands at /usr/bin opens a dialogue without.
SHIMS = """
ar as c++ c99 cc clang clang++ cpp g++ gcc git ld lipo lldb make nm otool python3 ranlib size strip
swift swiftc
"""


def stand_in() -> Path:
    """Return the root's directory, built at first use."""
    texts = [f"{path}\0{text}" for path, text in {**wrappers(), **plain()}.items()]
    for path in sorted(PROGRAMS.rglob("*")):
        if path.is_file():
            texts.append(
                f"{path.relative_to(PROGRAMS)}\0{path.stat().st_mode:o}\0{path.read_text()}"
            )
    source = base().resolve()  # of links, links are made, and no files
    key = recipe_key(source.name, SHIMS, Path(__file__).read_text(), *texts)
    return built_once(f"darwin-{key}", lambda path: _build(path, source))


def _build(root: Path, source: Path) -> None:
    # A copy, not links: how many names a file has is part of what tests compare, and another root
    # may be made while they run.
    subprocess.run(["cp", "-a", "--reflink=auto", str(source), str(root)], check=True)
    for path, text in wrappers().items():
        _write(root / path.lstrip("/"), text)
    for path, real in plain().items():
        target = (root / real.lstrip("/")).resolve()
        os.link(target, root / path.lstrip("/"))
    for program in sorted(PROGRAMS.rglob("*")):
        target = root / program.relative_to(PROGRAMS)
        if program.is_dir():
            target.mkdir(exist_ok=True)
        else:
            _write(target, program.read_text(), program.stat().st_mode & 0o777)
    for name in SHIMS.split():
        (root / "usr/bin" / name).symlink_to("/.stand-in/lib/shim")
    state = root / "private/var/db/stand-in"
    for name in ("directory/Users", "directory/Groups", "receipts", "updates", "sysctl", "launchd"):
        (state / name).mkdir(parents=True)
    (state / "defaults").mkdir()
    (state / "defaults").chmod(0o1777)
    for name in ("touched", "unknown", "log", "looks"):  # written by whoever runs something
        (state / name).touch()
        (state / name).chmod(0o666)
    (state / "looks").write_text("0\n")


def _write(path: Path, text: str, mode: int = 0o755) -> None:
    path.unlink(missing_ok=True)  # a link to the bare root's file
    path.write_text(text)
    path.chmod(mode)
