"""The bare root of the stand-in: macOS's places, made of Debian's programs.

Built by mmdebstrap (about 50 s) and cached. Debian's programs are all kept in /.stand-in/bin, where
no PATH leads; what a Mac has at its own places is put there by `root.py`. There is no /proc: that
of the root is at /.stand-in/proc, for the stand-in's own programs alone.
"""

from __future__ import annotations

import inspect
import os
import shutil
import sys
from pathlib import Path

from tests.support.cache import built_once, recipe_key
from tests.support.keys import keys
from tests.support.rootfs import SSHD_CONFIG, apt_sources, bootstrap, install_host_key

PACKAGES = """
openssh-server zsh sudo curl ca-certificates openssl busybox-static libarchive-tools
libnss-extrausers cron mawk
"""

#: What is kept of Debian's /etc: name resolution, the linker's cache, certificates, sudo, ssh.
KEPT = {"ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ssl", "ssh", "security", "sudo.conf"}
KEPT |= {"ca-certificates", "login.defs", "terminfo"}

DIRECTORIES = """
bin sbin usr/bin usr/sbin usr/libexec usr/local opt run dev Applications Library/LaunchAgents
Library/LaunchDaemons Library/Developer System/Library/CoreServices Users/Shared Volumes
private/tmp private/var/root private/var/empty private/var/db/stand-in private/var/folders
private/var/lib/extrausers private/var/log private/var/at/tabs private/etc/paths.d
.stand-in/proc .stand-in/sys
"""
#: Links of a Mac, and those that Debian's programs need to find their libraries.
LINKS = {
    "etc": "private/etc", "tmp": "private/tmp", "var": "private/var", "lib": "usr/lib",
    "lib64": "usr/lib64",
}  # fmt: skip

SSH = SSHD_CONFIG + (
    "UsePAM no\nSetEnv PATH=/usr/bin:/bin:/usr/sbin:/sbin\nSubsystem sftp internal-sftp\n"
)
SUDOERS = "Defaults env_reset, !admin_flag\nroot ALL=(ALL) ALL\n%admin ALL=(ALL) NOPASSWD: ALL\n"
PAM = (
    "auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n"
)
#: As Apple's: system accounts alone; people are in the directory service.
ACCOUNTS = """\
nobody:*:65534:65534:Unprivileged User:/var/empty:/usr/bin/false
root:*:0:0:System Administrator:/var/root:/bin/sh
daemon:*:1:1:System Services:/var/root:/usr/bin/false
_www:*:70:70:World Wide Web Server:/Library/WebServer:/usr/bin/false
sshd:*:75:75:sshd Privilege separation:/var/empty:/usr/bin/false
"""
GROUP = """\
nobody:*:65534:
nogroup:*:65533:
wheel:*:0:root
daemon:*:1:root
tty:*:4:root
staff:*:20:root
everyone:*:12:
_www:*:70:
sshd:*:75:
admin:*:80:root
crontab:*:90:
"""


def base() -> Path:
    """Return the directory of the bare root, built at first use."""
    suite, sources = apt_sources()
    key = recipe_key(inspect.getsource(sys.modules[__name__]), suite, keys().client_public)
    return built_once(f"darwin-base-{key}", lambda path: _build(path, suite, sources))


