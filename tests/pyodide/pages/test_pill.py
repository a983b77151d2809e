"""The pill: the worst state among what is on screen, in words that are true of every server."""

from __future__ import annotations

from typing import Any

import pytest
from page_fakes import result

from pyapp.core.cache.result import Result
from pyapp.core.errors import HttpError
from pyapp.core.freshness import FreshnessReason as Why
from pyapp.core.freshness import FreshnessState as State
from pyapp.core.statistics import Pulse
from pyapp.core.streams.connection import Connection as Socket
from pyapp.core.streams.connection import Phase, Reason
from pyapp.core.streams.entry import StreamPulse
from pyapp.core.streams.spec import stream_key
from pyapp.core.tabs.election import Out, Role
from pyapp.core.tabs.shared import ShareStatistics
from pyapp.core.tabs.statistics import TabStatistics
from pyapp.pages.connection import connection_view, strip_view
from pyapp.pages.protocol import Connection

REFUSED = HttpError("The server answered 401: Missing or invalid Authorization header.", status=401)


def pulse(*sockets: Socket) -> Pulse:
    streams = tuple(StreamPulse(stream_key("events", n=number), socket, 0) for number, socket in enumerate(sockets))
    return Pulse(streams=streams, in_flight=0, clock_offset_ms=None, connections=1)


def open_socket(heartbeat_ms: float | None) -> Socket:
    return Socket(Phase.OPEN, Reason.NONE, opened_ms=1.0, confirmed_ms=2.0, last_frame_ms=2.0, heartbeat_ms=heartbeat_ms)


def view(*results: Result[Any], sockets: tuple[Socket, ...] = ()) -> tuple[Connection, str, str]:
    said = connection_view(results, pulse(*sockets), 1_000.0)
    return said.state, said.words, said.says


def test_a_page_on_which_all_is_forbidden_says_so_and_not_that_it_is_a_window() -> None:
    # RT-36, RT-83: nothing has data, so "all that has data is a window" is empty words
    forbidden = result(None, State.ERROR, Why.FORBIDDEN, error=REFUSED)
    assert view(forbidden, forbidden)[:2] == (Connection.FORBIDDEN, "Forbidden")
    nothing_yet = result(None, State.LOADING, Why.NONE)
    assert view(nothing_yet)[:2] == (Connection.CONNECTING, "Connecting")


def test_a_window_whose_refresh_failed_is_an_error_and_one_that_stands_is_a_window() -> None:
    stands = result((), State.WINDOW, Why.NONE)
    failed = result((), State.ERROR, Why.SERVER)
    assert view(stands, stands)[1] == "Window"
    assert view(stands, failed)[1] == "Error"
    assert view()[1] == "Paused"


def test_without_a_network_it_says_so_and_blames_no_stream() -> None:
    # RT-52
    offline = result((), State.STALE, Why.OFFLINE)
    state, words, says = view(offline, result((), State.ERROR, Why.NETWORK))
    assert (state, words) == (Connection.OFFLINE, "Offline")
    assert "stream" not in says


def test_a_page_of_which_no_stream_tells_is_not_called_live() -> None:
    # RT-83, RT-84
    asked = result((), State.POLLING, Why.DESIGN)
    assert view(asked, asked)[:2] == (Connection.POLLING, "Polling")
    assert view(asked, result((), State.LIVE, Why.DELIVERING))[:2] == (Connection.LIVE, "Live")


@pytest.mark.parametrize(
    ("reason", "stream", "state"),
    [
        (Why.OLD, "events", Connection.RECONNECTING),
        (Why.OLD, "", Connection.DEGRADED),
        (Why.CATCHING_UP, "events", Connection.DEGRADED),
        (Why.DRIFT, "events", Connection.DEGRADED),
    ],
)
def test_a_lost_stream_is_named_only_where_one_was_lost(reason: Why, stream: str, state: Connection) -> None:
    # RT-83
    assert view(result((), State.STALE, reason, stream=stream))[0] is state


