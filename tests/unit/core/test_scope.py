"""The bucket of snapshots owed, and what pays one (RT-32)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pyapp.core.feeds.allowance import Bucket
from pyapp.core.feeds.scope import Owed
from pyapp.core.streams.position import Position
from pyapp.core.timings import Timings


def test_two_at_once_and_then_one_in_fifteen_seconds() -> None:
    # RT-32
    bucket, ready = Bucket(Timings(), 0.0), list[float]()
    now = 0.0
    for _ in range(5):
        now = bucket.ready_at(now)
        ready.append(now)
        bucket.take(now)
    assert ready == [0, 0, 15_000, 30_000, 45_000]


@given(st.lists(st.floats(0, 60_000), min_size=1, max_size=40))
def test_never_more_than_two_and_one_per_fifteen_seconds_are_paid(waits: list[float]) -> None:
    # RT-32
    bucket, now, taken = Bucket(Timings(), 0.0), 0.0, list[float]()
    for wait in waits:
        now += wait
        if bucket.ready_at(now) <= now:
            bucket.take(now)
            taken.append(now)
    for start in taken:
        assert sum(start <= at < start + 15_000 for at in taken) <= 3


def test_a_later_request_pays_and_so_does_a_position_that_covers_and_nothing_else() -> None:
    # RT-32
    owed = Owed(100.0, Position("e", 5), 0.0, "x")
    assert owed.paid_by(100.0, None)
    assert owed.paid_by(0.0, Position("e", 5))
    assert not owed.paid_by(99.0, Position("e", 4))
    assert not owed.paid_by(99.0, Position("other", 9))
    assert not owed.paid_by(99.0, None)
    assert not Owed(100.0, None, 0.0, "reset").paid_by(99.0, Position("e", 99))
