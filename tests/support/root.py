"""A throw-away root: an overlay over a root file system, alive in namespaces of its own.

Nothing of it stands on the machine: its mounts are in a private mount namespace and its processes
in a private pid namespace whose first process is killed with the test run (PR_SET_PDEATHSIG), so
even after SIGKILL only a directory is left, which the next run sweeps.
Start roots from the main thread: the kernel takes the end of the *thread* that started one for
the end of the test run.
"""

from __future__ import annotations

import contextlib
import selectors
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from tests.support.cache import cache_dir, file_system_of, mounts
from tests.support.digest import Digest, digest_tree, hash_of_upper
from tests.support.processes import end_with_descendants, kill, wait_for_child
from tests.support.runs import new_run_dir, release_run_dir

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: What even root inside must not be able to do to the machine.
DROPPED = "-sys_time,-sys_module,-sys_boot,-sys_rawio,-syslog,-mac_admin,-mac_override"
#: Lives for as long as it is let, and reaps what is orphaned.
IDLE = ("/bin/busybox", "sh", "-c", "while :; do busybox sleep 100000 & wait $!; done")


@dataclass(frozen=True)
class Mount:
    """Something of the machine inside the root, at the same path unless `target` says otherwise.

    kind: `bind` read-only, `bind-rw`, or `overlay USER`: that user's own to write, but the writes
    stay in the root.
    """

    source: Path
    target: str | None = None
    kind: str = "bind"


