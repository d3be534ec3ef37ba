"""Where faults are tried: a throw-away root, a site of made-up releases, and gostead between."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.fault_driver import Fault
from tests.support.rendered import scripts
from tests.support.root import Mount
from tests.support.sandbox import Sandbox
from tests.support.site import Site

OLD, NEW = "1.26.8", "1.27.3"


#: A thing that happens to a converged host -> the command, and the item that apply then mends.
TREE = "{root}/toolchains/go1.27.3"
PROFILE = "{root}/profiles/go1.27.3"
DRIFTS = {
    "a file's mode": (f"chmod u+w {TREE}/src/fmt/print.go", TREE),
    "a program's mode": (f"chmod a-x {TREE}/pkg/tool/linux_amd64/compile", TREE),
    "a directory's mode": (f"chmod g+w {TREE}/src", TREE),
    "an edited file": (f"sed -i 1s/package/Package/ {TREE}/src/fmt/print.go", TREE),
    "a deleted file": (f"rm {TREE}/src/fmt/print.go", TREE),
    "a deleted directory": (f"rm -r {TREE}/pkg/tool", TREE),
    "an extra file": (f"echo x >{TREE}/src/fmt/new.go", TREE),
    "an empty directory": (f"mkdir {TREE}/src/empty", TREE),
    "a file that is a link": (f"ln -sf /bin/true {TREE}/bin/gofmt", TREE),
    "the whole tree": (f"rm -rf {TREE}", TREE),
    "current elsewhere": ("ln -sfn /nowhere {root}/current", "{root}/current"),
    "no current": ("rm {root}/current", "{root}/current"),
    "a link elsewhere": ("ln -sf /bin/true {bin}/go", "{bin}/go"),
    "no link": ("rm {bin}/gofmt", "{bin}/gofmt"),
    "no goroot": (f"rm {PROFILE}/goroot", PROFILE),
    "goroot elsewhere": (f"ln -sfn /nowhere {PROFILE}/goroot", PROFILE),
    "no command": (f"rm {PROFILE}/bin/go", PROFILE),
    "no profile": (f"rm -r {PROFILE}", PROFILE),
    "trees open to all": ("chmod 777 {root}/toolchains", "{root}/toolchains"),
    "profiles open to all": ("chmod 777 {root}/profiles", "{root}/profiles"),
    "commands open to all": (f"chmod 777 {PROFILE}/bin", f"{PROFILE}/bin"),
    "the state open": ("chmod 755 {root}/state", "{root}/state"),
    "no manifests": ("rm -r {root}/state/manifests", "{root}/state/manifests"),
    "no stamp": ("rm {root}/state/stamps/*", "{root}/state/stamps/go1.27.3"),
    "an edited env.sh": ("echo x >>{root}/env.sh", "{root}/env.sh"),
    "env.sh open to all": ("chmod 666 {root}/env.sh", "{root}/env.sh"),
    "no env.sh": ("rm {root}/env.sh", "{root}/env.sh"),
}
#: The same, where only root can do it, or where there is no such file in a home.
ROOT_DRIFTS = {
    "a file of another's": (f"chown ann {TREE}/src/fmt/print.go", TREE),
    "env.sh of another's": ("chown ann {root}/env.sh", "{root}/env.sh"),
    "trees of another's": ("chown ann {root}/toolchains", "{root}/toolchains"),
    "an edited profile": ("echo x >>/etc/profile.d/gostead.sh", "/etc/profile.d/gostead.sh"),
    "no profile.d file": ("rm /etc/profile.d/gostead.sh", "/etc/profile.d/gostead.sh"),
    "no block": ("sed -i /gostead/d /etc/zsh/zshenv", "/etc/zsh/zshenv"),
}


class Ground:
    """One root, converged by `user`: root's /opt/gostead, or the home of anybody else."""

    def __init__(self, sandbox: Sandbox, site: Site, user: str = "root") -> None:
        self.sandbox = sandbox
        self.site = site
        self.user = user
        self.home = "/root" if user == "root" else f"/home/{user}"
        self.root = "/opt/gostead" if user == "root" else f"{self.home}/.local/share/gostead"
        self.bin = "/usr/local/bin" if user == "root" else f"{self.home}/.local/bin"

    def gostead(
        self, *arguments: str, fault: Fault | None = None, **run: Any
    ) -> subprocess.CompletedProcess[str]:
        """`gostead` in the root, with a fault or without; `Site.apply` and `.plan` call it."""
        run = {"user": self.user, **run}
        return self.sandbox.gostead(*arguments, fault=fault or Fault(), **run)

    def apply(self, *options: str, fault: Fault | None = None, **run: Any) -> dict[str, Any]:
        """`gostead apply`: its report, which is made whatever happens on the host."""
        return self.site.apply(self, *options, fault=fault, **run)

    def plan(self, *options: str, fault: Fault | None = None, **run: Any) -> dict[str, Any]:
        """`gostead plan`: its report."""
        return self.site.plan(self, *options, fault=fault, **run)

    def converge(self, *options: str) -> dict[str, Any]:
        """`apply` that must succeed."""
        report = self.apply(*options)
        assert report["exit"] == 0, report
        return report

    def run(self, command: str, *, user: str = "", check: bool = True, **run: Any) -> str:
        """A shell command in the root, by default as who converges it; what it printed."""
        return self.sandbox.run(command, user=user or self.user, check=check, **run).stdout

    def cause(self, drift: str) -> str:
        """Makes one of the drifts so; the item that must be mended."""
        command, item = (DRIFTS | ROOT_DRIFTS)[drift]
        self.run(command.format(root=self.root, bin=self.bin))
        return item.format(root=self.root, bin=self.bin)

    def go_version(self) -> str:
        """What the link on every PATH answers now; empty where there is none."""
        said = self.run(f"{self.bin}/go version", check=False)
        found = re.fullmatch(r"go version go(\S+) \S+\n", said)
        return found[1] if found else ""

    def leftovers(self) -> list[str]:
        """What must never outlive a run: staged trees, standby trees, locks, half-made links."""
        places = f"/opt /usr/local/bin /etc {self.home} {self.bin} {self.root}"
        names = "-name '.gostead*' -o -name '.standby*' -o -path '*/staging/*' -o -name lock"
        found = self.run(
            f"find $(ls -d {places} 2>/dev/null) -maxdepth 4 \\( {names} \\) | sort -u",
            user="root",
        )
        ours = (line for line in found.splitlines() if "gostead" in line)
        return [line for line in ours if "/.cache/" not in line]

    def assert_converged(self, version: str) -> None:
        """The declared version answers, nothing is left over, nothing is pending."""
        assert self.go_version() == version
        assert self.leftovers() == []
        report = self.plan()
        assert (report["exit"], changes(report)) == (0, {}), report


