"""A git repository that hosts converge themselves from: this project's code with a site's
declaration, and commits that real ssh keys sign."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.cache import PROJECT
from tests.support.root import Mount
from tests.support.site import Site

#: What of the project a release is made of. Its environment is the one that runs the tests.
PARTS = ("gostead", "inventories", "requirements")
SETUP = f"""\
#!/bin/sh
# Stands for the installation of packages: the environment of the tests is taken.
echo made >>made
[ -e .venv ] || ln -s {sys.prefix} .venv
"""
RUNNER = "/opt/gostead/libexec/converge-scheduled"
HERE = "/opt/gostead/schedule"
#: A root that could converge itself: systemd is installed there, and something is called python3.
#: What a release runs with is the Python of the tests.
ABLE = """
mkdir -p /usr/lib/systemd
ln -s /bin/true /usr/lib/systemd/systemd
ln -s /bin/true /usr/bin/python3
"""
#: git, for a root that has none.
GIT = tuple(Mount(Path(path)) for path in ("/usr/bin/git", "/usr/lib/git-core"))


@dataclass
class Upstream:
    """A repository beside the site, made unless it is there. `commit` makes a commit of the site's
    present declaration."""

    site: Site
    keys: dict[str, Path] = field(default_factory=dict)
    users: tuple[str, ...] = ("ann",)  # whose Go it declares
    installs: bool = False  # its script/setup is the project's own, and installs packages

    def __post_init__(self) -> None:
        for name in ("ann", "eve"):
            self.keys[name] = self.site.directory.parent / f"key-{name}"
            if not self.keys[name].exists():
                subprocess.run(
                    ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name,
                     "-f", self.keys[name]], check=True,
                )  # fmt: skip
        if self.path.exists():
            return
        self.path.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        for part in PARTS:
            shutil.copytree(PROJECT / part, self.path / part,
                            ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
        if self.installs:
            shutil.copytree(PROJECT / "script", self.path / "script")
        else:
            self.write("script/setup", SETUP, 0o755)

    @property
    def path(self) -> Path:
        """The work tree."""
        return self.site.directory / "upstream"

    @property
    def url(self) -> str:
        """What hosts fetch from."""
        return f"file://{self.path}"

    def public(self, name: str) -> str:
        """A key as the declaration has it."""
        return self.keys[name].with_suffix(".pub").read_text().strip()

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Writes a file of the work tree."""
        file = self.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def git(self, *words: str, env: dict[str, str] | None = None, data: str | None = None) -> str:
        """Runs git in the work tree, with no settings but its own."""
        settings = {
            "PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "HOME": "/nonexistent",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.c",
            "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b.c",
        }  # fmt: skip
        done = subprocess.run(
            ["git", *words], cwd=self.path, capture_output=True, text=True, check=False,
            env=settings | (env or {}), input=data,
        )  # fmt: skip
        if done.returncode:
            raise AssertionError(f"git {words}: {done.stderr}")
        return done.stdout.strip()

    def signing(self, by: str) -> list[str]:
        """git's options for signing by that key."""
        return ["-c", "gpg.format=ssh", "-c", f"user.signingkey={self.keys[by]}"]

    def commit(self, by: str | None = "ann") -> str:
        """Commits all of the work tree and the site's declaration; its id."""
        shutil.rmtree(self.path / "group_data", ignore_errors=True)
        shutil.copytree(self.site.declaration, self.path / "group_data")
        self.git("add", "--all")
        signed = [*self.signing(by), "commit", "-S"] if by else ["commit", "--no-gpg-sign"]
        self.git(*signed, "--quiet", "--allow-empty", "-m", "what hosts should be")
        return self.git("rev-parse", "HEAD")

    def tag(self, name: str, by: str | None = "ann", at: str = "HEAD") -> None:
        """Makes or moves an annotated tag."""
        if by:
            self.git(*self.signing(by), "tag", "-f", "-s", "-m", "release", name, at)
        else:
            self.git("tag", "-f", "-a", "-m", "release", name, at)

    def declare(self, default: str = "1.27.3", **schedule: object) -> None:
        """Declares a Go and the schedule in the site: main, signed by ann, unless told so."""
        known = {"every": "1h", "source": self.url, "ref": "main", "signers": [self.public("ann")]}
        self.site.declare({"default": default}, users=[*self.users], schedule=known | schedule)


def result(text: str) -> dict[str, object]:
    """The result of a scheduled run, from the host's file."""
    said: dict[str, object] = json.loads(text)
    return said
