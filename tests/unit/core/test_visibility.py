"""Whether the page counts as seen (RT-50, RT-51)."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from pyapp.core.testing import FakeVisibility, VirtualClock
from pyapp.core.timings import Timings
from pyapp.core.visibility import Seen, SeenEffect, SeenEvent, VisibilityWatch, step


def watch() -> tuple[VirtualClock, FakeVisibility, VisibilityWatch, list[bool]]:
    clock, page, told = VirtualClock(), FakeVisibility(), list[bool]()
    return clock, page, VisibilityWatch(clock, page, Timings(), told.append), told


def test_what_the_table_does_not_hold_changes_nothing() -> None:
    assert step(Seen.SHOWN, SeenEvent.CAME) == (Seen.SHOWN, None)
    assert step(Seen.SHOWN, SeenEvent.GRACE_OVER) == (Seen.SHOWN, None)
    assert step(Seen.HIDDEN, SeenEvent.WENT) == (Seen.HIDDEN, None)
    assert step(Seen.LEAVING, SeenEvent.GRACE_OVER) == (Seen.HIDDEN, SeenEffect.PAUSE)


def test_hidden_for_ten_seconds_is_paused_and_shown_again_goes_on() -> None:
    # RT-50, RT-51
    clock, page, seen, told = watch()
    page.set(hidden=True)
    clock.advance(9_999)
    assert (seen.paused, seen.painting, told) == (False, False, [])
    clock.advance(1)
    assert (seen.paused, told, seen.since_ms) == (True, [True], 10_000)
    page.set(hidden=False)
    assert (seen.paused, seen.painting, told) == (False, True, [True, False])


def test_hidden_for_less_is_nothing() -> None:
    # RT-50
    clock, page, seen, told = watch()
    page.set(hidden=True)
    clock.advance(9_000)
    page.set(hidden=False)
    clock.advance(60_000)
    assert (seen.state, told, clock.timers) == (Seen.SHOWN, [False], 0)


def test_a_closed_watch_sets_no_timer_any_more() -> None:
    # RT-53
    clock, page, seen, told = watch()
    page.set(hidden=True)
    seen.close()
    page.set(hidden=False)
    page.set(hidden=True)
    assert (clock.timers, told) == (0, [])


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 15_000)), max_size=30))
def test_it_is_paused_exactly_when_hidden_without_a_break_for_the_grace(history: list[tuple[bool, int]]) -> None:
    # RT-50
    clock, page, seen, told = watch()
    hidden_since: float | None = None
    for hidden, wait in history:
        page.set(hidden=hidden)
        hidden_since = (clock.now() if hidden_since is None else hidden_since) if hidden else None
        clock.advance(wait)
        assert seen.paused == (hidden_since is not None and clock.now() - hidden_since >= 10_000)
        assert seen.painting == (not hidden)
        assert clock.timers == (1 if seen.state is Seen.LEAVING else 0)
    changes = [paused for index, paused in enumerate(told) if index == 0 or told[index - 1] != paused]
    assert all(a != b for a, b in itertools.pairwise(changes))
