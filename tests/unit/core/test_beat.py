"""One beat moves everything (RT-41, RT-43)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from pyapp.core.beat import Beat
from pyapp.core.testing import VirtualClock
from pyapp.core.timings import Timings


class Parts:
    """What a beat moves, recorded with the time."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.log: list[tuple[float, str]] = []
        self.frames = 0
        self.visible = True
        self.raise_in = ""
        self.beat = Beat(
            self.clock,
            Timings(),
            collect=lambda: self.note("collect"),
            deliver=self.deliver,
            waiting=lambda: self.frames > 0,
            notify=lambda: self.note("notify"),
            paint=self.paint,
            visible=lambda: self.visible,
        )

    def note(self, what: str) -> None:
        self.log.append((self.clock.now(), what))
        if what == self.raise_in:
            raise ValueError(what)

    def paint(self) -> bool:
        self.note("paint")
        return True

    def deliver(self, within: Callable[[], bool]) -> None:
        self.note("deliver")
        taken = 0
        while self.frames and taken < 10 and within():
            self.frames -= 1
            taken += 1

    def times(self, what: str) -> list[float]:
        return [at for at, name in self.log if name == what]


def test_the_first_after_quiet_comes_within_sixteen_ms_and_then_there_is_one_every_hundred() -> None:
    # RT-41
    parts = Parts()
    parts.clock.advance(1_000)
    for _ in range(25):
        parts.beat.wake()
        parts.clock.advance(20)
    parts.clock.advance(1_000)
    assert parts.times("collect") == [1_010, 1_110, 1_210, 1_310, 1_410, 1_510]


def test_a_beat_collects_applies_notifies_and_paints_once_each() -> None:
    # RT-41
    parts = Parts()
    for _ in range(5):
        parts.beat.wake()
    parts.clock.advance(50)
    assert [name for _, name in parts.log] == ["collect", "deliver", "notify", "paint"]


def test_what_does_not_fit_goes_on_in_slices_and_is_told_and_painted_by_the_next_beat() -> None:
    # RT-41
    parts = Parts()
    parts.frames = 25
    parts.beat.wake()
    parts.clock.advance(1_000)
    assert parts.times("deliver") == [10, 14, 18, 110]
    assert parts.times("collect") == parts.times("deliver")
    assert parts.times("notify") == parts.times("paint") == [10, 110]
    assert parts.frames == 0


def test_a_flood_is_taken_in_slices_and_painted_at_the_cadence_of_the_beat() -> None:
    # RT-41, RT-81
    parts = Parts()
    parts.frames = 10_000
    parts.beat.wake()
    parts.clock.advance(1_009)
    paints = parts.times("paint")
    assert len(paints) == 10
    assert all(100 <= later - earlier < 104 for earlier, later in pairwise(paints))
    statistics = parts.beat.statistics()
    assert statistics.beats == statistics.paints == 10
    assert statistics.slices + statistics.beats == len(parts.times("deliver")) > 200


def test_a_slice_leaves_the_page_to_others_for_as_long_as_it_took() -> None:
    # RT-41
    parts = Parts()
    begun: list[float] = []

    def deliver(within: Callable[[], bool]) -> None:
        begun.append(parts.clock.now())
        while within():
            pass
        parts.frames -= 1

    parts.clock = VirtualClock(creep_ms=0.5)
    parts.frames = 4
    beat = Beat(
        parts.clock,
        Timings(),
        collect=lambda: None,
        deliver=deliver,
        waiting=lambda: parts.frames > 0,
        notify=lambda: None,
        paint=lambda: True,
        visible=lambda: True,
    )
    beat.wake()
    parts.clock.advance(200)
    assert len(begun) >= 4
    assert all(later - earlier >= 16 for earlier, later in pairwise(begun))


def test_hidden_it_applies_and_notifies_and_does_not_paint() -> None:
    # RT-41
    parts = Parts()
    parts.visible = False
    parts.beat.wake()
    parts.clock.advance(50)
    assert [name for _, name in parts.log] == ["collect", "deliver", "notify"]
    assert parts.beat.statistics().paints == 0


def test_what_the_user_did_is_notified_and_painted_at_once_and_moves_no_stream() -> None:
    # RT-43
    parts = Parts()
    parts.beat.now()
    assert [name for _, name in parts.log] == ["notify", "paint"]
    assert parts.clock.timers == 0


@pytest.mark.parametrize("where", ["collect", "deliver", "notify", "paint"])
def test_a_mistake_in_one_beat_does_not_end_the_beat(where: str) -> None:
    parts = Parts()
    parts.frames, parts.raise_in = 5, where
    parts.beat.wake()
    with pytest.raises(ValueError, match=where):
        parts.clock.advance(50)
    parts.raise_in = ""
    parts.beat.wake()
    parts.clock.advance(500)
    assert parts.frames == 0
    assert parts.beat.statistics().beats >= 2


def test_after_close_nothing_is_scheduled_or_painted() -> None:
    # RT-53
    parts = Parts()
    parts.beat.wake()
    parts.beat.close()
    parts.beat.wake()
    parts.beat.now()
    parts.beat.close()
    parts.clock.advance(500)
    assert (parts.log, parts.clock.timers) == ([], 0)


def test_a_beat_that_takes_too_long_is_counted() -> None:
    # RT-41, RT-81
    seen: list[tuple[int, int]] = []
    for readings in (0, 3):  # each reading of a creeping clock takes 4 ms
        clock = VirtualClock(creep_ms=4)

        def deliver(within: Callable[[], bool], readings: int = readings) -> None:
            for _ in range(readings):
                within()

        beat = Beat(
            clock,
            Timings(),
            collect=lambda: None,
            deliver=deliver,
            waiting=lambda: False,
            notify=lambda: None,
            paint=lambda: True,
            visible=lambda: True,
        )
        beat.wake()
        clock.advance(100)
        seen.append((beat.statistics().beats, beat.statistics().over))
    assert seen == [(1, 0), (1, 1)]
