"""gostead plan and gostead apply, as a person or a pipeline uses them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.report_schema import check_report
from tests.support.sandbox import Sandbox
from tests.support.site import Site, changes

Run = Callable[..., subprocess.CompletedProcess[str]]
GO = "/opt/gostead/toolchains/go1.27.3"
TERMINAL = """
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.executable, [sys.executable, "-m", "gostead", *sys.argv[2:]])
shown = b""
while True:
    try:
        piece = os.read(terminal, 65536)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    if b"[y/N]" in piece:
        os.write(terminal, sys.argv[1].encode() + b"\\n")
sys.stdout.write(shown.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""

#: As a person starts it.
pytestmark = pytest.mark.own_process


def test_a_plan_exits_2_and_writes_nothing(run: Run, ground: Sandbox) -> None:
    before = ground.digest(times=True)
    done = run("plan")
    assert done.returncode == 2
    assert "/opt/gostead/toolchains/go1.27.3: absent -> go1.27.3" in done.stdout
    assert before.changes(ground.digest(times=True)) == []


def test_apply_converges_and_the_second_run_changes_nothing(run: Run, ground: Sandbox) -> None:
    assert run("apply", "-y").returncode == 0
    after = ground.digest(times=True)
    done = run("apply", "-y")
    assert done.returncode == 0
    assert "as declared" in done.stdout
    assert after.changes(ground.digest(times=True)) == []
    assert run("plan").returncode == 0


def test_the_summary_says_what_a_new_shell_gets_and_how_to_undo(run: Run, site: Site) -> None:
    done = run("apply", "-y")
    assert "a new login shell gets: go version go1.27.3 linux/amd64" in done.stdout
    assert f"file://{site.mirror}" in done.stdout
    assert site.releases["1.27.3"].h1 in done.stdout
    assert "gostead remove" in done.stdout


def test_a_plan_under_yes_and_json_is_not_empty(site: Site, ground: Sandbox, run: Run) -> None:
    run("apply", "-y")
    ground.run(f"rm -rf {GO}/pkg/tool", check=True)
    report = site.plan(ground)
    check_report(report)
    assert report["exit"] == 2
    assert changes(report) == {GO: "planned"}
    report = site.apply(ground)
    check_report(report)
    assert (report["exit"], changes(report)) == (0, {GO: "changed"})


def test_json_is_alone_on_standard_output_or_in_its_file(
    run: Run, ground: Sandbox, site: Site
) -> None:
    check_report(json.loads(run("plan", "--json").stdout))
    done = run("plan", "--json", "/root/report.json")
    assert "@local" in done.stdout
    check_report(json.loads((ground.path / "root/report.json").read_text()))


def test_each_change_names_its_line(site: Site, ground: Sandbox) -> None:
    site.declare({"default": "1.26.8"})
    (row,) = [
        change
        for change in site.plan(ground)["hosts"]["@local"]["changes"]
        if change["item"] == "/opt/gostead/current"
    ]
    path, _, line = row["source"].rpartition(":")
    assert '"1.26.8"' in Path(path).read_text().splitlines()[int(line) - 1]


def test_without_a_terminal_and_without_yes_nothing_is_changed(run: Run, ground: Sandbox) -> None:
    before = ground.digest(times=True)
    done = run("apply")
    assert done.returncode == 1
    assert "hint: without a terminal, say -y" in done.stderr
    assert before.changes(ground.digest(times=True)) == []


@pytest.mark.parametrize(("answer", "code", "there"), [("n", 1, False), ("y", 0, True)])
def test_on_a_terminal_it_asks(
    answer: str, code: int, there: bool, ground: Sandbox, site: Site
) -> None:
    done = ground.python(
        "-c", TERMINAL, answer, "apply", "@local", "--declaration", str(site.declaration)
    )
    assert re.search(r"Make \d+ changes on this host\? \[y/N\]", done.stdout)
    assert done.returncode == code
    assert (ground.path / "opt/gostead").exists() is there


def test_a_wrong_declaration_tells_all_problems_at_once(run: Run, site: Site) -> None:
    site.declare({"defualt": "1.27.3", "keep": -1})
    done = run("apply", "-y")
    assert done.returncode == 1
    assert "did you mean default?" in done.stderr
    assert "go.toolchains.keep" in done.stderr


def test_a_saved_plan_is_applied_exactly(run: Run, ground: Sandbox) -> None:
    assert run("plan", "--out", "/root/plan.json").returncode == 2
    assert run("apply", "-y", "--plan", "/root/plan.json").returncode == 0
    assert run("plan").returncode == 0


def test_a_saved_plan_is_refused_when_the_host_changed(run: Run, ground: Sandbox) -> None:
    run("apply", "-y")
    ground.run("rm /opt/gostead/env.sh", check=True)
    run("plan", "--out", "/root/plan.json")
    ground.run("rm /usr/local/bin/gofmt", check=True)
    done = run("apply", "-y", "--plan", "/root/plan.json")
    assert done.returncode == 1
    assert "1 changes are new" in done.stderr
    assert not (ground.path / "opt/gostead/env.sh").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plan", "nowhere.py"), "the inventory nowhere.py does not exist"),
        (("plan", "@local", "--limit", "web9"), "--limit web9 matches no host and no group"),
        (("plan", "@local", "--declaration", "/nowhere"), "/nowhere"),
        (("plan", "@local", "--plan", "x"), "No such option"),
    ],
)
def test_what_matches_nothing_is_an_error(
    words: tuple[str, ...], said: str, ground: Sandbox
) -> None:
    done = ground.gostead(*words, cwd="/")
    assert done.returncode == 1
    assert said in done.stderr


