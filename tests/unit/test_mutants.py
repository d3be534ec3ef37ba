"""What runs the mutants of the stand-in of Macs tells what survives, and leaves nothing behind."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.hosts.darwin.mutants import HERE, Mutant, chosen, load, of_the_day, prove
from tests.support.cache import cache_dir

TEST = """\
from pathlib import Path

ANSWER = Path(__file__).with_name("answer")


def test_read():
    assert "version: 26" in ANSWER.read_text()


def test_not_read():
    assert ANSWER.exists()
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose tests read one line of two."""
    monkeypatch.setenv("GOSTEAD_TEST_CACHE", str(tmp_path / "cache"))
    at = tmp_path / "project" / HERE
    at.mkdir(parents=True)
    (at / "test_answer.py").write_text(TEST)
    (at / "answer").write_text("version: 26\nvolume: /\n")
    return tmp_path / "project"


def mutant(old: str, test: str = "test_read") -> Mutant:
    """A mutant of the one file of that project."""
    return Mutant(f"answer: {old}", "answer", old, "exchanged", (f"test_answer.py::{test}",))


def test_what_is_noticed_and_what_survives(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prove([mutant("version: 26")], project) == 0
    assert prove([mutant("volume"), mutant("version: 26", "test_not_read")], project) == 1
    said = capsys.readouterr().out
    assert "noticed: answer: version: 26\n" in said
    assert "SURVIVED: answer: volume (" in said
    assert "SURVIVED: answer: version: 26 (" in said
    assert said.endswith("stand-in says: 2 SURVIVED\n")
    assert (project / HERE / "answer").read_text() == "version: 26\nvolume: /\n"
    assert not (cache_dir() / "mutants").exists()


def test_a_mutant_that_does_not_apply_is_no_success(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prove([mutant("gone"), mutant("v")], project) == 1
    said = capsys.readouterr().out
    assert "DOES NOT APPLY: answer: gone (answer has 0 times: 'gone')" in said
    assert "DOES NOT APPLY: answer: v (answer has 2 times: 'v')" in said


def test_tests_that_fail_by_themselves_prove_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / HERE / "answer").write_text("version: 25\n")
    assert prove([mutant("version: 25")], project) == 1
    assert "without any mutant, the tests do not pass: 1 failed" in capsys.readouterr().out
    assert not (cache_dir() / "mutants").exists()


def test_no_test_of_that_name_is_no_success(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prove([mutant("version: 26", "test_that_is_gone")], project) == 1
    assert "the tests do not pass" in capsys.readouterr().out


def test_the_catalogue_is_read_and_each_mutant_applies_once() -> None:
    mutants, unread = load()
    here = Path(__file__).parents[1] / "hosts/darwin"
    for one in mutants:
        assert (here / one.file).read_text().count(one.old) == 1, one.name
        assert one.old != one.new, one.name
        for test in one.tests:
            assert (here / test.partition("::")[0]).is_file(), one.name
    assert all(one.answer and one.why for one in unread)
    assert chosen(mutants, ["sw_vers"])
    with pytest.raises(ValueError, match="no mutant is called 'nobody'"):
        chosen(mutants, ["nobody"])


def test_each_has_its_day() -> None:
    mutants, _ = load()
    first = date(2026, 12, 24)
    days = [of_the_day(mutants, first + timedelta(n)) for n in range(len(mutants) // 6 + 1)]
    assert all(len({one.name for one in day}) == 6 for day in days)
    assert {one.name for day in days for one in day} == {one.name for one in mutants}
    assert of_the_day(mutants, first) == days[0]
    assert not set(days[0]) & set(days[1])
