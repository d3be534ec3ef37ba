"""A project of two files with this one's scripts: to try the set-up without a network."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.support.cache import PROJECT

CLI = """\
import sys
def script():
    print("small gostead:", *sys.argv[1:])
    sys.exit(7 if "fail" in sys.argv else 0)
"""


class SmallProject:
    """`script/` of this project, a gostead that prints its arguments, and one made-up package."""

    def __init__(self, root: Path) -> None:
        """Make the project at `root`, which must not be there yet."""
        self.root = root
        shutil.copytree(PROJECT / "script", root / "script")
        (root / "requirements").mkdir()
        (root / "gostead").mkdir()
        (root / "gostead/__init__.py").touch()
        (root / "gostead/cli.py").write_text(CLI)
        self.wheels = root.parent / "wheels"
        self.wheels.mkdir(exist_ok=True)
        self.lock("run", {"small": "1.0"})
        self.lock("dev", {"small": "1.0", "extra": "2.0"})

    def lock(self, kind: str, packages: Mapping[str, str], *, digest: str | None = None) -> None:
        """Write a lock file for `packages`; `digest` is a wrong one, if given."""
        lines = []
        for name, version in packages.items():
            sha256 = digest or self._wheel(name, version)
            lines.append(f"{name}=={version} --hash=sha256:{sha256}\n")
        (self.root / "requirements" / f"{kind}.txt").write_text("".join(lines))

    def _wheel(self, name: str, version: str) -> str:
        path = self.wheels / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        files = {
            f"{name}.py": f"version = {version!r}\n",
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:print\n",
        }
        record = "".join(f"{f},sha256={_urlsafe(text)},{len(text)}\n" for f, text in files.items())
        with zipfile.ZipFile(path, "w") as made:
            for file, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
                made.writestr(zipfile.ZipInfo(file), text)
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def environment(self, **more: str) -> dict[str, str]:
        """Return variables with which pip finds the made-up packages, and nothing else."""
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON", "VIRTUAL_"))
        }
        return {**kept, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": self.wheels.as_uri(), **more}

    def script(
        self, name: str, *arguments: str, cwd: Path | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the scripts, without a terminal; `more` are variables."""
        return subprocess.run(
            [self.root / "script" / name, *arguments], cwd=cwd or self.root, text=True,
            env=self.environment(**more), capture_output=True, stdin=subprocess.DEVNULL,
            check=False, timeout=120,
        )  # fmt: skip

    def python(self, code: str) -> str:
        """Run `code` by the environment's Python; return what it printed."""
        command = [str(self.root / ".venv/bin/python"), "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")
        return done.stdout.strip()


def _urlsafe(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
