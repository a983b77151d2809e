from __future__ import annotations

from pyapp.pages.event_rate import EventRate


def test_a_rate_is_over_the_last_minute_and_not_said_before_there_is_a_sixth_of_one() -> None:
    rate = EventRate()
    said: list[int | None] = []
    for second in range(0, 181, 5):
        # Ten a second for a minute, then none.
        rate.count(min(second, 60) * 10, second * 1_000.0)
        said.append(rate.per_min)
    assert said[:3] == [None, None, 600]
    assert said[12] == 600
    assert said[-1] == 0


def test_within_a_step_nothing_is_worked_out() -> None:
    rate = EventRate()
    rate.count(0, 0.0)
    rate.count(100, 10_000.0)
    rate.count(500, 14_999.0)
    assert rate.per_min == 600
