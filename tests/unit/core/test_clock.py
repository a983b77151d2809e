"""The heap of timers over one host timer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.core.clock import ARM_AT_MOST_MS, Timer, TimerHeap
from pyapp.core.testing import VirtualClock


class Host:
    """A host whose timer a test fires by hand."""

    def __init__(self) -> None:
        self.time = 0.0
        self.armed: list[float | None] = []

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return self.time + 1_000

    def arm(self, delay_ms: float) -> None:
        self.armed.append(delay_ms)

    def disarm(self) -> None:
        self.armed.append(None)


def test_timers_of_one_moment_fire_in_the_order_in_which_they_were_set() -> None:
    clock = VirtualClock()
    fired: list[int] = []
    for n, when in enumerate((30, 10, 10, 20)):
        clock.call_at(when, lambda n=n: fired.append(n))
    clock.advance(100)
    assert fired == [1, 2, 3, 0]


def test_the_host_is_armed_only_for_what_is_sooner_and_disarmed_when_nothing_is_left() -> None:
    host = Host()
    heap = TimerHeap(host, lambda error: None)
    late = heap.call_at(100, lambda: None)
    heap.call_at(200, lambda: None).cancel()
    soon = heap.call_at(50, lambda: None)
    late.cancel()
    soon.cancel()
    heap.call_at(500, lambda: None).cancel()
    assert host.armed == [100, 50, 500]
    host.time = 60
    heap.fire()
    assert host.armed == [100, 50, 500]
    heap.call_at(70, lambda: None)
    host.time = 70
    heap.fire()
    assert host.armed == [100, 50, 500, 10]
    assert heap.statistics().pending == 0


def test_the_host_is_disarmed_where_one_callback_sets_a_timer_and_the_next_takes_it_back() -> None:
    host = Host()
    heap = TimerHeap(host, lambda error: None)
    timers: list[Timer] = []
    heap.call_at(10, lambda: timers.append(heap.call_at(500, lambda: None)))
    heap.call_at(10, lambda: timers[0].cancel())  # noqa: PLW0108
    host.time = 10
    heap.fire()
    assert host.armed == [10, 490, None]
    heap.call_at(600, lambda: None)
    assert host.armed[-1] == 590


def test_what_a_callback_sets_for_now_waits_for_the_next_turn() -> None:
    host = Host()
    heap = TimerHeap(host, lambda error: None)
    fired: list[str] = []

    def again() -> None:
        fired.append("x")
        heap.call_at(0, again)

    heap.call_at(0, again)
    heap.fire()
    assert fired == ["x"]
    heap.fire()
    assert fired == ["x", "x"]


def test_a_callback_that_raises_does_not_keep_the_others_from_firing() -> None:
    host = Host()
    errors: list[Exception] = []
    heap = TimerHeap(host, errors.append)
    fired: list[int] = []
    heap.call_at(1, lambda: fired.append(1 // 0))
    heap.call_at(2, lambda: fired.append(2))
    host.time = 5
    heap.fire()
    assert fired == [2]
    assert [type(error) for error in errors] == [ZeroDivisionError]
    assert (heap.statistics().fired, heap.statistics().late_ms) == (2, 4)


def test_a_timer_farther_than_the_host_can_count_does_not_fire_at_once() -> None:
    host = Host()
    heap = TimerHeap(host, lambda error: None)
    fired: list[int] = []
    heap.call_at(float("inf"), lambda: fired.append(1))
    heap.call_at(3e9, lambda: fired.append(2))
    assert host.armed == [ARM_AT_MOST_MS] * len(host.armed)
    host.time = ARM_AT_MOST_MS
    heap.fire()
    assert fired == []
    host.time = 3e9
    heap.fire()
    assert fired == [2]


def test_a_timer_in_the_past_fires_as_soon_as_may_be_but_not_within_the_call() -> None:
    host = Host()
    host.time = 100
    heap = TimerHeap(host, lambda error: None)
    heap.call_at(5, lambda: None)
    assert host.armed == [0.0]
    assert heap.wall() == 1_100


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=30))
def test_each_timer_fires_once_at_its_time_or_never_when_cancelled(timers: list[tuple[int, bool]]) -> None:
    clock = VirtualClock()
    fired: list[tuple[float, int]] = []
    handles = [clock.call_at(when, lambda n=n: fired.append((clock.now(), n))) for n, (when, _) in enumerate(timers)]
    for handle, (_, cancel) in zip(handles, timers, strict=True):
        if cancel:
            handle.cancel()
    assert clock.timers == sum(not cancel for _, cancel in timers)
    clock.advance(60)
    for handle in handles:
        handle.cancel()
    assert sorted(fired) == sorted((when, n) for n, (when, cancel) in enumerate(timers) if not cancel)
    assert [when for when, _ in fired] == sorted(when for when, _ in fired)
    assert clock.timers == 0


@pytest.mark.parametrize("clock_stops", [True, False])
def test_sleep_is_told_before_the_timers_that_are_late_whichever_clock_stood_still(clock_stops: bool) -> None:
    # RT-52
    clock, told = VirtualClock(), list[str]()
    clock.on_late(15_000, lambda: told.append("slept"))
    clock.call_at(1_000, lambda: told.append("due"))
    clock.sleep(60_000, clock_stops=clock_stops)
    clock.advance(1_000)
    assert told == ["slept", "due"]
    assert clock.statistics().sleeps == 1
    clock.call_at(clock.now() + 100_000, lambda: told.append("later"))
    clock.advance(200_000)
    assert told[2:] == ["later"]


def test_a_little_late_and_set_for_the_past_are_no_sleep() -> None:
    # RT-52
    clock, told = VirtualClock(), list[str]()
    clock.on_late(15_000, lambda: told.append("slept"))
    clock.advance(100_000)
    clock.call_at(5_000, lambda: told.append("past"))
    clock.advance(1)
    clock.call_at(clock.now() + 10, lambda: told.append("due"))
    clock.sleep(14_000)
    assert told == ["past", "due"]


def test_a_mistake_in_what_is_told_of_sleep_keeps_no_timer_from_firing() -> None:
    # RT-52
    clock, told = VirtualClock(), list[str]()

    def broken() -> None:
        raise ValueError("broken")

    clock.on_late(15_000, broken)
    clock.call_at(1_000, lambda: told.append("due"))
    with pytest.raises(ValueError, match="broken"):
        clock.sleep(60_000)
    assert told == ["due"]


def test_while_suspended_the_host_has_no_timer_and_what_fell_due_comes_afterwards_without_a_word_of_sleep() -> None:
    # RT-53
    clock, told = VirtualClock(), list[str]()
    clock.on_late(15_000, lambda: told.append("slept"))
    clock.call_at(1_000, lambda: told.append("due"))
    clock.suspend()
    clock.call_at(2_000, lambda: told.append("set meanwhile"))
    clock.advance(60_000)
    clock.fire()
    assert told == []
    clock.resume()
    clock.advance(0)
    assert told == ["due", "set meanwhile"]


def test_timers_that_were_cancelled_leave_when_they_are_more_than_half() -> None:
    clock = VirtualClock()
    fired: list[int] = []
    kept = [clock.call_at(1_000 + n, lambda n=n: fired.append(n)) for n in range(40)]
    for n in range(10_000):
        clock.call_at(60_000 + n, lambda: fired.append(-1)).cancel()
        assert clock.statistics().held <= 2 * len(kept) + 34
    kept[0].cancel()
    kept[0].cancel()
    assert clock.timers == 39
    clock.advance(1_010)
    kept[5].cancel()  # of one that has fired, nothing counts
    clock.advance(100_000)
    assert fired == list(range(1, 40))
    assert (clock.statistics().held, clock.timers) == (0, 0)


def test_a_timer_that_another_of_the_same_moment_cancels_does_not_fire() -> None:
    clock = VirtualClock()
    fired: list[str] = []
    timers: list[Timer] = []
    clock.call_at(10, lambda: timers[0].cancel())  # noqa: PLW0108
    timers.append(clock.call_at(10, lambda: fired.append("second")))
    clock.call_at(10, lambda: fired.append("third"))
    clock.advance(20)
    assert (fired, clock.timers) == (["third"], 0)


def test_a_watch_of_sleep_that_raises_keeps_no_timer_from_firing() -> None:
    # RT-52
    host, raised, fired = Host(), list[Exception](), list[int]()
    heap = TimerHeap(host, raised.append)

    def mistake() -> None:
        raise ZeroDivisionError

    heap.on_late(1_000, mistake)
    heap.call_at(10, lambda: fired.append(1))
    host.time = 60_000
    heap.fire()
    assert (fired, [type(error) for error in raised], heap.statistics().sleeps) == ([1], [ZeroDivisionError], 1)
