"""Health (RT-30): the first row that matches."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyapp.core.feeds.health import measure
from pyapp.core.streams.connection import Connection, Phase, Reason

OPEN = Connection(Phase.OPEN, Reason.NONE, opened_ms=1.0)
CONFIRMED = replace(OPEN, confirmed_ms=2.0)


@pytest.mark.parametrize(
    ("connection", "owed", "came", "words"),
    [
        (None, False, False, "unhealthy (not wanted)"),
        (Connection(Phase.CLOSED, Reason.HIDDEN), False, True, "unhealthy (hidden)"),
        (replace(CONFIRMED, phase=Phase.RECONNECTING, reason=Reason.SILENT), False, True, "unhealthy (silent)"),
        (Connection(Phase.CONNECTING, Reason.NONE), False, True, "degraded (awaiting)"),
        (OPEN, True, True, "degraded (awaiting)"),
        (CONFIRMED, True, True, "degraded (catching up)"),
        (CONFIRMED, False, True, "healthy (delivering)"),
        (CONFIRMED, False, False, "healthy (synchronized)"),
    ],
)
def test_the_first_row_that_matches_decides(connection: Connection | None, owed: bool, came: bool, words: str) -> None:
    # RT-30
    health = measure(connection, owed=owed, data_came=came)
    assert str(health) == words
    assert health.healthy == words.startswith("healthy")
