"""One stand-in of a Mac: an ssh host over the stand-in's root, set up as a scenario says."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.hosts.darwin.root import stand_in
from tests.hosts.darwin.scenarios import Account, Scenario
from tests.support.keys import keys
from tests.support.netns import Network
from tests.support.root import Mount
from tests.support.rootfs import authorize
from tests.support.ssh_host import SshHost

STATE = "private/var/db/stand-in"
FIRST_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
SYSTEM_ACCOUNTS = (
    Account("root", 0, "/var/root\t/private/var/root", "/bin/sh", gid=0),
    Account("daemon", 1, "/var/root", "/usr/bin/false", gid=1),
    Account("_www", 70, "/Library/WebServer", "/usr/bin/false", gid=70),
    Account("nobody", -2, "/var/empty", "/usr/bin/false", gid=-2),
)


class Mac(SshHost):
    """Not a Mac: what it cannot play it refuses with exit code 99, and `unknown` tells."""

    def __init__(
        self, scenario: Scenario, network: Network, *, name: str = "mac",
        mounts: Sequence[Mount] = (), size: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(stand_in(), network, name=name, mounts=mounts, size=size)
        self.scenario = scenario

    def wait_ready(self, seconds: float = 20) -> None:
        """Wait until the root is finished, and make it what the scenario says."""
        super().wait_ready(seconds)
        self._furnish()

    @property
    def state(self) -> Path:
        """The directory of what the stand-in's programs know; see the README."""
        return self.path / STATE

    @property
    def touched(self) -> list[str]:
        """What must never be run: shims without developer tools, dialogues, upgrades of macOS."""
        return (self.state / "touched").read_text().splitlines()

    @property
    def unknown(self) -> list[str]:
        """What was asked that the stand-in does not play: its own gap, or a new one's need."""
        return (self.state / "unknown").read_text().splitlines()

    @property
    def history(self) -> list[str]:
        """What its programs were made to do, in order."""
        return (self.state / "log").read_text().splitlines()

    def shell(
        self, script: str, *, user: str = "root", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `script` by the stand-in's /bin/sh, with the PATH that Apple's sshd gives."""
        return self.run(
            ["/bin/sh", "-c", script], user=user, env={"PATH": FIRST_PATH, **(env or {})}
        )

    def add_account(self, account: Account) -> None:
        """Add somebody to the directory service, with a home."""
        self._record(account)
        if account.uid < 0 or account in SYSTEM_ACCOUNTS:
            return
        line = (
            f"{account.name}:*:{account.uid}:{account.gid}::{account.directory}:{account.login}\n"
        )
        with (self.path / "private/var/lib/extrausers/passwd").open("a") as users:
            users.write(line)
        if account.directory.startswith("/Users/"):
            home = self.path / account.directory.lstrip("/")
            for path in (home, home / "Library", home / "Library/Caches",
                         home / "Library/Application Support"):  # fmt: skip
                path.mkdir(mode=0o700 if path != home else 0o750, exist_ok=True)
                os.chown(path, account.uid, account.gid)
            authorize(self.path, {account.name: (account.uid, account.directory)}, keys())

    def _record(self, account: Account) -> None:
        fields = {
            "NFSHomeDirectory": account.directory, "PrimaryGroupID": account.gid,
            "RealName": account.name, "UniqueID": account.uid, "UserShell": account.login,
        } | ({"dsAttrTypeNative:IsHidden": 1} if account.hidden else {})  # fmt: skip
        text = "".join(f"{key}: {value}\n" for key, value in fields.items())
        (self.state / "directory/Users" / account.name).write_text(text)

    def _furnish(self) -> None:
        scenario, state = self.scenario, self.state
        words = {"version": scenario.version, "build": scenario.build, "csrutil": scenario.csrutil,
                 "machine": scenario.machine, "selected": scenario.selected,
                 "softwareupdate-says": scenario.softwareupdate_says}  # fmt: skip
        for name, text in words.items():
            if text:
                (state / name).write_text(text + "\n")
        if not scenario.licence_accepted:
            (state / "licence-unaccepted").touch()
        self._sysctl()
        authorize(self.path, {"root": (0, "/private/var/root")}, keys())
        for account in (*SYSTEM_ACCOUNTS, *scenario.accounts):
            self.add_account(account)
        admins = ",".join(["root", *(a.name for a in scenario.accounts if a.admin)])
        group = self.path / "private/etc/group"
        group.write_text(group.read_text().replace("admin:*:80:root", f"admin:*:80:{admins}"))
        for uid in scenario.logged_in:
            domain = state / f"launchd/gui/{uid}"
            domain.mkdir(parents=True)
            os.chown(domain, uid, 20)
        (state / "launchd/system").mkdir()
        for kind, tools in (("clt", scenario.command_line_tools), ("xcode", scenario.xcode)):
            if tools is not None:
                make = ["/.stand-in/lib/make-tools", kind, tools.version, tools.sdk]
                self.run(make, check=True)
        for name, version in scenario.receipts:
            path = state / "receipts" / name
            path.unlink(missing_ok=True)
            if version:
                path.write_text(
                    f"package-id: {name}\nversion: {version}\nvolume: /\nlocation: /\n"
                    "install-time: 1747106510\n"
                )
        for number, update in enumerate(scenario.updates):
            rows = {**vars(update), "fails": "yes" if update.fails else "no"}
            text = "".join(f"{key}: {value}\n" for key, value in rows.items())
            (state / f"updates/{number}").write_text(text)
        for place, content in scenario.files.items():
            target = self.path / place.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)

    def _sysctl(self) -> None:
        boot = next(
            line.split()[1]
            for line in Path("/proc/stat").read_text().splitlines()
            if line.startswith("btime")
        )
        known = {
            "hw.ncpu": "2",
            "hw.memsize": str(8 * 2**30),
            "kern.bootsessionuuid": "6F1C8A55-2B35-4C3D-9C2B-0E1D2C3B4A5F",
            "kern.boottime": f"{{ sec = {boot}, usec = 0 }} Sat Nov 21 08:00:00 2026",
        }
        if self.scenario.arm64:
            known["hw.optional.arm64"] = "1"
            known["sysctl.proc_translated"] = "1" if self.scenario.translated else "0"
        for oid, value in known.items():
            (self.state / "sysctl" / oid).write_text(value + "\n")

    def _account(self, user: str) -> dict[str, str]:
        for account in (*SYSTEM_ACCOUNTS, *self.scenario.accounts):
            if account.name == user:
                who = {"HOME": account.directory.split("\t")[0], "USER": user, "LOGNAME": user}
                return {**who, "SHELL": account.login, "uid": str(account.uid),
                        "gid": str(account.gid)}  # fmt: skip
        raise KeyError(f"no user {user} on {self.name}")
