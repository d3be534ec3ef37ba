"""The disk, kernel and initrd that guests boot: Debian, built from packages.

Built once per release from the machine's own apt sources (about a minute, 1 GB), cached by the
hash of the recipe, never written to afterwards: guests put a qcow2 overlay on the disk.
"""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support import rootfs
from tests.support.cache import built_once, recipe_key, remove
from tests.support.keys import keys
from tests.support.requirements import cannot_run
from tests.support.rootfs import add_users, apt_sources, bootstrap

#: The releases that guests are made of.
RELEASES = ("bookworm", "trixie")
#: What the file system is made to hold; the file on the machine is sparse.
DISK_SIZE = "4G"
#: git and Python are there because a host that converges itself needs them.
PACKAGES = """
systemd systemd-sysv udev dbus dbus-user-session libpam-systemd linux-image-cloud-amd64
initramfs-tools kmod zstd openssh-server sudo zsh fish cron git python3 python3-venv python3-pip
ca-certificates curl procps iproute2 mount apt
"""
#: An initrd with all drivers takes an emulated processor seconds to unpack; these are what a
#: guest's disk and network need. The hooks get the root as $1.
HOOKS = (
    '--essential-hook=mkdir -p "$1/etc/initramfs-tools/conf.d"',
    '--essential-hook=echo MODULES=list >"$1/etc/initramfs-tools/conf.d/guest"',
    '--customize-hook=for module in virtio_pci virtio_blk virtio_net ext4; do echo "$module"; done'
    ' >>"$1/etc/initramfs-tools/modules"',
    '--customize-hook=chroot "$1" update-initramfs -u -k all',
)
#: QEMU's user network always has the same addresses. A plain unit sets them long before networkd
#: would: that waits for udev, which takes 10 s and more on an emulated processor.
NETWORK = """\
[Unit]
Description=The guest's address
DefaultDependencies=no
Wants=network.target
Before=network.target ssh.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'until ip link set eth0 up; do sleep 0.1; done'
ExecStart=ip link set lo up
ExecStart=ip address add 10.0.2.15/24 dev eth0
ExecStart=ip route add default via 10.0.2.2
[Install]
WantedBy=multi-user.target
"""
#: What would disturb a measurement, try to reach the Internet, or only make the boot longer: udev
#: asked about all devices that are there already costs a third of it.
MASKED = """
apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer
e2scrub_reap.service fstrim.timer man-db.timer systemd-networkd.service systemd-networkd.socket
systemd-timesyncd.service systemd-resolved.service systemd-pcrphase.service
getty@tty1.service serial-getty@ttyS0.service dev-hugepages.mount dev-mqueue.mount
sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount
sys-fs-fuse-connections.mount modprobe@.service systemd-binfmt.service
systemd-udev-trigger.service
"""

#: What looks at each daemon-reload for what no guest has (crypted swap, init scripts, a TPM): with
#: them it takes 1.7 s, without 1.0 s.
NO_GENERATORS = """
systemd-cryptsetup-generator systemd-getty-generator systemd-gpt-auto-generator
systemd-hibernate-resume-generator systemd-integritysetup-generator systemd-rc-local-generator
systemd-run-generator systemd-ssh-generator systemd-system-update-generator systemd-sysv-generator
systemd-tpm2-generator systemd-veritysetup-generator
"""


@dataclass(frozen=True)
class Image:
    """What one release boots from."""

    release: str
    directory: Path

    @property
    def disk(self) -> Path:
        """The root file system, raw."""
        return self.directory / "disk.raw"

    @property
    def kernel(self) -> Path:
        """The kernel."""
        return self.directory / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """Its first root."""
        return self.directory / "initrd"


def image(release: str) -> Image:
    """Return the image of `release`, built at first use. Skips where there are no apt sources."""
    sources = sources_of(release)
    recipe = [inspect.getsource(module) for module in (sys.modules[__name__], rootfs)]
    key = recipe_key(*recipe, release, sources, keys().client_public, keys().host_public)
    directory = built_once(f"guest-{release}-{key}", lambda path: _build(path, release, sources))
    return Image(release, directory)


def sources_of(release: str) -> str:
    """Return the machine's own apt sources with its release exchanged for `release`."""
    if "ID=debian" not in Path("/etc/os-release").read_text().splitlines():
        return cannot_run("guests are built from a Debian machine's own apt sources")
    suite, sources = apt_sources()
    return re.sub(rf"\b{re.escape(suite)}\b", release, sources)


def take_kernel(root: Path, kernel: Path, initrd: Path) -> None:
    """Moves the kernel and its first root out of a root file system, which then boots by them."""
    for name, target in (("vmlinuz", kernel), ("initrd.img", initrd)):
        (root / name).resolve().relative_to(root)  # its links lead to nowhere outside
        (root / name).resolve().rename(target)


def put_files(root: Path, files: Mapping[str, str]) -> None:
    """Writes these texts below `root`, in place of what is there."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(text)


def _build(directory: Path, release: str, sources: str) -> None:
    directory.mkdir()
    root = directory / "root"
    bootstrap(root, release, sources, PACKAGES.split(), HOOKS)
    add_users(root, keys())
    _furnish(root)
    built = Image(release, directory)
    take_kernel(root, built.kernel, built.initrd)
    subprocess.run(
        ["mke2fs", "-q", "-t", "ext4", "-L", "root", "-m", "0", "-d", root, built.disk, DISK_SIZE],
        check=True, capture_output=True,
    )  # fmt: skip
    remove(root)


def _furnish(root: Path) -> None:
    """Give the root a network, a disk to mount and quiet, and no identity of its own."""
    files = {
        "etc/hostname": "guest\n",
        "etc/hosts": "127.0.0.1 localhost guest\n::1 localhost\n",
        "etc/resolv.conf": "",
        # The kernel mounts the root writable; a line here would have it wait for udev.
        "etc/fstab": "",
        "etc/machine-id": "",
        "etc/systemd/system/guest-network.service": NETWORK,
        # Written at once: what is looked at after a power loss is what the journal had.
        "etc/systemd/journald.conf.d/guest.conf": "[Journal]\nStorage=persistent\n",
    }
    put_files(root, files)
    for command in ("enable guest-network.service ssh.service", f"mask {MASKED}"):
        subprocess.run(
            ["systemctl", f"--root={root}", *command.split()], check=True, capture_output=True
        )
    masks = root / "etc/systemd/system-generators"
    masks.mkdir()
    for name in NO_GENERATORS.split():
        (masks / name).symlink_to("/dev/null")  # systemd.generator(7)
    for name in ("etc/.updated", "var/.updated"):
        (root / name).touch()  # else the first boot makes ldconfig's cache and more anew