class Root:
    """One throw-away root. A context manager; `close()` may be called at any time, repeatedly."""

    def __init__(
        self,
        lower: Path,
        *,
        name: str = "throwaway",
        mounts: Sequence[Mount] = (),
        layers: Sequence[Path] = (),
        size: str | None = None,
        inodes: int | None = None,
        network: str = "none",
        command: Sequence[str] = IDLE,
    ) -> None:
        """Prepare a root over `lower`; `start()` or `with` makes it.

        `layers` are more read-only layers, uppermost first (another root's `upper`, once closed).
        `size` ("64m") and `inodes` bound what can be written, by a tmpfs. `network`: `none` (only
        loopback) or `machine` (the machine's own). `command` is what lives in the root.
        """
        self.name = name
        self.lower = lower
        self._layers = [*layers, lower]
        self._mounts = [*mounts]
        self._tmpfs = size is not None or inodes is not None
        limits = [f"size={size}"] * (size is not None) + [f"nr_inodes={inodes}"] * (
            inodes is not None
        )
        # An upper layer cannot itself be on an overlay, which is what a container has.
        self._tmpfs = self._tmpfs or file_system_of(cache_dir()) == "overlay"
        self._upper_options = ",".join(["mode=755", *limits]) if self._tmpfs else ""
        self._network = network
        self._command = tuple(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._pid = 0
        self.base = Path()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The root's first process, as the machine numbers it."""
        return self._pid

    @property
    def path(self) -> Path:
        """The root seen from the machine; absolute links in it lead to the machine's files!"""
        return Path(f"/proc/{self._pid}/root")

    @property
    def upper(self) -> Path:
        """The layer with all that was written. AssertionError where that is in a tmpfs."""
        assert not self._tmpfs, "what is written to this root is in a tmpfs that only it can see"
        return self.base / "upper"

    def start(self) -> Self:
        """Make the root and wait until it is complete."""
        self.launch()
        self.proceed()
        self.wait_ready()
        return self

    def launch(self) -> None:
        """Start the namespaces' first process; it waits for `proceed`. Part of `start`."""
        self.base = new_run_dir(self.name)
        for directory in ("upper", "work", "root", "tmp"):
            (self.base / directory).mkdir(mode=0o755)
        script = Path(__file__).with_name("enter_root.sh")
        unshare = ["unshare", "-m", "-p", "-f", "-u", "-i"]
        unshare += ["--kill-child", "--propagation", "private"]
        unshare += ["-n"] if self.own_network else []
        lower = ":".join(str(layer) for layer in self._layers)
        try:
            with (self.base / "log").open("wb") as log:
                self._process = subprocess.Popen(
                    ["setpriv", "--pdeathsig", "KILL", f"--bounding-set={DROPPED}", *unshare,
                     "sh", str(script), str(self.base), lower, self.name, self._upper_options,
                     *self._command],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                    start_new_session=True, env={"PATH": PATH},
                )  # fmt: skip
            self._pid = wait_for_child(self._process.pid)
        except BaseException:
            self.close()
            raise

    def proceed(self, *lines: str) -> None:
        """Send set-up `lines` (see enter_root.sh) and let the root be finished. Part of `start`."""
        assert self._process is not None
        assert self._process.stdin is not None
        text = ["ip link set lo up"] if self.own_network else []
        text += lines
        for mount in self._mounts:
            target = mount.target or str(mount.source)
            text += [f"{mount.kind} {mount.source}", target.lstrip("/")]
        with contextlib.suppress(BrokenPipeError):  # it has failed already; wait_ready tells how
            self._process.stdin.write(("\n".join([*text, "go"]) + "\n").encode())
            self._process.stdin.flush()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def wait_ready(self, seconds: float = 20) -> None:
        """Wait until the root is finished, else raise RuntimeError with what it said."""
        assert self._process is not None
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            answered = bool(selector.select(seconds))
        if not answered or self._process.stdout.readline() != b"ready\n":
            self._give_up()

    def raise_if_dead(self) -> None:
        """Raise RuntimeError with the root's last words if it has ended already."""
        if self._process is not None and self._process.poll() is not None:
            self._give_up()

    def log(self) -> str:
        """Return what the root's set-up and its command (sshd) wrote to standard error."""
        return (self.base / "log").read_text(errors="replace")

    def _give_up(self) -> NoReturn:
        log = self.log().strip() or "no word"
        self.close()
        raise RuntimeError(f"throw-away root {self.name} did not start: {log}")

    def run(
        self,
        command: str | Sequence[str],
        *,
        user: str = "root",
        env: Mapping[str, str] | None = None,
        input: str | None = None,
        cwd: str | None = None,
        timeout: float = 60,
        check: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Run `command` (a string: by `sh -c`) in the root, not by ssh; with a clean environment.

        With `env`, those variables are set on top of PATH, HOME, USER, LOGNAME, SHELL and LANG.
        After `timeout` seconds it and all its children are killed and TimeoutExpired is raised.
        """
        argv = ["sh", "-c", command] if isinstance(command, str) else list(command)
        account = self._account(user)
        enter = ["setpriv", f"--bounding-set={DROPPED}", "nsenter", "-t", str(self._pid)]
        enter += ["-m", "-p", "-u", "-i", "-r", *(["-n"] if self.own_network else [])]
        enter += [f"--wd={self.path}{cwd or account['HOME']}"]
        enter += ["-S", account["uid"], "-G", account["gid"]]
        with subprocess.Popen(
            [*enter, "--", *argv], env={**self.settings(user), **(env or {})},
            text=True, errors="surrogateescape",
            stdin=subprocess.PIPE if input is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        ) as process:  # fmt: skip
            try:
                out, err = process.communicate(input, timeout)
            except BaseException:
                end_with_descendants(process)
                raise
        done = subprocess.CompletedProcess(argv, process.returncode, out, err)
        return succeeded(done) if check else done

    def digest(self, *, times: bool = False, exclude: Sequence[str] = ()) -> Digest:
        """Digest the whole root (see tests/support/digest.py); `exclude`: absolute paths in it."""
        points = frozenset(point.lstrip("/") for point, _type in mounts(self._pid)) - {""}
        return digest_tree(
            self.path,
            mounts=points,
            exclude=frozenset(path.strip("/") for path in exclude),
            times=times,
            content=None if self._tmpfs else hash_of_upper(self._layers, self.upper),
        )

    def close(self) -> None:
        """End every process of the root and remove what was written."""
        self.stop()
        if self.base != Path():
            release_run_dir(self.base)
            self.base = Path()

    def stop(self) -> None:
        """End every process of the root; what was written stays in `upper` until `close`."""
        process, self._process = self._process, None
        if process is None:
            return
        # Process 1 first: unshare then reaps it, and is gone itself. Nothing outlives process 1.
        kill(self._pid or process.pid)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        process.wait()

    def settings(self, user: str) -> dict[str, str]:
        """The environment that `run` gives a command of `user`."""
        account = self._account(user)
        return {k: v for k, v in account.items() if k.isupper()} | {
            "PATH": PATH,
            "LANG": "C.UTF-8",
        }

    def ids(self, user: str) -> tuple[int, int]:
        """The uid and gid of `user` there."""
        account = self._account(user)
        return int(account["uid"]), int(account["gid"])

    @property
    def own_network(self) -> bool:
        """Whether it has a network of its own."""
        return self._network != "machine"

    def _account(self, user: str) -> dict[str, str]:
        for line in (self.path / "etc/passwd").read_text().splitlines():
            name, _, uid, gid, _, home, shell = line.split(":")
            if name == user:
                who = {"HOME": home, "USER": user, "LOGNAME": user, "SHELL": shell}
                return {**who, "uid": uid, "gid": gid}
        raise KeyError(f"no user {user} in the root {self.name}")


def succeeded(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    """`done`, or AssertionError with what it said where it failed."""
    if done.returncode != 0:
        raise AssertionError(f"{done.args} exited {done.returncode}\n{done.stdout}{done.stderr}")
    return done
