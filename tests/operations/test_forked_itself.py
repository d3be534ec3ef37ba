"""What a test gets from a fork of gostead is what it would get from the command itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import preloaded
from tests.support.cache import PROJECT
from tests.support.fault_driver import Fault
from tests.support.faults import Ground
from tests.support.root import DROPPED
from tests.support.sandbox import Sandbox
from tests.support.site import Site


@pytest.fixture(autouse=True)
def forking(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where GOSTEAD_TEST_FORKS=0 has all other tests start the command itself."""
    if request.node.get_closest_marker("own_process") is None:
        monkeypatch.setattr(preloaded, "_own_process", False)


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The arguments of all that was forked."""
    known: Any = preloaded.run
    seen = []

    def run(arguments: Any, **options: Any) -> Any:
        seen.append(tuple(arguments))
        return known(arguments, **options)

    monkeypatch.setattr(preloaded, "run", run)
    return seen


def both(
    sandbox: Sandbox, forks: list[tuple[str, ...]], *words: str, **options: Any
) -> tuple[subprocess.CompletedProcess[str], subprocess.CompletedProcess[str]]:
    """The same command as a fork, and as a process of its own."""
    forked = sandbox.gostead(*words, **options)
    assert len(forks) == 1
    with preloaded.processes_of_their_own():
        own = sandbox.gostead(*words, **options)
    assert len(forks) == 1
    return forked, own


@pytest.mark.parametrize("user", ["root", "deploy"])
@pytest.mark.parametrize("words", [
    ("plan", "@local", "--json"),
    ("plan", "@local"),
    ("explain", "go", "@local"),
    ("apply", "@local"),
    ("plan", "nowhere.py"),
    ("plan", "--nonsense"),
    ("--help",),
])  # fmt: skip
def test_it_says_the_same(
    words: tuple[str, ...], user: str, site: Site, ground: Sandbox, forks: list[tuple[str, ...]]
) -> None:
    directory = str(site.directory)
    forked, own = both(ground, forks, *words, user=user, cwd=directory, input="n\n")
    changing = re.compile(r'"run": "[^"]*"|[-0-9]+T[:0-9]+Z|"seconds": [0-9.]+|\([0-9.]+ s\)')
    assert own.stdout + own.stderr != ""
    for name in ("stdout", "stderr"):
        told = [changing.sub("", getattr(done, name)) for done in (forked, own)]
        assert told[0] == told[1]
    assert forked.returncode == own.returncode


#: An inventory, which gostead reads by running it: what its process has found.
LOOK = """
import json, os, sys
status = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines())
kept = ("Uid", "Gid", "Groups", "CapBnd", "CapEff", "CapPrm", "SigIgn", "SigBlk", "Umask")
opened = [f"/proc/self/fd/{n}" for n in range(3, 64) if os.path.exists(f"/proc/self/fd/{n}")]
print(json.dumps([
    dict(os.environ), os.getcwd(), sorted(map(os.readlink, opened)),
    {name: status[name].strip() for name in kept}, os.listdir("/"), os.uname().nodename,
    sys.stdout.encoding, sys.stdout.errors, sys.stderr.errors, sys.dont_write_bytecode,
]))
"""


@pytest.mark.parametrize("user", ["root", "deploy"])
def test_it_finds_the_same(user: str, ground: Sandbox, forks: list[tuple[str, ...]]) -> None:
    (ground.path / "srv/inventory.py").write_text(LOOK + 'hosts = ["@local"]\n')
    forked, own = both(ground, forks, "plan", "/srv/inventory.py", "--json", user=user, cwd="/srv")
    found = [json.loads(done.stdout.splitlines()[0]) for done in (forked, own)]
    assert found[0] == found[1]


@pytest.mark.parametrize(("said", "code"), [("7", 7), ("None", 0), ("'no more'", 1)])
def test_without_a_locale_it_finds_the_same(said: str, code: int, tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.py"
    inventory.write_text(LOOK + f"raise SystemExit({said})\n")
    command = [*preloaded.FACE, "plan", str(inventory)]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(PROJECT)}
    forked = preloaded.run(command, env=env, cwd="/", timeout=60)
    own = subprocess.run(
        ["setpriv", f"--bounding-set={DROPPED}", sys.executable, *command], env=env, cwd="/",
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert (forked.returncode, own.returncode) == (code, code)
    assert forked.stderr == own.stderr
    assert json.loads(forked.stdout) == json.loads(own.stdout)


def test_what_takes_too_long_is_ended_with_all_its_children(site: Site, ground: Sandbox) -> None:
    hanging = Fault(first="sleep 4321")
    with pytest.raises(subprocess.TimeoutExpired):
        Ground(ground, site).apply(fault=hanging, timeout=3)
    assert ground.run("pgrep -x sleep -a | grep 4321").stdout == ""


def test_what_dies_by_a_signal_is_told_so(ground: Sandbox) -> None:
    (ground.path / "srv/inventory.py").write_text("import os\nos.kill(os.getpid(), 9)\n")
    assert ground.gostead("plan", "/srv/inventory.py").returncode == -9


def test_where_no_fork_can_be_made_it_says_why(ground: Sandbox) -> None:
    with pytest.raises(RuntimeError, match="No such file or directory"):
        ground.gostead("plan", cwd="/nowhere")


@pytest.mark.parametrize("env", [
    {"LC_ALL": "C"}, {"PYTHONPATH": "/elsewhere"}, {"PYTHONUTF8": "0"}, {"LANG": "de_DE.UTF-8"},
])  # fmt: skip
def test_what_only_a_new_interpreter_does_is_left_to_one(env: dict[str, str]) -> None:
    assert preloaded.can_fork(preloaded.FACE, {"PATH": "/bin"})
    assert not preloaded.can_fork(preloaded.FACE, env)


@pytest.mark.own_process
def test_a_marked_test_starts_the_command_itself(
    ground: Sandbox, forks: list[tuple[str, ...]]
) -> None:
    assert ground.gostead("--version").returncode == 0
    assert forks == []