def test_only_the_asked_subjects(run: Run, site: Site, ground: Sandbox) -> None:
    report = site.apply(ground, "--subject", "toolchains")
    assert {change["subject"] for change in report["hosts"]["@local"]["changes"]} == {"toolchains"}


def test_deep_finds_and_mends_what_times_do_not_show(run: Run, ground: Sandbox) -> None:
    """As a failing disk: other bytes, and a stamp that fits the file's new times."""
    run("apply", "-y")
    name = f"{GO}/src/fmt/print.go"
    ground.run(f"printf X | dd of={name} bs=1 seek=3 conv=notrunc", check=True)
    stamp = "/opt/gostead/state/stamps/go1.27.3"
    awk = '{ n++; s += int($1); if ($2 "" > m "") m = $2 } END { printf "%d %.0f %s", n, s, m }'
    summary = f"cd {GO}; find . -printf '%C@ %C@\\n' | awk '{awk}'"
    ground.run(
        f"new=$({summary}); old=$(head -n 1 {stamp}); "
        f'printf \'1 %s %s\\nsomewhere\\n\' "$new" "${{old##* }}" > {stamp}',
        check=True,
    )
    assert run("plan").returncode == 0
    assert "src/fmt/print.go (changed)" in run("plan", "--deep").stdout
    assert run("apply", "-y", "--deep").returncode == 0
    assert run("plan", "--deep").returncode == 0


def test_explain_names_the_file_and_line_of_each_value(run: Run, site: Site) -> None:
    site.declare({"keep": 2})
    done = run("plan", "--explain")
    assert f"toolchains.keep: 2  [{site.declaration}/all.yaml:" in done.stdout
    assert "toolchains.links: auto  [built-in default]" in done.stdout


def test_nothing_to_do_is_one_command_on_the_host(run: Run, ground: Sandbox, site: Site) -> None:
    run("apply", "-y")
    code = (
        "import sys\nfrom gostead.cli.startup import prepare\nprepare()\n"
        "from gostead import transport\nreal, calls = transport.run, []\n"
        "transport.run = lambda *a, **k: (calls.append(1), real(*a, **k))[1]\n"
        "from gostead.cli.commands import run\n"
        f"code = run(['apply', '@local', '-y', '--declaration', '{site.declaration}'])\n"
        "print('commands:', len(calls)); sys.exit(code)"
    )
    done = ground.python("-c", code)
    assert "commands: 1" in done.stdout, done.stdout + done.stderr


def test_a_host_does_not_steer_the_terminal(run: Run, ground: Sandbox) -> None:
    run("apply", "-y")
    ground.run("ln -sfn \"$(printf 'x\\033[31mred')\" /opt/gostead/current", check=True)
    done = run("plan")
    assert "\033" not in done.stdout
    assert "x\\x1b[31mred -> go1.27.3" in done.stdout
