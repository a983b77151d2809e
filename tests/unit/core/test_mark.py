"""What may be said of data (RT-83, RT-84)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.core.errors import HttpError, InvalidAnswer, NetworkError, RequestError, TimedOut, WrongContent
from pyapp.core.feeds.mark import Reading, mark
from pyapp.core.freshness import FreshnessReason as R
from pyapp.core.freshness import FreshnessState as S

ERROR = NetworkError("x")
POLLED = Reading(has_data=True, interval_ms=5_000)
STREAMED = Reading(has_data=True, streamed=True, interval_ms=10_000)
HEALTHY = replace(STREAMED, healthy=True)


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (Reading(), (S.LOADING, R.NONE)),
        (Reading(error=ERROR), (S.ERROR, R.NETWORK)),
        (Reading(window=True), (S.LOADING, R.NONE)),
        (Reading(window=True, has_data=True), (S.WINDOW, R.NONE)),
        (Reading(window=True, has_data=True, error=ERROR), (S.ERROR, R.NETWORK)),
        (replace(HEALTHY, hidden=True), (S.PAUSED, R.HIDDEN)),
        (replace(HEALTHY, hidden=True, error=ERROR), (S.PAUSED, R.HIDDEN)),
        (replace(HEALTHY, error=ERROR), (S.ERROR, R.NETWORK)),
        (POLLED, (S.POLLING, R.DESIGN)),
        (replace(POLLED, age_ms=15_001), (S.STALE, R.OLD)),
        (HEALTHY, (S.LIVE, R.SYNCHRONIZED)),
        (replace(HEALTHY, delivering=True), (S.LIVE, R.DELIVERING)),
        (replace(HEALTHY, silent_ms=60_000), (S.LIVE, R.UNVERIFIED)),
        (replace(HEALTHY, silent_ms=60_000, announces=True), (S.LIVE, R.SYNCHRONIZED)),
        (replace(STREAMED, polling=True), (S.POLLING, R.FALLBACK)),
        (replace(STREAMED, polling=True, budget=True), (S.POLLING, R.BUDGET)),
        (replace(STREAMED, polling=True, age_ms=30_001), (S.STALE, R.OLD)),
        (replace(STREAMED, first_connect=True), (S.LOADING, R.CONNECTING)),
        (replace(STREAMED, owed=True), (S.STALE, R.CATCHING_UP)),
        (STREAMED, (S.STALE, R.OLD)),
    ],
)
def test_the_first_row_that_matches_decides(reading: Reading, expected: tuple[S, R]) -> None:
    # RT-83
    assert mark(reading) == expected


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimedOut("x"), R.NETWORK),
        (HttpError("x", status=500), R.SERVER),
        (HttpError("x", status=422), R.SERVER),
        (HttpError("x", status=401), R.FORBIDDEN),
        (HttpError("x", status=404), R.MISSING),
        (WrongContent("x"), R.CONTENT),
        (InvalidAnswer("x"), R.CONTENT),
    ],
)
def test_every_error_has_its_word(error: RequestError, reason: R) -> None:
    # RT-83
    assert mark(Reading(has_data=True, error=error)) == (S.ERROR, reason)


READINGS = st.builds(
    Reading,
    window=st.booleans(),
    has_data=st.booleans(),
    error=st.sampled_from([None, ERROR]),
    hidden=st.booleans(),
    streamed=st.booleans(),
    healthy=st.booleans(),
    owed=st.booleans(),
    polling=st.booleans(),
    first_connect=st.booleans(),
    age_ms=st.floats(0, 1e6),
    interval_ms=st.just(5_000.0),
)


@given(READINGS)
def test_no_panel_says_live_unless_a_healthy_stream_feeds_data_that_did_not_fail(reading: Reading) -> None:
    # RT-84
    if mark(reading)[0] is S.LIVE:
        assert reading.healthy
        assert reading.streamed
        assert reading.has_data
        assert reading.error is None
        assert not reading.hidden
        assert not reading.window


def test_what_nobody_looks_at_is_not_called_live() -> None:
    # RT-11, RT-84
    assert mark(Reading(has_data=True, fed=False, streamed=True, healthy=True)) == (S.STALE, R.OLD)
    assert mark(Reading(has_data=True, fed=False, window=True)) == (S.WINDOW, R.NONE)
