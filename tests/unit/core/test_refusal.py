"""What a status means for a stream that was refused, and for how long the server wants to be left alone (RT-23, RT-25)."""

from __future__ import annotations

import pytest
from core_world import STREAM, World

from pyapp.core.streams.refusal import Verdict, retry_after_ms, verdict_of
from pyapp.core.testing.virtual import EPOCH_MS


@pytest.mark.parametrize(
    ("status", "kind", "verdict"),
    [
        (204, "", Verdict.ENDED),
        (401, "application/json", Verdict.FORBIDDEN),
        (403, "text/html", Verdict.FORBIDDEN),
        (404, "application/json", Verdict.UNAVAILABLE),
        (405, "", Verdict.UNAVAILABLE),
        (200, "text/html; charset=utf-8", Verdict.UNAVAILABLE),
        (422, "application/json", Verdict.UNAVAILABLE),
        (408, "", Verdict.AGAIN),
        (429, "application/json", Verdict.AGAIN),
        (500, "text/html", Verdict.AGAIN),
        (503, "", Verdict.AGAIN),
        (200, "text/event-stream", Verdict.AGAIN),
        (0, "", Verdict.AGAIN),
    ],
)
def test_each_status_has_one_meaning(status: int, kind: str, verdict: Verdict) -> None:
    # RT-25
    assert verdict_of(status, kind) is verdict


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("", 0),
        ("120", 120_000),
        (" 7 ", 7_000),
        ("99999999", 3_600_000),
        ("-3", 0),
        ("soon", 0),
        ("Fri, 15 Jan 2027 08:01:00 GMT", 60_000),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0),
        ("Fri, 99 Jan 2027 07:00:00 GMT", 0),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date_and_never_believed_beyond_an_hour(text: str, ms: float) -> None:
    # RT-23
    assert retry_after_ms(text, EPOCH_MS) == ms


def refused(status: int, **headers: str) -> World:
    world = World()
    world.look()
    world.settle()
    world.break_off(final=True)
    probe = next(pending for pending in world.http.waiting if pending.request.head_only)
    assert probe.request.url.partition("?")[0] == STREAM
    probe.reply("", status=status, headers=headers)
    world.settle()
    return world


def probes(world: World) -> int:
    return sum(1 for pending in world.http.sent if pending.request.head_only)


def test_one_plain_request_tells_why_a_stream_was_refused_and_the_stream_polls_at_once_where_there_is_none() -> None:
    # RT-25, RT-33
    world = refused(404)
    assert world.client.statistics().streams[0].state.reason == "unavailable"
    world.clock.advance(240_000)
    assert len(world.sources.history) == 2
    assert probes(world) == 1
    world.clock.advance(120_000)
    assert world.sources.history[-1] == f"open {STREAM}"  # after five minutes


def test_an_unavailable_stream_is_tried_again_when_the_page_is_seen_again() -> None:
    # RT-25
    world = refused(404)
    world.page.set(hidden=True)
    world.clock.advance(10_000)
    world.page.set(hidden=False)
    world.settle()
    assert world.sources.history[-1] == f"open {STREAM}"


def test_a_forbidden_stream_is_not_asked_for_until_the_person_asks() -> None:
    # RT-25, RT-36
    world = refused(403)
    world.page.set(hidden=True)
    world.clock.advance(10_000)
    world.page.set(hidden=False)
    world.clock.advance(3_600_000)
    assert world.client.statistics().streams[0].state.reason == "forbidden"
    assert (len(world.sources.history), probes(world)) == (2, 1)
    world.client.try_now()
    assert world.sources.history[-1] == f"open {STREAM}"


def test_a_stream_that_the_server_ended_is_asked_for_when_a_view_wants_it_anew() -> None:
    # RT-25
    world = refused(204)
    world.clock.advance(3_600_000)
    assert len(world.sources.history) == 2
    assert world.client.statistics().streams[0].state.reason == "ended"


def test_a_server_that_asks_for_patience_gets_it() -> None:
    # RT-23, RT-25
    world = refused(429, **{"retry-after": "20"})
    world.clock.advance(19_500)
    assert len(world.sources.history) == 2
    world.clock.advance(4_000)
    assert len(world.sources.history) == 3


def test_a_probe_that_nobody_answers_ends_after_three_seconds() -> None:
    # RT-25
    world = World()
    world.look()
    world.settle()
    world.break_off(final=True)
    probe = next(pending for pending in world.http.waiting if pending.request.head_only)
    world.clock.advance(3_000)
    assert probe.cancelled
    world.clock.advance(1_200)
    assert world.sources.history[-1] == f"open {STREAM}"
    assert world.client.statistics().totals.probes == 1


def test_a_socket_that_breaks_after_its_first_frame_is_not_asked_about() -> None:
    # RT-25
    world = World()
    world.connected()
    world.break_off(final=True)
    assert probes(world) == 0
