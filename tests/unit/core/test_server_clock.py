"""The server's clock (RT-55)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pyapp.core.server_clock import ServerClock, http_date_ms
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


@pytest.mark.parametrize("text", ["", "soon", "2026-01-01", "9" * 5_000, "\ud800", "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_ignored(text: str) -> None:
    # RT-29
    server = ServerClock(VirtualClock())
    server.heard(text)
    assert server.offset_ms is None


def test_a_time_without_a_zone_is_utc() -> None:
    # RT-55
    clock = VirtualClock()
    server = ServerClock(clock)
    server.heard(at(clock.wall() + 5_000).removesuffix("Z"))
    assert round(server.offset_ms or 0) == 5_000


def date(ms: float) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")


def test_the_dates_of_answers_close_in_on_the_clock_of_a_server_that_says_nothing_else() -> None:
    # RT-55
    clock = VirtualClock()
    server = ServerClock(clock)
    ahead, seen = 60_250.0, list[float]()
    for wait in (0.0, 400.0, 1_350.0, 730.0):
        clock.advance(wait)
        began = clock.now()
        clock.advance(40)
        written = date(clock.wall() + ahead)
        clock.advance(40)
        server.heard_date(written, began, clock.now())
        seen.append(abs((server.offset_ms or 0.0) - ahead))
    assert max(seen) <= 540  # half a second, and half the way
    assert seen[-1] < 150


def test_a_date_of_a_clock_that_was_set_is_believed_and_one_beside_heartbeats_is_not_needed() -> None:
    # RT-55
    clock = VirtualClock()
    server = ServerClock(clock)

    def dated(ahead: float) -> float:
        server.heard_date(date(clock.wall() + ahead), clock.now(), clock.now())
        return server.offset_ms or 0.0

    assert abs(dated(0) - 0) <= 500
    assert not ServerClock(clock).coarse
    assert abs(dated(-3_600_000) + 3_600_000) <= 500
    assert server.coarse
    server.heard(at(clock.wall() + 7_000))
    assert not server.coarse
    assert dated(90_000) == server.offset_ms == pytest.approx(7_000)
    clock.advance(60_000)
    assert dated(7_300) == pytest.approx(7_000)  # a frame was more exact, and a date that agrees adds nothing
    assert not server.coarse
    assert abs(dated(90_000) - 90_000) <= 500


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777_000.0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", None),
        ("Sun, 31 Feb 2027 08:49:37 GMT", None),
        ("Sun, 06 Now 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 08:49:61 GMT", None),
        ("", None),
    ],
)
def test_a_date_is_read_as_servers_must_send_it_and_nothing_else_is_one(text: str, ms: float | None) -> None:
    # RT-29
    assert http_date_ms(text) == ms
    server = ServerClock(VirtualClock())
    server.heard_date(text, 0, 0)
    assert (server.offset_ms is None) == (ms is None)
