from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.pages import formats


@pytest.mark.parametrize(
    ("ms", "digits", "unit"),
    [
        (0.0, "0", "ms"),
        (0.001, "<0.01", "ms"),
        (0.77, "0.77", "ms"),
        (51.34, "51.3", "ms"),
        (402.4, "402", "ms"),
        (999.4, "999", "ms"),
        (999.7, "1", "s"),
        (1_620.0, "1.62", "s"),
        (8_310.0, "8.31", "s"),
        (59_600.0, "59.6", "s"),
        (150_000.0, "2.5", "min"),
        (3_600_000.0, "1", "h"),
        (36 * 3_600_000.0, "1.5", "d"),
    ],
)
def test_a_duration_takes_the_unit_that_keeps_it_short(ms: float, digits: str, unit: str) -> None:
    assert formats.duration(ms) == (digits, unit)


def test_no_value_is_a_dash_and_never_zero() -> None:
    assert formats.duration(None).digits == formats.NONE
    assert formats.percent(None).digits == formats.NONE
    assert formats.count(None) == formats.NONE
    assert formats.seconds(None).digits == formats.NONE
    assert formats.iso(None) is None


@given(st.floats(min_value=0, max_value=999, allow_nan=False))
def test_a_number_has_at_most_three_figures_and_two_decimals(value: float) -> None:
    text = formats.figures(value).removeprefix("<")
    whole, _, decimals = text.partition(".")
    assert len(decimals) <= 2
    assert len((whole.lstrip("0") or "") + decimals) <= 3 or whole == "1,000"


@given(st.floats(min_value=0.005, max_value=999, allow_nan=False))
def test_a_number_is_written_close_to_what_it_is(value: float) -> None:
    assert float(formats.figures(value)) == pytest.approx(value, rel=0.01, abs=0.005)  # pyright: ignore[reportUnknownMemberType]


@given(st.floats(min_value=0, max_value=10**12, allow_nan=False))
def test_a_duration_never_needs_a_thousand_of_its_unit_below_days(ms: float) -> None:
    digits, unit = formats.duration(ms)
    assert unit == "d" or "," not in digits


def test_counts_are_in_full_with_thousands_marks() -> None:
    assert formats.count(3_348) == "3,348"
    assert formats.plural(1, "job") == "1 job"
    assert formats.plural(1_200, "job") == "1,200 jobs"


def test_only_what_is_complete_is_a_hundred_percent() -> None:
    assert [formats.share(part) for part in (0.0, 0.64, 0.999, 1.0, 1.5)] == [0, 64, 99, 100, 100]


def test_times_are_written_in_utc_whatever_their_zone() -> None:
    at = datetime(2026, 11, 20, 8, 0, tzinfo=timezone(timedelta(hours=1)))
    assert formats.iso(at) == "2026-11-20T07:00:00Z"
    assert formats.iso_ms(datetime(2026, 11, 20, 7, tzinfo=UTC).timestamp() * 1_000) == "2026-11-20T07:00:00Z"
