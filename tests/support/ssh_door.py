"""Coming in by ssh: what every host of the tests that has an sshd offers, a root or a guest."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.keys import keys


class SshDoor:
    """A host with `address`, `port` and `known_hosts`, which lets the tests' client key in."""

    address: str

    @property
    def port(self) -> int:
        """The port of sshd."""
        raise NotImplementedError

    @property
    def known_hosts(self) -> Path:
        """A known_hosts file with this host, and no other."""
        raise NotImplementedError

    def data(self, user: str = "root") -> dict[str, object]:
        """Return pyinfra's inventory data to connect as `user`, the host's key strictly checked."""
        return {
            "ssh_hostname": self.address,
            "ssh_port": self.port,
            "ssh_user": user,
            "ssh_key": str(keys().client),
            "ssh_known_hosts_file": str(self.known_hosts),
            "ssh_strict_host_key_checking": "yes",
            "ssh_allow_agent": False,
            "ssh_look_for_keys": False,
        }

    def ssh_command(self, *command: str, user: str = "root") -> list[str]:
        """Return the OpenSSH command line that runs `command` on the host as `user`."""
        options = [
            "BatchMode=yes",
            "IdentitiesOnly=yes",
            "StrictHostKeyChecking=yes",
            "ConnectTimeout=5",
        ]
        options.append(f'UserKnownHostsFile="{self.known_hosts}"')
        words = [word for option in options for word in ("-o", option)]
        where = ["-i", str(keys().client), "-p", str(self.port), f"{user}@{self.address}"]
        return ["ssh", "-F", "none", *words, *where, *command]

    def ssh(
        self, *command: str, user: str = "root", input: str | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run `command` on the host as `user` by OpenSSH's own client."""
        return subprocess.run(
            self.ssh_command(*command, user=user), text=True, capture_output=True, check=False,
            timeout=timeout, input=input, stdin=subprocess.DEVNULL if input is None else None,
        )  # fmt: skip