def lay_out(directory: Path) -> Site:
    """A site, and beside it a directory `cache` for the controller's."""
    for name in ("site", "cache"):
        (directory / name).mkdir(parents=True)
    return Site(directory / "site")


@contextmanager
def open_ground(directory: Path, user: str = "root", **options: Any) -> Iterator[Ground]:
    """A ground whose site and controller's cache are below `directory`, which is the test's own."""
    site = lay_out(directory)
    mounts = [Mount(site.directory), *options.pop("mounts", ())]
    cache = directory / "cache"
    with Sandbox(mounts=mounts, go_cache=cache, go_cache_user=user, **options) as sandbox:
        yield Ground(sandbox, site, user)


def host(report: dict[str, Any], name: str = "@local") -> dict[str, Any]:
    """A host's part of a report."""
    found: dict[str, Any] = report["hosts"][name]
    return found


def changes(report: dict[str, Any], name: str = "@local") -> dict[str, str]:
    """Item -> result of a host's changes."""
    return {change["item"]: change["result"] for change in host(report, name)["changes"]}


def told(report: dict[str, Any], name: str = "@local") -> str:
    """All that a report says went wrong with a host, or is odd there."""
    found = host(report, name)
    said = [found["error"], *(change["error"] for change in found["changes"])]
    said += [f"{finding['item']}: {finding['what']}" for finding in found["findings"]]
    return "\n".join(line for line in said if line)


def checkpoints() -> list[tuple[str, str]]:
    """Template and name of every checkpoint in every script that can reach a host."""
    return sorted(set(_checkpoints()))


def _checkpoints() -> Iterator[tuple[str, str]]:
    for name, text in scripts():
        for checkpoint in re.findall(r"^ *checkpoint ([a-z-]+)$", text, re.MULTILINE):
            yield name.rpartition("-")[0], checkpoint
