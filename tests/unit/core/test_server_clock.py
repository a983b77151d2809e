"""The server's clock (RT-55)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pyapp.core.server_clock import ServerClock
from pyapp.core.testing import VirtualClock


def at(ms: float) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat().replace("+00:00", "Z")


def test_a_skew_of_a_minute_is_seen_and_the_frame_that_travelled_fastest_tells_best() -> None:
    # RT-55
    clock = VirtualClock()
    server = ServerClock(clock)
    assert (server.offset_ms, server.now_ms()) == (None, clock.wall())
    seen: list[int] = []
    for travelled in (300, 40, 700, 90):
        server.heard(at(clock.wall() + 60_000 - travelled))
        seen.append(round(server.offset_ms or 0))
    assert seen == [59_700, 59_960, 59_960, 59_960]
    assert round(server.now_ms() - clock.wall()) == 59_960


def test_it_is_forgotten_slowly_and_a_clock_that_was_set_is_believed_at_once() -> None:
    # RT-55
    clock = VirtualClock()
    server = ServerClock(clock)
    server.heard(at(clock.wall() + 500))
    clock.advance(100_000)
    server.heard(at(clock.wall() + 300))
    assert round(server.offset_ms or 0) == 400
    server.heard(at(clock.wall() - 3_600_000))
    assert round(server.offset_ms or 0) == -3_600_000


@pytest.mark.parametrize("text", ["", "soon", "2026-01-01T00:00:00", "9" * 5_000, "\ud800", "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_ignored(text: str) -> None:
    # RT-29
    server = ServerClock(VirtualClock())
    server.heard(text)
    assert server.offset_ms is None
