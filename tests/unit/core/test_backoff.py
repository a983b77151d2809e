"""Backoff (RT-23)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pyapp.core.streams.backoff import delay_ms
from pyapp.core.timings import Timings


class Chance:
    def __init__(self, value: float) -> None:
        self.value = value

    def random(self) -> float:
        return self.value


def test_it_doubles_from_one_second_to_the_cap() -> None:
    # RT-23
    waits = [delay_ms(n, Timings(), Chance(0.5)) for n in (0, 1, 2, 3, 4, 5, 6, 7, 10_000)]
    assert waits == [1_000, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]


def test_the_jitter_comes_after_the_cap() -> None:
    # RT-23
    assert [round(delay_ms(9, Timings(), Chance(chance))) for chance in (0.0, 1.0)] == [25_500, 34_500]


@given(st.integers(0, 200), st.floats(0, 1), st.floats(0, 100_000))
def test_what_the_server_asked_for_is_a_lower_bound_that_is_jittered_upwards(failures: int, chance: float, floor: float) -> None:
    # RT-23
    wait = delay_ms(failures, Timings(), Chance(chance), floor)
    base = min(30_000.0, 1_000.0 * 2 ** max(0, failures - 1))
    assert wait >= floor
    assert base * 0.8499 <= wait <= max(base, floor) * 1.1501
