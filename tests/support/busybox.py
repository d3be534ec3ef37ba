"""The other root file system: Alpine-like, with ash and busybox's tools and none of GNU's.

Made in a moment from the Debian root: busybox-static with its links, and sshd with the libraries
that it needs. A program that is not busybox's, sshd's or the C library's is not there.
"""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.cache import built_once, recipe_key
from tests.support.keys import keys
from tests.support.rootfs import SSHD_CONFIG, authorize, debian, install_host_key

#: Applets that Alpine's busybox has not, and that would mislead a probe for the package manager.
LEFT_OUT = {"dpkg", "dpkg-deb", "rpm", "rpm2cpio", "linuxrc", "init"}

DIRECTORIES = """
bin sbin lib usr/bin usr/sbin usr/lib/openssh usr/local/bin usr/local/sbin dev proc sys run
opt srv mnt home root tmp var/tmp var/log var/spool/cron/crontabs
etc/ssh etc/profile.d etc/ssl/certs
"""

USERS = {"root": (0, "/root"), "deploy": (1000, "/home/deploy"), "zed": (1001, "/home/zed")} | {
    "ann": (1002, "/home/ann")
}

#: After Alpine's alpine-baselayout: PATH is built, then /etc/profile.d is read.
PROFILE = """\
append_path () {
	case ":$PATH:" in
		*:"$1":*) ;;
		*) PATH="${PATH:+$PATH:}$1" ;;
	esac
}
append_path "/usr/local/sbin"
append_path "/usr/local/bin"
append_path "/usr/sbin"
append_path "/usr/bin"
append_path "/sbin"
append_path "/bin"
unset -f append_path
export PATH
export PAGER=less
umask 022
for script in /etc/profile.d/*.sh ; do
	if [ -r "$script" ] ; then
		. "$script"
	fi
done
unset script
"""


def busybox() -> Path:
    """Return the root's directory, built at first use from the Debian one."""
    source = debian()
    key = recipe_key(inspect.getsource(sys.modules[__name__]), source.name)
    return built_once(f"busybox-{key}", lambda path: _build(path, source))


def _build(root: Path, source: Path) -> None:
    for directory in DIRECTORIES.split():
        (root / directory).mkdir(parents=True, exist_ok=True)
    for directory in ("tmp", "var/tmp"):
        (root / directory).chmod(0o1777)
    (root / "root").chmod(0o700)
    _install_busybox(root, source)
    _install_sshd(root, source)
    _write_users(root)
    (root / "etc/profile").write_text(PROFILE)
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
    (root / "etc/resolv.conf").write_text("")
    (root / "etc/os-release").write_text('ID=gostead-busybox\nNAME="busybox test host"\n')
    shutil.copyfile(
        source / "etc/ssl/certs/ca-certificates.crt", root / "etc/ssl/certs/ca-certificates.crt"
    )


def _install_busybox(root: Path, source: Path) -> None:
    shutil.copy(source / "bin/busybox", root / "bin/busybox")
    listed = subprocess.run(
        ["chroot", str(root), "/bin/busybox", "--list-full"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for applet in listed.split():
        path = root / applet
        if path.name not in LEFT_OUT and not path.exists():
            path.symlink_to("/bin/busybox")


def _install_sshd(root: Path, source: Path) -> None:
    """Copy sshd, its helpers and sftp-server, with all that ldd names."""
    programs = ["/usr/sbin/sshd"] + [
        f"/usr/lib/openssh/{name}"
        for name in ("sftp-server", "sshd-session", "sshd-auth")
        if (source / "usr/lib/openssh" / name).exists()
    ]
    done = subprocess.run(
        ["chroot", str(source), "ldd", *programs], check=True, capture_output=True, text=True
    )
    libraries = sorted(set(re.findall(r"(?:=> )?(/\S+)(?= \(0x)", done.stdout)))
    for name in [*programs, *libraries]:
        target = root / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy((source / name.lstrip("/")).resolve(), target)
    install_host_key(root, keys())
    settings = SSHD_CONFIG + "UsePAM no\nSubsystem sftp /usr/lib/openssh/sftp-server\n"
    (root / "etc/ssh/sshd_config").write_text(settings)


def _write_users(root: Path) -> None:
    rows = {"passwd": [], "group": [], "shadow": []}  # type: dict[str, list[str]]
    for name, (uid, home) in USERS.items():
        rows["passwd"].append(f"{name}:x:{uid}:{uid}:{name}:{home}:/bin/ash")
        rows["group"].append(f"{name}:x:{uid}:")
        rows["shadow"].append(f"{name}:*:19000:0:::::")
        (root / home.lstrip("/")).mkdir(mode=0o755, exist_ok=True)
        shutil.chown(root / home.lstrip("/"), uid, uid)
    rows["passwd"] += [
        "sshd:x:22:22:sshd:/run/sshd:/sbin/nologin",
        "nobody:x:65534:65534:nobody:/:/sbin/nologin",
    ]
    rows["group"] += ["sshd:x:22:", "tty:x:5:", "nobody:x:65534:"]
    rows["shadow"] += ["sshd:!::0:::::", "nobody:!::0:::::"]
    for name, lines in rows.items():
        (root / "etc" / name).write_text("\n".join(lines) + "\n")
    (root / "etc/shadow").chmod(0o600)
    (root / "etc/shells").write_text("/bin/sh\n/bin/ash\n")
    authorize(root, USERS, keys())
