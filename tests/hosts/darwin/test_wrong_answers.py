"""That a wrong answer of the stand-in makes a test fail: of all of them, those whose turn it is."""

from __future__ import annotations

import sys
from datetime import date

import pytest

from tests.hosts.darwin.mutants import load, of_the_day, prove
from tests.support.requirements import need_hosts


@pytest.mark.slow
def test_the_wrong_answers_of_the_day_are_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    """By themselves: python -m tests.hosts.darwin.mutants --today"""
    need_hosts()
    mutants = of_the_day(load()[0], date.today())
    with capsys.disabled():
        names = "".join(f"\n  {one.name}" for one in mutants)
        print(f"\nwrong answers of {date.today()}:{names}", file=sys.stderr, flush=True)
    verdict = prove(mutants)
    assert verdict == 0, capsys.readouterr().out
