"""Make or renew the virtual environment; `script/setup` starts this with the Python that it found.

Needs nothing but the standard library. Safe when two run at once (one waits), and after a
kill at any time: an environment whose making was cut short is made anew.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

#: The launcher is both sh and Python, as pip writes them: a `#!` line cannot have spaces in it.
LAUNCHER = """\
#!/bin/sh
'''exec' {python} "$0" "$@"
' '''
from gostead.cli import script
script()
"""


def main() -> None:
    """Bring `<root>/.venv` to the state that the lock file `kind` describes."""
    root, kind = Path(sys.argv[1]), sys.argv[2]
    (root / ".cache").mkdir(exist_ok=True)
    with (root / ".cache" / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        environment = Environment(root)
        if not environment.is_current(kind):
            environment.renew(kind)


class Environment:
    """The virtual environment in `.venv`, and its stamp: what it was last made from."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / ".venv"
        self.python = self.path / "bin" / "python"
        self.stamp = self.path / "gostead-setup"
        self.unfinished = root / ".cache" / "setup.unfinished"

    def is_current(self, kind: str) -> bool:
        """Say whether nothing is to be done; the same question that script/setup asks."""
        wanted, present = self._lock_file(kind), self.stamp / f"{kind}.txt"
        return (
            self._place() == str(self.root)
            and os.access(self.python, os.X_OK)
            and present.is_file()
            and present.read_bytes() == wanted.read_bytes()
        )

    def renew(self, kind: str) -> None:
        """Install what the lock file names, in a new environment where the old one is no good."""
        if os.path.lexists(self.path) and (self.unfinished.exists() or not self._is_sound()):
            _say("the environment in .venv was cut short, moved or has lost its Python: made anew")
            self._discard()
        self.unfinished.touch()
        if not self.path.exists():
            self._create()
        shutil.rmtree(self.stamp, ignore_errors=True)
        _say(f"installing what requirements/{kind}.txt names into .venv (Python {_version()})")
        _run([*self._installer(), "--require-hashes", "-r", str(self._lock_file(kind))])
        self._install_project()
        self.stamp.mkdir()
        # The lock file of `dev` holds all that `run` does, in the same versions.
        for name in {"run", kind}:
            shutil.copyfile(self._lock_file(name), self.stamp / f"{name}.txt")
        (self.stamp / "place").write_text(f"{self.root}\n")
        self.unfinished.unlink()

    def _lock_file(self, kind: str) -> Path:
        return self.root / "requirements" / f"{kind}.txt"

    def _place(self) -> str | None:
        place = self.stamp / "place"
        return place.read_text().rstrip("\n") if place.is_file() else None

    def _is_sound(self) -> bool:
        if self._place() not in (None, str(self.root)):
            return False
        code = "import sys, ssl; sys.exit(sys.version_info < (3, 11) or sys.prefix != sys.argv[1])"
        try:
            done = subprocess.run(
                [self.python, "-c", code, self.path], capture_output=True, check=False
            )
        except OSError:
            return False
        return done.returncode == 0

    def _discard(self) -> None:
        if self.path.is_symlink():
            self.path.unlink()
            return
        aside = self.path.with_name(f".venv.old-{os.getpid()}")
        self.path.rename(aside)
        shutil.rmtree(aside)

    def _create(self) -> None:
        """Make an empty environment with the Python that runs this."""
        # The one exact interpreter, not `python3`: when that becomes another version, it shows.
        base = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        if not _has_ensurepip(base) and os.geteuid() == 0 and shutil.which("apt-get"):
            _say(f"installing the Debian package {package}")
            _apt_install(package)
        if _has_ensurepip(base):
            _run([base, "-m", "venv", str(self.path)])
        elif shutil.which("uv"):
            _run(["uv", "venv", "--quiet", "--python", base, str(self.path)])
        else:
            _stop(
                f"{base} cannot make environments: it has no ensurepip",
                f"on Debian: apt-get install {package}; elsewhere install uv; then run this again",
            )

    def _installer(self) -> list[str]:
        probe = subprocess.run([self.python, "-c", "import pip"], capture_output=True, check=False)
        if probe.returncode == 0:
            quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
            return [str(self.python), "-m", "pip", "install", *quiet]
        if not shutil.which("uv"):
            _stop(
                "the environment in .venv has no pip, and there is no uv", "remove .venv, try again"
            )
        return ["uv", "pip", "install", "--quiet", "--python", str(self.python)]

    def _install_project(self) -> None:
        """Put the project on the environment's path, and `gostead` among its commands.

        By hand, as an editable install would first fetch a build backend that no lock file names.
        """
        code = "import sysconfig; print(sysconfig.get_path('purelib'))"
        found = subprocess.run(
            [self.python, "-c", code], capture_output=True, text=True, check=True
        )
        Path(found.stdout.rstrip("\n"), "gostead.pth").write_text(f"{self.root}\n")
        launcher = self.path / "bin" / "gostead"
        launcher.write_text(LAUNCHER.format(python=shlex.quote(str(self.python))))
        launcher.chmod(0o755)


def _version() -> str:
    return ".".join(str(part) for part in sys.version_info[:3])


def _has_ensurepip(python: str) -> bool:
    code = "import ensurepip, venv"
    return subprocess.run([python, "-c", code], capture_output=True, check=False).returncode == 0


def _apt_install(package: str) -> None:
    """Install a Debian package, quietly unless that fails; the caller sees by its effect."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
    update = ["apt-get", "update", "-qq"]
    have_lists = any(Path("/var/lib/apt/lists").glob("*_Packages*"))
    for command in (install, update, install) if have_lists else (update, install):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if command is install and done.returncode == 0:
            return
    print(done.stdout + done.stderr, file=sys.stderr)


def _run(command: list[str]) -> None:
    # What a user's pip settings say about *where* to install does not hold here.
    ours = {"PIP_USER": "0", "PIP_ROOT_USER_ACTION": "ignore", "PIP_REQUIRE_VIRTUALENV": "0"}
    theirs = {
        k: v for k, v in os.environ.items() if k not in ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")
    }
    done = subprocess.run(command, env={**theirs, **ours}, stdout=sys.stderr, check=False)
    if done.returncode != 0:
        _stop(
            f"`{shlex.join(command)}` failed ({done.returncode})", "mend the above, run this again"
        )


def _say(text: str) -> None:
    print(f"gostead: {text}", file=sys.stderr, flush=True)


def _stop(error: str, hint: str) -> NoReturn:
    print(f"error: {error}\nhint: {hint}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
