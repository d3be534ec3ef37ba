"""What must be visible in a throw-away root for this very Python to run there.

Test hosts have no Python of their own, on purpose. Where gostead itself runs in a root (@local),
the interpreter that runs the tests, its libraries and the virtual environment are shown there
read-only, at the paths where they are.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path

#: Prefixes that are the system's: only Python's own part of them is shown, never the whole.
SYSTEM_PREFIXES = (Path("/usr"), Path("/usr/local"))


@cache
def interpreter_paths(root: Path) -> tuple[Path, ...]:
    """Return the paths to show in `root`: interpreter, standard library, environment, libraries.

    Shared libraries are listed only where `root` does not have one of the same name at the same
    place: both are the same release of the same distribution, so the root's own do.
    """
    prefix = Path(sys.base_prefix).resolve()
    paths = [Path(sys.prefix)]
    if prefix in SYSTEM_PREFIXES:
        paths += [Path(sysconfig.get_path("stdlib")), Path(os.path.realpath(sys.executable))]
        paths += [path for path in (prefix / "lib/python3",) if path.is_dir()]
    else:
        paths.append(prefix)
    for library in _libraries():
        seen_already = any(library.is_relative_to(path) for path in paths)
        if not seen_already and not (root / str(library).lstrip("/")).exists():
            paths.append(library)
    return tuple(dict.fromkeys(paths))


def _libraries() -> list[Path]:
    """Return what the interpreter and all extension modules are linked with, as ldd finds it."""
    wanted = [os.path.realpath(sys.executable)]
    for directory in (f"{sysconfig.get_path('stdlib')}/lib-dynload", sysconfig.get_path("platlib")):
        wanted += [str(module) for module in Path(directory).rglob("*.so")]
    wanted = [path for path in wanted if not Path(path).name.startswith("_tkinter")]
    done = subprocess.run(["ldd", *wanted], capture_output=True, text=True, check=False)
    return [Path(found) for found in sorted(set(re.findall(r"=> (/\S+)", done.stdout)))]
