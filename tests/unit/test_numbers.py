from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyapp import numbers
from pyapp.numbers import ENGLISH, Marks

ROOT = Path(__file__).resolve().parents[2]
GERMAN = Marks(group=".", decimal=",", weekdays=("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"))
INDIAN = Marks(further=2)
SPANISH = Marks(group=".", decimal=",", shortest=5)


@pytest.fixture(autouse=True)
def english_afterwards() -> Iterator[None]:
    yield
    numbers.use(ENGLISH)


@pytest.mark.parametrize(
    ("marks", "counts", "decimals"),
    [
        (ENGLISH, ["0", "-12", "1,234", "1,234,567"], ["1.50", "-1,234.57"]),
        (GERMAN, ["0", "-12", "1.234", "1.234.567"], ["1,50", "-1.234,57"]),
        (INDIAN, ["0", "-12", "1,234", "12,34,567"], ["1.50", "-1,234.57"]),
        (SPANISH, ["0", "-12", "1234", "1.234.567"], ["1,50", "-1234,57"]),
    ],
)
def test_numbers_are_written_with_the_marks_of_the_locale(marks: Marks, counts: list[str], decimals: list[str]) -> None:
    numbers.use(marks)
    given = [0, -12, 1_234, 1_234_567]
    assert [numbers.count(value) for value in given] == counts
    assert [numbers.decimal(1.5, 2), numbers.decimal(-1_234.567, 2)] == decimals


def test_zeros_that_say_nothing_go_behind_any_decimal_mark_and_nowhere_else() -> None:
    for marks, whole, part in ((ENGLISH, "1.5", "100"), (GERMAN, "1,5", "100")):
        numbers.use(marks)
        assert numbers.trimmed(numbers.decimal(1.5, 2)) == whole
        assert numbers.trimmed(numbers.decimal(100, 0)) == part
        assert numbers.trimmed(numbers.decimal(100, 2)) == "100"


def test_scales_are_short() -> None:
    assert [numbers.short(value) for value in (0, 500, 1_500, 30_000, 2_000_000)] == ["0", "500", "1.5k", "30k", "2M"]
    numbers.use(GERMAN)
    assert numbers.short(1_500) == "1,5k"


def test_days_have_the_names_of_the_locale() -> None:
    assert numbers.weekday(4) == "Fri"
    numbers.use(GERMAN)
    assert numbers.weekday(4) == "Fr"


def test_no_page_writes_a_count_with_marks_of_its_own() -> None:
    sources = [path for folder in ("pages", "ui") for path in (ROOT / "pyapp" / folder).rglob("*.py")]
    assert [path.name for path in sources if ":,}" in path.read_text(encoding="utf-8")] == []
