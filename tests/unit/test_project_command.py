"""gostead audit --project, as a person or a pipeline uses it: no host is asked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gostead.cli.projecting import Offer, judge
from gostead.declaration.project import find
from tests.support.report_schema import check_report

PINNED = ("1.25.14", "1.26.8", "1.27.3")
MOD = "module example.com/m\n"


class Ground:
    """A project, a declaration, and the command over both."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.layers = directory / "app", directory / "layers"
        self.directory.mkdir()
        self.layers.mkdir()
        self.declare("{}")

    def declare(self, text: str, layer: str = "all") -> None:
        (self.layers / f"{layer}.yaml").write_text(f"go: {text}\n")

    def write(self, text: str | bytes, name: str = "go.mod") -> None:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)

    def audit(self, *words: str, hosts: str = "@local") -> tuple[int, str]:
        options = ["--declaration", str(self.layers), "--project", str(self.directory)]
        # Not in this process: pyinfra's reader of inventories replaces threads with gevent's.
        done = subprocess.run(
            [sys.executable, "-m", "gostead", "audit", hosts, *options, *words],
            capture_output=True,
            text=True,
        )
        assert "Traceback" not in done.stdout + done.stderr
        return done.returncode, done.stdout + done.stderr

    def judged(self, lines: str, offer: Offer) -> tuple[str, str, str]:
        self.write(MOD + lines + "\n")
        (row,) = judge(find(str(self.directory)), offer)
        return row.severity, row.what, row.mend


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


def test_satisfied_by_the_default(ground: Ground) -> None:
    ground.declare('{toolchains: {default: "1.27.3"}}')
    ground.write(MOD + "go 1.27\n")
    code, said = ground.audit()
    assert code == 0
    assert "+ go.mod:2 (example.com/m, go 1.27): satisfied by the default, go1.27.3" in said


def test_satisfied_by_a_version_beside_it(ground: Ground) -> None:
    ground.declare('{scope: system, toolchains: {default: "1.25.14", versions: ["1.27.3"]}}')
    ground.write(MOD + "go 1.27\n")
    code, said = ground.audit()
    assert code == 0
    assert "satisfied by go1.27.3 beside the default" in said
    assert "PATH=/opt/gostead/profiles/go1.27.3/bin:$PATH" in said
    assert "go would download go1.27.0" in said


@pytest.mark.parametrize(
    ("lines", "offer", "what", "mend"),
    [
        (
            "go 1.99.0",
            Offer("1.27.3", setting="local", known=PINNED),
            "go: go.mod requires go >= 1.99.0 (running go 1.27.3; GOTOOLCHAIN=local)",
            'declare `toolchains: {default: "1.99.0"}` (with its pin: none is shipped), or '
            "change go.mod:2 to an older go, where the code allows it",
        ),
        (
            "go 1.26",
            Offer("1.25.14", known=PINNED),
            "go would download go1.26.0, which is not declared (go 1.26)",
            'declare `toolchains: {default: "1.26.8"}`, or '
            "change go.mod:2 to an older go, where the code allows it",
        ),
        (
            "go 1.26\ntoolchain go1.28.1",
            Offer("1.27.3", known=PINNED),
            "go would download go1.28.1, which is not declared (toolchain go1.28.1)",
            'declare `toolchains: {default: "1.28.1"}` (with its pin: none is shipped), or '
            "declare `env: {GOTOOLCHAIN: local}`: go1.27.3 serves then",
        ),
        (
            "go 1.26",
            Offer("1.27.3", setting="go1.24.0", known=PINNED),
            "go: go.mod requires go >= 1.26 (running go 1.24.0; GOTOOLCHAIN=go1.24.0)",
            "declare `env: {GOTOOLCHAIN: local}`: go1.27.3 serves then",
        ),
        (
            "go 1.27.3",
            Offer("1.26.8", setting="go1.24.0", known=PINNED),
            "go: go.mod requires go >= 1.27.3 (running go 1.24.0; GOTOOLCHAIN=go1.24.0)",
            'declare `toolchains: {default: "1.27.3"}` and `env: {GOTOOLCHAIN: local}`, or '
            "change go.mod:2 to an older go, where the code allows it",
        ),
        (
            "go 1.28\ntoolchain default",
            Offer("1.27.3"),
            "go: go.mod requires go >= 1.28 (running go 1.27.3; go.mod sets toolchain default)",
            'declare `toolchains: {default: "1.28.0"}` (with its pin: none is shipped), or '
            "change go.mod:2 to an older go, where the code allows it",
        ),
        (
            "go 1.19\ntoolchain go1.20.1",
            Offer("1.20.14", known=PINNED),
            "go1.20.14 does not know a line such as `toolchain go1.20.1`",
            'declare `toolchains: {default: "1.25.14"}`, or take go.mod:3 out',
        ),
        (
            "go 1.99alpha1",
            Offer("1.27.3", setting="path"),
            'go: cannot find "go1.99alpha1" in PATH',
            'declare `toolchains: {default: "1.99.0"}` (with its pin: none is shipped), or '
            "change go.mod:2 to an older go, where the code allows it",
        ),
    ],
)
def test_not_satisfied_and_what_to_change(
    ground: Ground, lines: str, offer: Offer, what: str, mend: str
) -> None:
    assert ground.judged(lines, offer) == ("error", f"not satisfied: {what}", mend)


