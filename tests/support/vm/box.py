"""A Vagrant box for libvirt: Debian, built from packages as the tests' own guests are.

It has Vagrant's well-known key (Vagrant exchanges it at the first `vagrant up`), no host keys and
no identity: each machine makes its own. Its kernel and initrd stand beside the disk, so it needs no
boot loader. Format: Vagrant's documentation, "Box File Format", and vagrant-libvirt's "Box format".
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.support.cache import remove
from tests.support.rootfs import bootstrap
from tests.support.vm.image import (
    HOOKS,
    PACKAGES,
    RELEASES,
    put_files,
    sources_of,
    take_kernel,
)

GIGABYTES = 8
#: Where Debian's package and Vagrant's own installer have it.
KEYS = (
    "/usr/share/rubygems-integration/all/gems/vagrant-*/keys/vagrant.pub",
    "/opt/vagrant/embedded/gems/gems/vagrant-*/keys/vagrant.pub",
)
NETWORK = """\
[Match]
Type=ether
[Network]
DHCP=yes
"""
#: ssh.service waits for keys of the machine's own.
HOST_KEYS = "[Service]\nExecStartPre=\nExecStartPre=ssh-keygen -A\nExecStartPre=/usr/sbin/sshd -t\n"
VAGRANTFILE = """\
Vagrant.configure("2") do |config|
  config.vm.provider :libvirt do |machine|
    machine.kernel = File.join(__dir__, "vmlinuz")
    machine.initrd = File.join(__dir__, "initrd")
    machine.cmd_line = "root=LABEL=root rw console=ttyS0 quiet net.ifnames=0"
  end
end
"""


def main(arguments: Sequence[str]) -> None:
    """`script/box [RELEASE] [FILE]`."""
    parser = argparse.ArgumentParser(prog="script/box", description=__doc__)
    parser.add_argument("release", nargs="?", choices=RELEASES, default=RELEASES[-1])
    parser.add_argument("file", nargs="?", type=Path)
    given = parser.parse_args(arguments)
    target: Path = given.file or Path(f"gostead-{given.release}.box")
    key = next((path for pattern in KEYS for path in sorted(Path("/").glob(pattern[1:]))), None)
    if key is None:
        parser.error("Vagrant is not installed here: its public key goes into the box")
    with tempfile.TemporaryDirectory(prefix="gostead-box-", dir=target.parent) as made:
        build(Path(made), given.release, key.read_text())
        aside = Path(made) / "box"
        pack(Path(made), aside)
        aside.rename(target)
    print(f"vagrant box add --force --name gostead/{given.release} {target}")


def build(directory: Path, release: str, key: str) -> None:
    """Makes box.img, vmlinuz, initrd, metadata.json and Vagrantfile in `directory`."""
    root = directory / "root"
    bootstrap(root, release, sources_of(release), PACKAGES.split(), HOOKS)
    furnish(root, release, key)
    take_kernel(root, directory / "vmlinuz", directory / "initrd")
    raw = directory / "disk.raw"
    run("mke2fs", "-q", "-t", "ext4", "-L", "root", "-d", root, raw, f"{GIGABYTES}G")
    remove(root)
    run("qemu-img", "convert", "-c", "-O", "qcow2", raw, directory / "box.img")
    raw.unlink()
    about = {"provider": "libvirt", "format": "qcow2", "virtual_size": GIGABYTES}
    (directory / "metadata.json").write_text(json.dumps(about))
    (directory / "Vagrantfile").write_text(VAGRANTFILE)


def pack(directory: Path, target: Path) -> None:
    """A box is a tar of those files; the disk is compressed already."""
    with tarfile.open(target, "w") as box:
        for name in ("metadata.json", "Vagrantfile", "vmlinuz", "initrd", "box.img"):
            box.add(directory / name, name)


def furnish(root: Path, release: str, key: str) -> None:
    """Gives the root a network, and the user that Vagrant logs in as."""
    files = {
        "etc/hostname": f"{release}\n",
        "etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
        "etc/fstab": "",
        "etc/machine-id": "",
        "etc/systemd/network/ethernet.network": NETWORK,
        "etc/systemd/system/ssh.service.d/keys.conf": HOST_KEYS,
        "etc/sudoers.d/vagrant": "vagrant ALL=(ALL:ALL) NOPASSWD: ALL\n",
        "home/vagrant/.ssh/authorized_keys": key,
    }
    run("chroot", root, "useradd", "--create-home", "--shell", "/bin/bash", "vagrant")
    put_files(root, files)
    (root / "etc/sudoers.d/vagrant").chmod(0o440)
    (root / "home/vagrant/.ssh").chmod(0o700)
    run("chroot", root, "chown", "-R", "vagrant:", "/home/vagrant")
    for old in (root / "etc/ssh").glob("ssh_host_*"):
        old.unlink()
    run("systemctl", f"--root={root}", "enable", "systemd-networkd.service", "ssh.service")


def run(*words: str | Path) -> None:
    """A command that must succeed."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"script/box: {words[0]} failed:\n{done.stderr[-2000:]}")


if __name__ == "__main__":
    main(sys.argv[1:])
