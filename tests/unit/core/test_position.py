"""Places in a stream (RT-27, RT-28)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.core.streams.position import Arrival, Position, classify, parse_position


@given(st.text(min_size=1).filter(lambda text: text.strip() != ""), st.integers(0, 10**18 - 1))
def test_a_position_reads_what_it_writes(epoch: str, sequence: int) -> None:
    position = Position(epoch, sequence)
    assert parse_position(str(position)) == position


@pytest.mark.parametrize("text", [None, "", ":", "e", "e:", ":1", "e:x", "e:-1", "e: 1", "e:١", "e:²", "e:1.0", "e:" + "9" * 5_000])
def test_what_is_no_position_is_none_and_raises_nothing(text: str | None) -> None:
    # RT-29
    assert parse_position(text) is None


def test_a_position_covers_what_came_before_it_in_the_same_life_only() -> None:
    # RT-27
    five = Position("e1", 5)
    assert [five.covers(Position("e1", n)) for n in (4, 5, 6)] == [True, True, False]
    assert not five.covers(Position("e2", 1))


def test_arrivals_are_next_old_holes_or_of_another_life() -> None:
    # RT-27, RT-28
    last = Position("e1", 5)
    assert [classify(last, Position("e1", n)) for n in (4, 5, 6, 7)] == [Arrival.OLD, Arrival.OLD, Arrival.NEXT, Arrival.HOLE]
    assert classify(last, Position("e2", 6)) is Arrival.OTHER_EPOCH
    assert classify(last, None) is Arrival.UNNUMBERED
    assert classify(None, Position("e1", 99)) is Arrival.NEXT
