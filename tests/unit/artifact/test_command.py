"""The words of `gostead audit --artifact`, and what it does not load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.artifacts import audit
from tests.support.binaries import macho


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "good").write_bytes(macho())
    (tmp_path / "bad").write_bytes(macho(flags=None))
    (tmp_path / "-odd name").write_bytes(macho("amd64"))
    return tmp_path


def test_several_files_may_follow(files: Path) -> None:
    done = audit("--artifact", "good", "bad", "--json", "out", cwd=files)
    assert done.code == 2
    report = json.loads((files / "out").read_text())
    assert [*report["artifacts"]] == ["good", "bad"]
    assert report["hosts"] == {}
    assert report["totals"] == {
        "clean": 1, "pending": 1, "changed": 0, "failed": 0, "unreachable": 0
    }  # fmt: skip
    assert "bad: Mach-O program, arm64" in done.out
    again = audit("--artifact", "good", "--artifact=-odd name", "good", cwd=files)
    assert again.code == 0
    assert [line for line in again.lines if "Mach-O program" in line] == [
        "good: Mach-O program, arm64 (0.0 MB)", "-odd name: Mach-O program, amd64 (0.0 MB)",
    ]  # fmt: skip


def test_json_alone_is_on_standard_output(files: Path) -> None:
    done = audit("--artifact", "good", "--json", cwd=files)
    assert json.loads(done.out)["artifacts"]["good"]["status"] == "clean"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["@local", "--artifact", "good"], "--artifact asks no host: what is @local?"),
        (["--artifact", "good", "--deep"], "--deep means nothing beside it"),
        (["--artifact", "good", "--project", "."], "--project means nothing beside it"),
        (["--artifact"], "requires an argument"),
    ],
)
def test_words_that_do_not_go_together_are_refused(
    files: Path, words: list[str], said: str
) -> None:
    done = audit(*words, cwd=files)
    assert (done.code, done.out) == (1, "")
    assert said in done.err


def test_no_declaration_and_no_inventory_is_needed(files: Path) -> None:
    assert not (files / "group_data").exists()
    assert audit("--artifact", "good", cwd=files).code == 0


def test_it_loads_neither_the_library_nor_what_asks_hosts() -> None:
    script = (
        "import sys; import gostead.cli.commands, gostead.cli.artifacts\n"
        "print([name for name in ('lief', 'pyinfra', 'paramiko', 'testinfra', 'jinja2') "
        "if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
