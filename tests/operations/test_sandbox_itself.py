"""The throw-away root keeps what happens in it to itself, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import runs
from tests.support.cache import PROJECT, mounts
from tests.support.root import Root
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_until


def test_writes_in_the_sandbox_never_reach_the_machine(sandbox: Sandbox) -> None:
    paths = ["/opt/gostead/x", "/usr/local/bin/go-x", "/root/x", "/tmp/gostead-x", "/etc/gostead-x"]
    for path in paths:
        sandbox.run(f"mkdir -p {Path(path).parent} && echo x > {path}", check=True)
        assert (sandbox.path / path.lstrip("/")).read_text() == "x\n"
        assert not Path(path).exists()


def test_the_project_and_the_interpreter_are_read_only(sandbox: Sandbox) -> None:
    for directory in (PROJECT, Path(sys.prefix), Path(os.__file__).parent):
        assert os.access(directory, os.W_OK)
        assert sandbox.run(["test", "-d", str(directory)]).returncode == 0
        assert sandbox.run(["test", "-w", str(directory)]).returncode == 1


@pytest.mark.parametrize("user", ["root", "deploy"])
def test_pyinfra_local_runs_in_the_sandbox(sandbox: Sandbox, user: str) -> None:
    code = "touch /tmp/was-here; hostname; id -un; ls /proc | grep -c '^[0-9]'"
    done = sandbox.python(
        "-m", "pyinfra", "-y", "@local", "exec", "--", code, user=user, check=True
    )
    seen = [
        line.removeprefix("[@local] ") for line in done.stderr.splitlines() if "[@local] " in line
    ]
    assert f"{sandbox.name}" in seen
    assert user in seen
    assert (sandbox.path / "tmp/was-here").exists()
    assert not Path("/tmp/was-here").exists()


def test_the_extension_modules_load_in_the_sandbox(sandbox: Sandbox) -> None:
    code = "import ssl, sqlite3, ctypes, lzma, bz2, zlib, pyinfra, paramiko, pydantic, gostead"
    sandbox.python("-c", code, check=True)


def test_the_sandbox_has_no_network_but_loopback(sandbox: Sandbox) -> None:
    interfaces = sandbox.run(["ls", "/sys/class/net"], check=True).stdout.split()
    assert interfaces == ["lo"]
    assert sandbox.run(["cat", "/sys/class/net/lo/operstate"]).stdout != "down\n"


def test_root_in_the_sandbox_cannot_turn_the_machines_screws(sandbox: Sandbox) -> None:
    """Tried with the values that are set: a sandbox that lets it happen does no harm either."""
    setting = "/proc/sys/kernel/panic"
    done = sandbox.run(f"value=$(cat {setting}) && echo $value > {setting}")
    assert done.returncode != 0
    assert sandbox.run('date -s "$(date +%H:%M:%S)"').stderr.startswith("date: cannot set date")
    assert sandbox.run("ls /proc/1/root").stdout == sandbox.run("ls /").stdout


def test_the_roots_own_processes_are_all_it_sees(sandbox: Sandbox) -> None:
    seen = sandbox.run("ls /proc | grep -E '^[0-9]+$' | wc -l", check=True).stdout
    assert int(seen) < 10 < len([p for p in Path("/proc").iterdir() if p.name.isdigit()])


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("chmod 0700 /usr/bin/id", "usr/bin/id"),
        ("chown deploy /etc/motd", "etc/motd"),
        ("printf x >> /etc/issue", "etc/issue"),
        ("ln -sfn ../nowhere /etc/os-release", "etc/os-release"),
        ("mkdir /opt/empty", "opt/empty"),
        ("touch /tmp/.hidden", "tmp/.hidden"),
        ("rm /usr/bin/zsh", "usr/bin/zsh"),
        ("ln /etc/motd /etc/motd2", "etc/motd2"),
        ("chattr +i /etc/motd; mkfifo /srv/pipe", "srv/pipe"),
    ],
)
def test_the_digest_sees(sandbox: Sandbox, command: str, path: str) -> None:
    before = sandbox.digest()
    assert sandbox.digest() == before
    sandbox.run(command, check=True)
    after = sandbox.digest()
    assert after.hexdigest != before.hexdigest
    assert path in {line.split()[1].rstrip(":") for line in before.changes(after)}
    sandbox.run("chattr -i /etc/motd")


def test_the_digest_with_times_sees_a_file_that_came_and_went(sandbox: Sandbox) -> None:
    before, timed = sandbox.digest(), sandbox.digest(times=True)
    sandbox.run("touch /tmp/x && rm /tmp/x", check=True)
    assert sandbox.digest() == before
    assert [line.split(":")[0] for line in timed.changes(sandbox.digest(times=True))] == ["~ tmp"]


def test_the_digest_reads_bytes_that_a_bounded_root_changed(make_root: Callable[..., Root]) -> None:
    root = make_root(size="32m")
    before = root.digest()
    root.run(
        "printf 'X' | dd of=/etc/issue bs=1 conv=notrunc && touch -d @1 /etc/issue", check=True
    )
    assert [line.split(":")[0] for line in before.changes(root.digest())] == ["~ etc/issue"]


def test_a_bounded_root_is_full_when_it_is_full(make_root: Callable[..., Root]) -> None:
    root = make_root(size="8m")
    done = root.run("head -c 20000000 /dev/zero > /opt/x")
    assert "No space left" in done.stderr
    root = make_root(inodes=64)
    done = root.run("mkdir /opt/d; for i in $(seq 100); do : > /opt/d/$i || exit 3; done")
    assert done.returncode != 0


def test_a_command_that_takes_too_long_is_ended_with_its_children(sandbox: Sandbox) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        sandbox.run("sleep 777 & sleep 778; wait", timeout=0.3)
    assert "sleep 77" not in sandbox.run("ps ax", check=True).stdout


def test_a_cache_given_to_a_sandbox_is_never_written(
    make_sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    (tmp_path / "kept").write_text("as it was")
    sandbox = make_sandbox(go_cache=tmp_path)
    sandbox.run("echo new > ~/.cache/gostead/kept && echo x > ~/.cache/gostead/added", check=True)
    assert sandbox.run("cat ~/.cache/gostead/kept").stdout == "new\n"
    assert (tmp_path / "kept").read_text() == "as it was"
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_nothing_is_left_after_the_end(make_root: Callable[..., Root]) -> None:
    before = mounts("self")
    root = make_root()
    pid, base = root.pid, root.base
    root.run("(sleep 1000 & sleep 1001 &) >/dev/null 2>&1", check=True)
    root.close()
    assert not Path(f"/proc/{pid}").exists()
    assert not base.exists()
    assert mounts("self") == before


@pytest.mark.usefixtures("make_root")
def test_a_root_that_cannot_start_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    mine = f"gostead-test-{os.getpid()}-*"
    before = set(runs.runs_dir().glob(mine))
    root = Root(tmp_path / "no-such-root")
    with pytest.raises(RuntimeError, match="did not start: mount"):
        root.start()
    assert set(runs.runs_dir().glob(mine)) == before


KILLED_RUN = """
import json, sys
from tests.support.netns import Network
from tests.support.rootfs import debian
from tests.support.ssh_host import SshHost
from tests.support.sandbox import Sandbox
network = Network().__enter__()
host = SshHost(debian(), network, name="doomed").start()
sandbox = Sandbox().start()
host.run("sleep 4321 >/dev/null 2>&1 & echo")
bases = [str(host.base), str(sandbox.base)]
print(json.dumps([network.interface, [host.pid, sandbox.pid], bases]), flush=True)
sys.stdin.read()
"""


def test_after_sigkill_only_directories_are_left_and_the_sweep_takes_them(
    make_root: Callable[..., Root],
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED_RUN], cwd=PROJECT, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    ) as victim:  # fmt: skip
        assert victim.stdout is not None
        interface, pids, (host_base, sandbox_base) = json.loads(victim.stdout.readline())
        assert Path(f"/sys/class/net/{interface}").exists()
        assert Path(host_base) not in runs.sweep(), "a living run's directory was swept"
        victim.send_signal(signal.SIGKILL)
    left = [Path(f"/sys/class/net/{interface}"), *(Path(f"/proc/{pid}/root/etc") for pid in pids)]
    wait_until(lambda: not any(path.exists() for path in left), f"still there of {left}", 5, 0.01)
    assert Path(host_base).is_dir()
    runs.sweep()
    assert not Path(host_base).exists()
    assert not Path(sandbox_base).exists()