@pytest.mark.parametrize(
    ("lines", "offer"),
    [
        ("", Offer("1.16.15")),
        ("go 1.27rc1", Offer("1.27.3")),
        ("go 1.27.3", Offer("1.27.3", setting="go1.27.3")),
        ("go 1.20\ntoolchain go1.99.0", Offer("1.27.3", setting="local")),
        ("go 1.20\ntoolchain default", Offer("1.27.3")),
        ("go 1.26\ntoolchain go1.27.3-corp", Offer("1.27.3")),
    ],
)
def test_what_the_default_does(ground: Ground, lines: str, offer: Offer) -> None:
    assert ground.judged(lines, offer) == (
        "note",
        f"satisfied by the default, go{offer.default}",
        "",
    )


def test_a_version_beside_it_that_would_switch_away_does_not_count(ground: Ground) -> None:
    offer = Offer("1.25.14", ("1.27.3",))
    assert ground.judged("go 1.26\ntoolchain go1.28.1", offer)[0] == "error"


def test_a_workspace_is_told_module_by_module(ground: Ground) -> None:
    ground.declare('{toolchains: {default: "1.27.3"}}')
    ground.write("go 1.26\nuse (\n\t. // the app\n\t./tools\n)\n", "go.work")
    ground.write(MOD + "go 1.26\ntoolchain go1.99.0\n")  # go reads go.work's toolchain line alone
    ground.write("module example.com/tools\ngo 1.27.1\n", "tools/go.mod")
    code, said = ground.audit()
    assert code == 2
    assert "+ go.work:1 (go 1.26): satisfied by the default, go1.27.3\n" in said
    assert "satisfied by the default, go1.27.3, as go.work\n" in said
    assert (
        "go: module tools listed in go.work file requires go >= 1.27.1, but go.work lists go 1.26; "
        "to update it: go work use\n      write go 1.27.1 into go.work:1" in said
    )
    ground.write("go 1.27.1\nuse (\n\t.\n\t./tools\n)\n", "go.work")
    assert ground.audit()[0] == 0
    ground.write("use ./tools\n", "go.work")
    code, said = ground.audit()
    assert code == 2
    assert "but go.work implicitly requires go 1.18" in said
    assert "! go.mod: not satisfied: go.work does not use it" in said
    ground.write("module example.com/tools\ngo 1.99\n", "tools/go.mod")
    assert 'use` do it; then declare `toolchains: {default: "1.99.0"}`' in ground.audit()[1]


