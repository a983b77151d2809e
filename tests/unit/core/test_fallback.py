"""The fallback's table, and random signals against it (RT-33)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pyapp.core.feeds.fallback import Fallback, Signal, TimerAction, step

TABLE: dict[tuple[Fallback, Signal], tuple[Fallback, TimerAction]] = {
    (Fallback.OFF, Signal.NOT_HEALTHY): (Fallback.WAITING, "grace"),
    (Fallback.OFF, Signal.NOT_HEALTHY_NO_GRACE): (Fallback.POLLING, None),
    (Fallback.WAITING, Signal.NOT_HEALTHY_NO_GRACE): (Fallback.POLLING, "clear"),
    (Fallback.WAITING, Signal.HEALTHY): (Fallback.CALMING, "recover"),
    (Fallback.CALMING, Signal.NOT_HEALTHY): (Fallback.WAITING, "grace goes on"),
    (Fallback.CALMING, Signal.NOT_HEALTHY_NO_GRACE): (Fallback.POLLING, "clear"),
    (Fallback.CALMING, Signal.EXCUSED): (Fallback.OFF, "clear"),
    (Fallback.CALMING, Signal.DUE): (Fallback.OFF, None),
    (Fallback.WAITING, Signal.EXCUSED): (Fallback.OFF, "clear"),
    (Fallback.WAITING, Signal.DUE): (Fallback.POLLING, None),
    (Fallback.POLLING, Signal.HEALTHY): (Fallback.ENDING, "recover"),
    (Fallback.POLLING, Signal.EXCUSED): (Fallback.OFF, None),
    (Fallback.ENDING, Signal.NOT_HEALTHY): (Fallback.POLLING, "clear"),
    (Fallback.ENDING, Signal.NOT_HEALTHY_NO_GRACE): (Fallback.POLLING, "clear"),
    (Fallback.ENDING, Signal.EXCUSED): (Fallback.OFF, "clear"),
    (Fallback.ENDING, Signal.DUE): (Fallback.OFF, None),
}


def test_every_pair_is_as_the_table_says_and_the_others_change_nothing() -> None:
    # RT-33
    for state in Fallback:
        for signal in Signal:
            assert step(state, signal) == TABLE.get((state, signal), (state, None))


@given(st.lists(st.sampled_from(list(Signal)), max_size=60))
def test_a_timer_is_set_exactly_while_waiting_calming_or_ending_and_health_never_polls(signals: list[Signal]) -> None:
    # RT-33
    state, timer = Fallback.OFF, False
    for signal in signals:
        if signal is Signal.DUE:
            if not timer:
                continue
            timer = False
        state, action = step(state, signal)
        if action is not None:
            assert action in ("clear", "recover", "grace goes on") or not timer  # these two may take the place of the other's
            timer = action != "clear"
        assert timer == (state in (Fallback.WAITING, Fallback.CALMING, Fallback.ENDING))
        if signal in (Signal.HEALTHY, Signal.EXCUSED):
            assert state is not Fallback.POLLING
