"""Spans of time: what is accepted, what they come to, and what is said of others."""

from __future__ import annotations

import pytest

from gostead.declaration import DeclarationError
from gostead.declaration.durations import check_duration, seconds, spoken

from .conftest import Declare


@pytest.mark.parametrize(
    ("text", "expected"), [("1s", 1), ("30m", 1800), ("2h", 7200), ("1d", 86400), ("90m", 5400)]
)
def test_a_number_and_a_unit(text: str, expected: int) -> None:
    assert seconds(check_duration(text)) == expected


@pytest.mark.parametrize(
    "text", ["", "0s", "00m", "05m", "-1h", "1.5h", "1h30m", "1H", "1 h", "1w", "1h\n", "9999999s"]
)
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="30m, 2h"):
        check_duration(text)
    with pytest.raises(ValueError, match="no span"):
        seconds(text)


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, "0 s"), (-3, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"),
     (200_000, "2 days")],
)  # fmt: skip
def test_how_they_are_said(number: int, expected: str) -> None:
    assert spoken(number) == expected


@pytest.mark.parametrize("text", ["30", "0m", "1h30m", "true"])
def test_a_declaration_says_where_and_what_is_expected(declare: Declare, text: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        declare(f"{{go: {{orphans: {{min_age: {text}}}}}}}")
    (problem,) = caught.value.problems
    assert problem.key == "go.orphans.min_age"
    assert "a span of time with its unit: 30m, 2h, 90s, 1d" in str(problem)
