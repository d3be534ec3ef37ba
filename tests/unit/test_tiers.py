"""script/test counts: what ran, what could not, what that means for the exit status."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import tiers
from tests.support.cache import PROJECT

CONFTEST = """
import json, os
def pytest_terminal_summary(terminalreporter):
    counts = {k: len(terminalreporter.stats.get(k, [])) for k in ("passed", "failed", "skipped")}
    with open(os.environ["GOSTEAD_TEST_SUMMARY"], "w") as file:
        json.dump({"counts": counts, "skipped": []}, file)
"""
PASSES = "def test_that_passes(): pass\n"
FAILS = "def test_that_fails(): assert 0\n"
SLOW = "import pytest\n@pytest.mark.slow\ndef test_that_is_slow(): pass\n"

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the tiers over small files: name -> content."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(tiers, "why_no_hosts", lambda: "no root here")
    monkeypatch.setattr(tiers, "WORKERS", 0)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  slow: slow\n  network: network\n")

    def run(files: dict[str, str], *arguments: str) -> tuple[int, str]:
        kinds: dict[str, dict[str, Any]] = {
            "unit": {}, "hosts": {"needs_hosts": True}, "faults": {}, "vm": {"with_all_only": True}
        }  # fmt: skip
        chosen = [
            tiers.Tier(name, "", **{"needs_hosts": False, **how})
            for name, how in kinds.items() if name in files
        ]  # fmt: skip
        monkeypatch.setattr(tiers, "TIERS", tuple(chosen))
        for name, text in files.items():
            shutil.rmtree(tmp_path / "tests" / name, ignore_errors=True)
            (tmp_path / "tests" / name).mkdir()
            (tmp_path / "tests" / name / f"test_{name}.py").write_text(text)
        status = tiers.main([*arguments])
        return status, capfd.readouterr().out

    return run


def test_all_passed(run: Run) -> None:
    status, said = run({"unit": PASSES, "faults": PASSES})
    assert status == 0
    assert said.splitlines()[-1].startswith("==== 2 passed in ")


def test_one_failure_fails_the_whole_and_the_other_tiers_still_run(run: Run) -> None:
    status, said = run({"unit": FAILS, "faults": PASSES})
    assert status == 1
    assert "==== 1 passed, 1 failed, tiers failed: unit in " in said
    assert "  faults     ok" in said


def test_a_tier_in_which_nothing_ran_is_a_failure(run: Run) -> None:
    status, said = run({"unit": PASSES, "faults": ""})
    assert status == 1
    assert "no test ran" in said


def test_a_choice_may_leave_tiers_empty_but_not_all(run: Run) -> None:
    assert run({"unit": PASSES, "faults": ""}, "-k", "passes")[0] == 0
    assert run({"unit": PASSES, "faults": ""}, "-k", "nothing_like_that")[0] == 1


def test_slow_tests_run_with_all_only(run: Run) -> None:
    assert "1 passed" in run({"unit": PASSES + SLOW})[1]
    assert "==== 2 passed" in run({"unit": PASSES + SLOW}, "--all")[1]


def test_a_tier_that_takes_minutes_is_told_and_run_with_all_only(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")  # there, too, it is what --all is for
    status, said = run({"unit": PASSES, "vm": FAILS})
    assert status == 0
    assert "not run: takes minutes: script/test --all runs it" in said
    assert "1 failed" in run({"unit": PASSES, "vm": FAILS}, "--all")[1]


def test_a_tier_that_cannot_run_is_told_and_fails_under_ci(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, said = run({"unit": PASSES, "hosts": FAILS})
    assert status == 0
    assert "skipped" in said
    assert "no root here" in said
    monkeypatch.setenv("CI", "true")
    status, said = run({"unit": PASSES, "hosts": FAILS})
    assert status == 1
    assert "tiers failed: hosts" in said


def test_every_directory_of_tests_is_a_tier_or_known_not_to_be() -> None:
    directories = {
        path.name
        for path in (PROJECT / "tests").iterdir()
        if path.is_dir() and "__" not in path.name
    }
    assert directories - {tier.name for tier in tiers.TIERS} <= {"support", "bench", "mac"}
