"""The ssh keys of the test hosts: one client key, one host key for all, made once per cache."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.cache import built_once


@dataclass(frozen=True)
class Keys:
    """Paths of the private keys; the public ones stand beside them as `<path>.pub`."""

    client: Path
    host: Path

    @property
    def client_public(self) -> str:
        """The line for authorized_keys."""
        return self.client.with_suffix(".pub").read_text().strip()

    @property
    def host_public(self) -> str:
        """Type and key, as known_hosts wants them after the host's name."""
        kind, key, *_comment = self.host.with_suffix(".pub").read_text().split()
        return f"{kind} {key}"


def keys() -> Keys:
    """Return the keys, made at first use. They open nothing but test hosts."""
    directory = built_once("keys", _generate)
    return Keys(client=directory / "client", host=directory / "host")


def _generate(directory: Path) -> None:
    directory.mkdir(mode=0o700)
    for name in ("client", "host"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"gostead-test-{name}"]
        subprocess.run([*command, "-f", str(directory / name)], check=True, capture_output=True)
