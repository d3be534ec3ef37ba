"""Find the host names of package registries and mirrors in the project: there must be none.

Where packages come from is each machine's own setting. Which names to look for is asked of this
machine's pip, uv, go and apt, so that they do not stand here either.

usage: python -m tests.support.registry_hosts   (status 1 and the places, if there are any)
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.cache import PROJECT


def registry_hosts() -> set[str]:
    """Return the host names that this machine's package tools are set to, defaults included."""
    text = [
        value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "GOPROXY"))
    ]
    text.append(_output(sys.executable, "-m", "pip", "config", "list"))
    text.append(_output("go", "env", "GOPROXY"))
    # pip has its default, and the place of the files, in a module of its own.
    module = "from pip._internal.models.index import PyPI"
    code = f"{module}; print(PyPI.url, '//' + PyPI.file_storage_domain)"
    text.append(_output(sys.executable, "-c", code))
    for path in [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]:
        if path.is_file():
            text.append(path.read_text(errors="replace"))
    urls = re.findall(r"(?:\w+:)?//[^\s,|'\"<>\]]+", "\n".join(text))
    found = {(urlsplit(url).hostname or "").lower() for url in urls}
    return {name for name in found if "." in name and not re.fullmatch(r"[\d.]+", name)}


def places(hosts: set[str]) -> list[str]:
    """Return each `file:line` and commit in which one of `hosts` stands."""
    if not hosts:
        return []
    patterns = [word for name in sorted(hosts) for word in ("-e", name)]
    tree = _output("git", "-C", str(PROJECT), "grep", "-n", "-i", "-F", "--untracked", *patterns)
    log = _output("git", "-C", str(PROJECT), "log", "--format=%h %B%x00")
    commits = [
        entry.split()[0] for entry in log.split("\0") if any(h in entry.lower() for h in hosts)
    ]
    return [":".join(line.split(":")[:2]) for line in tree.splitlines()] + commits


def _output(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def main() -> int:
    """Print the places, if any; return the exit status."""
    found = places(registry_hosts())
    for place in found:
        print(f"{place}: names a package registry or mirror; leave that to the machine's settings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