@pytest.mark.parametrize(("reason", "words"), [(Why.DELIVERING, "Live"), (Why.UNVERIFIED, "Live, unverified")])
def test_no_heartbeat_is_claimed_of_a_server_that_has_none(reason: Why, words: str) -> None:
    # RT-26, RT-84
    state, said, says = view(result((), State.LIVE, reason), sockets=(open_socket(None),))
    assert (state, said) == (Connection.LIVE, words)
    assert "heartbeat" not in says


def test_a_heartbeat_that_every_stream_has_is_said() -> None:
    live = result((), State.LIVE, Why.DELIVERING)
    assert "heartbeat" in view(live, sockets=(open_socket(5_000.0),))[2]
    assert "heartbeat" not in view(live, sockets=(open_socket(5_000.0), open_socket(None)))[2]


def test_streams_that_share_a_connection_are_one_connection() -> None:
    # RT-64
    strip = strip_view(pulse(open_socket(5_000.0), open_socket(5_000.0)), None, "")
    assert (strip.connections, strip.streams) == (1, 2)


def test_the_clock_of_a_server_that_says_whole_seconds_is_shown_in_whole_seconds() -> None:
    # RT-55
    said = [
        strip_view(Pulse(streams=(), in_flight=0, clock_offset_ms=1_640.0, clock_coarse=coarse), None, "") for coarse in (False, True)
    ]
    assert [(strip.clock_offset_ms, strip.clock_coarse) for strip in said] == [(1_600, False), (2_000, True)]


def tab(role: Role, **said: Any) -> dict[str, str]:
    """The rows of the popover about tabs."""
    counts = dict.fromkeys(("told", "received", "strays", "early", "invalid", "takeovers", "steals", "deposed", "stalls", "hasty"), 0)
    known: dict[str, Any] = {"tab": "me", "reason": Out.NONE, "since_ms": 4_000.0, "term": "7:her", "leader": "her", "tabs": 3}
    known |= {**counts, "serving": 0, "forwarded": (), "unled_ms": 0.0, "patience_ms": 1_500.0, "usual_ms": 1_500.0, "unread": 0}
    known["shared"] = ShareStatistics()
    statistics = TabStatistics(role=role, **{**known, **said})
    one = Pulse(streams=(), in_flight=0, clock_offset_ms=None, connections=1, tabs=statistics)
    rows = dict(connection_view([], one, 34_000.0, opened=True).rows)
    del rows["Requests in flight"]
    return rows


def test_the_details_say_what_a_tab_is_among_the_others_since_when_and_what_is_passed_on() -> None:
    # RT-60, RT-63
    assert tab(Role.LEADING, forwarded=("events", "workers")) == {
        "This tab": "leads 2 other tabs for 30 s, term 7:her",
        "Passed on to them": "events, workers",
    }
    assert tab(Role.LEADING)["Passed on to them"] == "nothing: no other tab wants a stream now"
    assert tab(Role.LEADING, tabs=1) == {"This tab": "leads, no other tab, for 30 s"}
    assert tab(Role.FOLLOWING, forwarded=("events",), patience_ms=3_200.0) == {
        "This tab": "follows tab her for 30 s, term 7:her; 3 tabs share one connection",
        "Passed on by its leader": "events",
        "Leader": "its beats are late: it is replaced after 3 s of silence",
    }
    assert tab(Role.FOLLOWING)["Passed on by its leader"] == "nothing yet"
    assert tab(Role.WAITING, tabs=1) == {"This tab": "waits for a leading tab for 30 s"}
    assert tab(Role.OUT, reason=Out.NO_LOCKS) == {"This tab": "alone: this browser or origin has no Web Locks"}
    many = tab(Role.LEADING, forwarded=tuple(f"s{number}" for number in range(9)))
    assert many["Passed on to them"] == "s0, s1, s2, s3, s4, s5 and 3 more"


def test_shared_answers_are_told_in_the_pill_where_there_were_any() -> None:
    # RT-62
    assert tab(Role.LEADING, shared=ShareStatistics(served=12, received=8))["Shared answers"] == "12 served, 8 received"
    assert "Shared answers" not in tab(Role.LEADING, shared=ShareStatistics(asked=3))
