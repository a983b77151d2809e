"""When a query is fetched by itself (RT-8, RT-31 to RT-33): the table row by row, and that the first match wins."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.core.feeds.gate import Situation, Why, next_fetch
from pyapp.core.feeds.pause import Pause
from pyapp.core.timings import Timings

T = Timings()
BASE = Situation(has_data=True, began_ms=1_000.0)
LIVE = replace(BASE, streamed=True, healthy=True)


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        (replace(LIVE, pauses=frozenset({Pause.HIDDEN})), None),
        (replace(LIVE, fetching=True), None),
        (Situation(), (5_000.0, Why.FIRST)),
        (Situation(failures=1, failed_ms=4_000.0), (5_000.0, Why.RETRY)),
        (Situation(failures=4, failed_ms=4_000.0), (12_000.0, Why.RETRY)),
        (Situation(failures=99, failed_ms=4_000.0), (34_000.0, Why.RETRY)),
        (Situation(failures=1, failed_ms=4_000.0, floor_ms=9_000.0), (13_000.0, Why.RETRY)),
        (Situation(failures=1, failed_ms=4_000.0, retryable=False), None),
        (replace(BASE, failures=1, failed_ms=4_000.0), (9_000.0, Why.RETRY)),
        (replace(LIVE, failures=1, failed_ms=4_000.0, owed_at_ms=4_500.0), (5_000.0, Why.RETRY)),
        (replace(LIVE, owed_at_ms=5_300.0), (5_300.0, Why.CATCH_UP)),
        (BASE, (6_000.0, Why.DESIGN)),
        (LIVE, (61_000.0, Why.SAFETY)),
        (replace(LIVE, announces=True), (601_000.0, Why.SAFETY)),
        (replace(LIVE, healthy=False, polling=True), (11_000.0, Why.FALLBACK)),
        (replace(LIVE, polling=True), (61_000.0, Why.SAFETY)),
        (replace(LIVE, healthy=False), None),
        (replace(LIVE, began_ms=None), (65_000.0, Why.SAFETY)),
    ],
)
def test_the_first_row_that_matches_decides(situation: Situation, expected: tuple[float, Why] | None) -> None:
    assert next_fetch(5_000.0, situation, T) == expected


@given(
    st.builds(
        Situation,
        pauses=st.frozensets(st.sampled_from(list(Pause)), max_size=3),
        fetching=st.booleans(),
        has_data=st.booleans(),
        began_ms=st.one_of(st.none(), st.floats(0, 5_000)),
        failures=st.integers(0, 40),
        failed_ms=st.one_of(st.none(), st.floats(0, 5_000)),
        retryable=st.booleans(),
        owed_at_ms=st.one_of(st.none(), st.floats(5_000, 9_000)),
        streamed=st.booleans(),
        healthy=st.booleans(),
        polling=st.booleans(),
        announces=st.booleans(),
    )
)
def test_polling_and_streaming_never_both_feed_one_query_and_a_paused_one_is_never_asked_for(situation: Situation) -> None:
    # RT-31, RT-33
    upcoming = next_fetch(5_000.0, situation, T)
    if situation.pauses - {Pause.FLAG, Pause.BREAKER} or situation.fetching:
        assert upcoming is None
    if upcoming is not None:
        assert upcoming[1] is not Why.FALLBACK or not situation.healthy
        assert upcoming[1] is not Why.DESIGN or not situation.streamed
        assert upcoming[0] <= 5_000 + 600_000
