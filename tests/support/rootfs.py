"""The Debian root file system that test hosts and throw-away roots are made of.

Built by mmdebstrap from the machine's own apt sources (about 20 s, 180 MB), cached by the hash of
its recipe, never written to afterwards: hosts put an overlay on it. It has no systemd, no kernel
and no Python: gostead must do without one on hosts.
"""

from __future__ import annotations

import inspect
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.cache import built_once, recipe_key
from tests.support.keys import Keys, keys
from tests.support.requirements import cannot_run

#: openssh-server, sudo and the shells are what is tested; strace, e2fsprogs (chattr) and procps
#: serve the tests of faults; busybox-static ends the set-up of a root and makes the other kind.
PACKAGES = """
openssh-server zsh fish mksh tmux cron sudo curl ca-certificates procps mount busybox-static strace
e2fsprogs apt
"""

#: name -> (uid, login shell). root, and deploy by sudo, converge; zed has zsh; ann has no sudo.
USERS = {
    "deploy": (1000, "/bin/bash"),
    "zed": (1001, "/usr/bin/zsh"),
    "ann": (1002, "/bin/bash"),
}

SSHD_CONFIG = """\
UseDNS no
PrintMotd no
PasswordAuthentication no
PermitRootLogin prohibit-password
MaxStartups 200
HostKey /etc/ssh/ssh_host_ed25519_key
"""


def give_apt_sources(root: Path) -> None:
    """Lets apt in a root that has the machine's network get packages as the machine does."""
    suite, text = apt_sources()
    (root / "etc/apt/sources.list.d").mkdir(parents=True, exist_ok=True)
    kind = "sources" if "URIs:" in text else "list"
    (root / f"etc/apt/sources.list.d/{suite}.{kind}").write_text(text)
    for path in Path("/etc/apt/apt.conf.d").glob("*"):
        if "Acquire" in path.read_text():
            (root / f"etc/apt/apt.conf.d/{path.name}").write_bytes(path.read_bytes())


def debian() -> Path:
    """Return the root's directory, built at first use. Skips where there are no apt sources."""
    suite, sources = apt_sources()
    key = recipe_key(inspect.getsource(sys.modules[__name__]), suite, keys().client_public)
    return built_once(f"debian-{key}", lambda path: _build(path, suite, sources, keys()))


def apt_sources() -> tuple[str, str]:
    """Return the machine's release name and its distribution's own apt sources, as they stand."""
    release = dict(
        line.split("=", 1)
        for line in Path("/etc/os-release").read_text().splitlines()
        if "=" in line
    )
    suite = release.get("VERSION_CODENAME", "").strip('"')
    listed = sorted(Path("/etc/apt/sources.list.d").glob("*"))
    for path in [Path("/etc/apt/sources.list"), *listed]:
        named_right = path.suffix in (".list", ".sources") and path.is_file()
        text = path.read_text() if named_right else ""
        if suite and _is_the_distributions(text, suite):
            return suite, text
    return cannot_run(
        "the root of test hosts is built from the machine's Debian apt sources; found none"
    )


def _is_the_distributions(text: str, suite: str) -> bool:
    """Say whether apt sources, in either format, have the component main of `suite` itself."""
    words = {
        word for line in text.splitlines() if not line.startswith("#") for word in line.split()
    }
    return {suite, "main"} <= words


def _build(root: Path, suite: str, sources: str, pair: Keys) -> None:
    bootstrap(root, suite, sources, PACKAGES.split())
    _furnish(root, pair)


def bootstrap(
    root: Path, suite: str, sources: str, packages: Sequence[str], hooks: Sequence[str] = ()
) -> None:
    """Make a root of the release `suite` with `packages`; `hooks` are mmdebstrap's hook options."""
    options = [
        '--aptopt=Acquire::Check-Date "false"',
        '--aptopt=Acquire::Check-Valid-Until "false"',
        '--aptopt=APT::Install-Recommends "false"',
        *(
            f"--dpkgopt=path-exclude=/usr/share/{name}/*"
            for name in ("man", "doc", "locale", "info")
        ),
    ]
    command = ["mmdebstrap", "--mode=root", "--variant=essential", "--format=directory", *options]
    command += [*hooks, f"--include={','.join(packages)}", suite, str(root), "-"]
    # In a mount namespace of its own, so that a killed build leaves no mount on the machine.
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", *command],
        input=sources, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"mmdebstrap failed ({done.returncode}):\n{done.stderr[-4000:]}")
    root.chmod(0o755)


def add_users(root: Path, pair: Keys) -> None:
    """Add `USERS`, let the tests' key in as each of them and as root, and set up sshd."""
    for name, (uid, shell) in USERS.items():
        command = ["useradd", "--create-home", "--uid", str(uid), "--user-group", "--shell", shell]
        subprocess.run(["chroot", str(root), *command, name], check=True, capture_output=True)
    (root / "home/zed/.zshrc").write_text("# so that zsh asks no questions\n")
    os.chown(root / "home/zed/.zshrc", 1001, 1001)
    sudoers = root / "etc/sudoers.d/deploy"
    sudoers.write_text("deploy ALL=(ALL:ALL) NOPASSWD: ALL\n")
    sudoers.chmod(0o440)
    authorize(
        root, {"root": (0, "/root"), **{n: (u, f"/home/{n}") for n, (u, _) in USERS.items()}}, pair
    )
    (root / "etc/ssh/sshd_config.d/gostead-test.conf").write_text(SSHD_CONFIG)
    install_host_key(root, pair)


def _furnish(root: Path, pair: Keys) -> None:
    """Add users, keys and settings, and take out what differs from build to build."""
    add_users(root, pair)
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
    (root / "etc/resolv.conf").write_text("")
    (root / "etc/machine-id").write_text("")
    # fish brings it, for its man pages alone; gostead must do without one on hosts.
    python = "dpkg --purge --force-all $(dpkg-query -W -f '${Package} ' 'python3*' 'libpython3*')"
    done = subprocess.run(
        ["chroot", str(root), "sh", "-c", python], check=False, capture_output=True
    )
    if list((root / "usr/bin").glob("python3*")):
        raise RuntimeError(f"python cannot be taken out: {done.stderr.decode()}")
    for leftover in ("var/cache/apt", "var/lib/apt/lists", "etc/apt/sources.list.d"):
        shutil.rmtree(root / leftover, ignore_errors=True)
    (root / "etc/apt/sources.list").unlink(missing_ok=True)


def authorize(root: Path, homes: dict[str, tuple[int, str]], pair: Keys) -> None:
    """Let the tests' client key in for each user of `homes`, name -> (uid = gid, home)."""
    for uid, home in homes.values():
        directory = root / home.lstrip("/") / ".ssh"
        directory.mkdir(mode=0o700, exist_ok=True)
        file = directory / "authorized_keys"
        file.write_text(pair.client_public + "\n")
        file.chmod(0o600)
        for path in (directory, file):
            os.chown(path, uid, uid)


def install_host_key(root: Path, pair: Keys) -> None:
    """Give the root the one host key that the tests' known_hosts files name."""
    for old in (root / "etc/ssh").glob("ssh_host_*"):
        old.unlink()
    target = root / "etc/ssh/ssh_host_ed25519_key"
    shutil.copyfile(pair.host, target)
    target.chmod(0o600)
    shutil.copyfile(pair.host.with_suffix(".pub"), target.with_suffix(".pub"))