def _build(root: Path, suite: str, sources: str) -> None:
    bootstrap(root, suite, sources, PACKAGES.split())
    for name in ("bin", "sbin", "lib", "lib64"):  # links: Debian's /usr is merged
        (root / name).unlink(missing_ok=True)
    (root / ".stand-in").mkdir()
    (root / "usr/bin").rename(root / ".stand-in/bin")
    for path in sorted((root / "usr/sbin").iterdir()):
        if not (root / ".stand-in/bin" / path.name).exists():
            path.rename(root / ".stand-in/bin" / path.name)
    etc = root / "etc"
    for path in etc.iterdir():
        if path.name not in KEPT:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for name in ("boot", "home", "media", "mnt", "opt", "proc", "root", "run", "srv", "sys", "tmp",
                 "var", "usr/local", "usr/games", "usr/src", "usr/include", "usr/sbin",
                 "usr/share/doc", "usr/share/bash-completion", "usr/lib/systemd", "usr/lib/apt",
                 "usr/lib/init", "usr/lib/cron"):  # fmt: skip
        shutil.rmtree(root / name, ignore_errors=True)
    (root / "private").mkdir()
    etc.rename(root / "private/etc")
    for name in DIRECTORIES.split():
        (root / name).mkdir(parents=True, exist_ok=True)
    for name, target in LINKS.items():
        (root / name).symlink_to(target)
    _furnish(root)


def _furnish(root: Path) -> None:
    etc = root / "private/etc"
    (root / "private/tmp").chmod(0o1777)
    (root / "private/var/root").chmod(0o750)
    (root / "private/var/tmp").mkdir(mode=0o1777)
    (root / "private/var/tmp").chmod(0o1777)
    (root / "Users/Shared").chmod(0o1777)
    for name, text in {
        "passwd": ACCOUNTS, "group": GROUP, "hosts": "127.0.0.1\tlocalhost\n::1 localhost\n",
        "nsswitch.conf": "passwd: files extrausers\ngroup: files extrausers\nhosts: files\n",
        "shells": "/bin/bash\n/bin/csh\n/bin/dash\n/bin/ksh\n/bin/sh\n/bin/tcsh\n/bin/zsh\n",
        "sudoers": SUDOERS, "pam.d/sudo": PAM, "pam.d/sudo-i": PAM, "resolv.conf": "",
    }.items():  # fmt: skip
        path = etc / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (etc / "sudoers").chmod(0o440)
    tables = root / "private/var/spool/cron/crontabs"
    tables.mkdir(parents=True)
    os.chown(tables, 0, (root / ".stand-in/bin/crontab").stat().st_gid)
    tables.chmod(0o1730)
    install_host_key(root, keys())
    (etc / "ssh/sshd_config").write_text(SSH)
    _let_staff_in(root / "usr/lib/libnss_extrausers.so.2")
    for name, real in {"awk": "mawk", "which": "which.debianutils"}.items():
        (root / ".stand-in/bin" / name).unlink(missing_ok=True)
        (root / ".stand-in/bin" / name).symlink_to(real)
    # Debian's zsh reads what is below /etc/zsh; Apple's reads /etc itself.
    zsh = root / ".stand-in/bin/zsh"
    data = zsh.resolve().read_bytes()
    for name in ("zshenv", "zprofile", "zshrc", "zlogin", "zlogout"):
        there, wanted = f"/etc/zsh/{name}\0".encode(), f"/etc/{name}\0".encode()
        if data.count(there) != 1:
            raise RuntimeError(f"zsh names {there!r} {data.count(there)} times")
        data = data.replace(there, wanted.ljust(len(there), b"\0"))
    zsh.unlink()
    zsh.write_bytes(data)
    zsh.chmod(0o755)
    for path in (root / "usr/share/zsh").rglob("zsh-newuser-install"):
        path.unlink()


def _let_staff_in(library: Path) -> None:
    """Let the library that plays the directory service name people whose group is below 500.

    It compares with 499, and a Mac's people are all of group 20.
    """
    data = library.read_bytes()
    patched = data.replace((499).to_bytes(4, "little"), bytes(4))  # x86: the whole number
    if patched == data:
        words = [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data) - 3, 4)]
        compare = 0x7100001F | 499 << 10  # arm64: cmp wN, #499
        words = [w & ~(0xFFF << 10) if w & 0xFFFFFC1F == compare else w for w in words]
        patched = b"".join(w.to_bytes(4, "little") for w in words)
        patched += data[len(patched) :]
    if patched == data:
        raise RuntimeError(f"{library} compares with no 499: it has changed")
    library.write_bytes(patched)