def test_the_report(ground: Ground, tmp_path: Path) -> None:
    ground.declare("{}")
    ground.write(MOD + "go 1.99\n")
    code, said = ground.audit("--json")
    report = json.loads(said)
    check_report(report)
    assert code == 2
    assert report["hosts"]["@local"]["status"] == "pending"
    (finding,) = report["hosts"]["@local"]["findings"]
    assert (finding["subject"], finding["where"]) == ("project", "go.mod:2")
    assert ground.audit("--json", str(tmp_path / "report.json"))[1].startswith("@local: default")
    assert json.loads((tmp_path / "report.json").read_text())["totals"]["pending"] == 1


def test_hosts_with_the_same_declaration_are_told_together(ground: Ground) -> None:
    ground.declare('{toolchains: {default: "1.26.8"}}')
    ground.declare('{toolchains: {default: "1.27.3"}}', "darwin")
    ground.write(MOD + "go 1.27\n")
    code, said = ground.audit(hosts="h1.invalid,h2.invalid")
    assert code == 2
    assert "h1.invalid (if it is linux), h2.invalid (if it is linux): default go1.26.8" in said
    assert "h1.invalid (if it is darwin), h2.invalid (if it is darwin): default go1.27.3" in said


def test_a_declaration_that_takes_go_away(ground: Ground) -> None:
    ground.declare("{state: absent}")
    ground.write(MOD)
    code, said = ground.audit()
    assert code == 2
    assert "the declaration takes Go away" in said


def test_declared_settings_count(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTING", "go1.24.0-hidden")
    ground.declare("{env: {GOTOOLCHAIN: !env SETTING}}")
    ground.write(MOD + "go 1.27\n")
    code, said = ground.audit()
    assert code == 2
    assert "GOTOOLCHAIN=***" in said
    assert "hidden" not in said


def test_without_workspaces_go_work_is_not_read(ground: Ground) -> None:
    ground.write("broken", "go.work")
    ground.write(MOD + "go 1.20\n")
    assert ground.audit()[0] == 1
    ground.declare('{env: {GOWORK: "off", GOTOOLCHAIN: local}}')
    code, said = ground.audit()
    assert code == 0
    assert "GOTOOLCHAIN=local" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("module x\ngo 1.22;id\n", "go.mod:2: invalid go version '1.22;id'"),
        ("module x\ngo 1.22\x1b[2J\n", "go.mod:2: syntax error: unexpected character '\\x1b'"),
        (b"\x7fELF\x00\xff", "go.mod:1: syntax error: unexpected character '\\x7f'"),
        ("module x\nrequire (\n", "go.mod:3: syntax error (unterminated block started at line 2)"),
        (b"a" * 10_000_000, "go.mod: larger than 1048576 bytes"),
    ],
    ids=["version", "escape", "binary", "block", "huge"],
)
def test_what_cannot_be_read_is_a_message(ground: Ground, content: str | bytes, said: str) -> None:
    ground.write(content)
    code, shown = ground.audit()
    assert code == 1
    assert f"error: {ground.directory}/{said}" in shown
    assert len(shown) < 1000


def test_a_name_cannot_steer_the_terminal(ground: Ground) -> None:
    ground.write('module "x\x1b[2J\u202e"\ngo 1.20\n')
    code, said = ground.audit()
    assert code == 0
    assert "\x1b" not in said
    assert "\u202e" not in said
    ground.write("use `a\x1b[2J`\n", "go.work")
    code, said = ground.audit()
    assert code == 1
    assert "leads nowhere" in said
    assert "\x1b" not in said


def test_what_asks_hosts_does_not_go_with_it(ground: Ground) -> None:
    ground.write(MOD)
    for option in ("--deep", "--build"):
        code, said = ground.audit(option)
        assert (code, "asks no host" in said) == (1, True)
