"""Health (RT-30): the first row that matches."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.core.feeds.health import Signs, measure
from pyapp.core.streams.connection import Connection, Phase, Reason

OPEN = Connection(Phase.OPEN, Reason.NONE, opened_ms=1.0)
CONFIRMED = replace(OPEN, confirmed_ms=2.0)


@pytest.mark.parametrize(
    ("signs", "words"),
    [
        (Signs(CONFIRMED, chosen=False, forbidden=True), "unhealthy (no scope)"),
        (Signs(CONFIRMED, forbidden=True, drifted=True), "unhealthy (permissions)"),
        (Signs(Connection(Phase.CLOSED, Reason.FORBIDDEN), forbidden=True), "unhealthy (permissions)"),
        (Signs(Connection(Phase.CLOSED, Reason.HIDDEN), drifted=True), "unhealthy (drift)"),
        (Signs(), "unhealthy (not wanted)"),
        (Signs(Connection(Phase.CLOSED, Reason.HIDDEN), data_came=True, failed=True), "unhealthy (hidden)"),
        (Signs(replace(CONFIRMED, phase=Phase.RECONNECTING, reason=Reason.SILENT), data_came=True), "unhealthy (silent)"),
        (Signs(CONFIRMED, failed=True, owed=True), "unhealthy (error)"),
        (Signs(replace(CONFIRMED, error_ms=3.0)), "unhealthy (error)"),
        (Signs(replace(CONFIRMED, awaiting=True)), "degraded (awaiting)"),
        (Signs(OPEN, owed=True), "degraded (catching up)"),
        (Signs(CONFIRMED, owed=True, data_came=True, offline=True), "degraded (catching up)"),
        (Signs(Connection(Phase.CONNECTING, Reason.NONE), data_came=True), "degraded (awaiting)"),
        (Signs(OPEN), "degraded (awaiting)"),
        (Signs(CONFIRMED, offline=True, data_came=True), "degraded (awaiting)"),
        (Signs(CONFIRMED, data_came=True), "healthy (delivering)"),
        (Signs(CONFIRMED), "healthy (synchronized)"),
    ],
)
def test_the_first_row_that_matches_decides(signs: Signs, words: str) -> None:
    # RT-30
    health = measure(signs)
    assert str(health) == words
    assert health.healthy == words.startswith("healthy")


@given(
    st.builds(
        Signs,
        connection=st.one_of(
            st.none(),
            st.builds(
                Connection,
                phase=st.sampled_from(list(Phase)),
                reason=st.sampled_from(list(Reason)),
                confirmed_ms=st.one_of(st.none(), st.just(1.0)),
            ),
        ),
        chosen=st.booleans(),
        forbidden=st.booleans(),
        drifted=st.booleans(),
        failed=st.booleans(),
        owed=st.booleans(),
        offline=st.booleans(),
        data_came=st.booleans(),
    )
)
def test_healthy_means_confirmed_on_this_epoch_with_nothing_owed_wrong_or_refused(signs: Signs) -> None:
    # RT-30
    if measure(signs).healthy:
        assert signs.connection is not None
        assert signs.connection.confirmed
        assert signs.connection.phase in (Phase.OPEN, Phase.CONNECTING)
        assert signs.chosen
        assert not any((signs.forbidden, signs.drifted, signs.failed, signs.owed, signs.offline))
