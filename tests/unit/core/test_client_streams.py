"""Streams and snapshots of a live query, from the first request to the fallback, through the real client."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest
from core_world import STREAM, THINGS, World, changed, states, thing, versions

from pyapp.core.client import StreamKey, StreamSpec, WritableKey, item, live, stream_key
from pyapp.core.errors import KeyMisuse
from pyapp.core.ports import FrameKind
from pyapp.core.streams.decode import Decoder
from pyapp.core.testing import FakeHttp, FakeSources, ScriptedServer, VirtualClock
from pyapp.core.testing.things import Changed


def test_a_view_subscribes_then_confirms_then_takes_a_snapshot() -> None:
    # RT-34
    world = World()
    _, seen = world.look()
    world.settle()
    assert world.sources.history == [f"open {STREAM}"]
    world.http.take("things").reply([thing("a")], position="e1:3")  # from before the confirmation: shown, not as live
    world.settle()
    world.open()
    assert states(seen) == ["loading", "stale"]
    assert seen[-1].freshness.reason == "catching-up"
    world.http.take("things").reply([thing("a", 2)], position="e1:4")
    world.settle()
    assert states(seen) == ["loading", "stale", "live"]
    assert versions(seen) == [[("a", 1)], [("a", 2)]]
    assert world.http.count("things") == 2


def test_a_stream_that_is_confirmed_at_once_needs_one_snapshot_and_one_that_is_not_does_not_keep_the_rows_waiting() -> None:
    # RT-34
    world = World()
    _, seen = world.look()
    world.clock.advance(5)
    assert world.http.sent == []
    world.sources.accept(STREAM)
    world.sources.hello(STREAM, sequence=7)
    world.clock.advance(20)
    world.http.take("things").reply([thing("a")], position="e1:7")
    world.settle()
    assert (states(seen)[-1], world.http.count("things")) == ("live", 1)
    slow = World()
    slow.look()
    slow.clock.advance(60)
    assert slow.http.count("things") == 1


def test_an_open_socket_confirms_nothing_and_hello_does() -> None:
    # RT-30
    world = World()
    _, seen = world.look()
    world.settle()
    world.sources.accept(STREAM)
    world.settle()
    world.http.take("things").reply([thing("a")])
    world.settle()
    assert states(seen) == ["loading"]
    assert world.client.statistics().streams[0].state.phase == "open"
    assert not world.client.statistics().streams[0].state.confirmed


@pytest.mark.parametrize("by_data", [True, False])
def test_a_part_a_stream_is_confirmed_by_its_first_data_or_after_two_seconds(by_data: bool) -> None:
    # RT-30
    world = World()
    _, seen = world.look()
    world.settle()
    world.http.take("things").reply([thing("a")])
    world.sources.accept(STREAM)
    world.sources.record(world.sources.source(STREAM), FrameKind.NAMED_OPEN, "connected")
    world.clock.advance(1_900)
    assert world.http.waiting == []
    if by_data:
        world.say(changed("a", 2))
        world.settle()
    else:
        world.clock.advance(300)
    world.http.take("things").reply([thing("a", 2)])
    world.settle()
    assert states(seen) == ["loading", "stale", "live"]
    assert versions(seen)[-1] == [("a", 2)]


def test_at_part_a_a_late_snapshot_does_not_undo_the_events_since_its_request_began() -> None:
    # RT-7
    world = World()
    _, seen = world.look()
    world.settle()
    world.sources.accept(STREAM)
    world.clock.advance(2_100)
    world.http.take("things").reply([thing("a")])
    world.settle()
    late = world.http.take("things")
    world.say(changed("a", 2))
    world.say(changed("b", 1, made=2))
    world.settle()
    late.reply([thing("a", 1)])  # read before the events happened
    world.settle()
    assert versions(seen) == [[("a", 1)], [("b", 1), ("a", 2)]]


def test_at_part_b_events_that_a_snapshot_contains_do_not_undo_it_and_later_ones_are_kept() -> None:
    # RT-7
    world = World()
    _, seen = world.connected(sequence=5)
    world.client.refresh(THINGS)
    late = world.http.take("things")
    world.say(changed("a", 2), "e1:6")
    world.say(changed("a", 3), "e1:7")
    world.settle()
    # Read between the two; by then `a` had been set back at the server, which only the position tells.
    late.reply([thing("a", 1, "back")], position="e1:6")
    world.settle()
    assert versions(seen) == [[("a", 1)], [("a", 3)]]
    world.client.refresh(THINGS)
    world.http.take("things").reply([thing("a", 1)], position="e1:8")
    world.settle()
    world.say(changed("a", 9), "e1:8")  # travelled longer than the snapshot that contains it
    world.settle()
    assert versions(seen) == [[("a", 1)], [("a", 3)], [("a", 1)]]


def test_a_seeded_answer_with_a_resumed_stream_is_live_without_a_request() -> None:
    # RT-27, RT-34
    world = World()
    assert world.client.seed(THINGS, '[{"id":"a","made":1,"version":1,"state":"cold"}]', {"x-penstock-position": "e1:7"}, 0.0)
    _, seen = world.look()
    world.settle()
    assert world.sources.history == [f"open {STREAM}?last_event_id=e1%3A7"]
    world.open(resumed=True)
    world.say(changed("a", 2), "e1:8")
    world.settle()
    assert (states(seen), versions(seen)) == (["loading", "live"], [[("a", 1)], [("a", 2)]])
    assert world.http.sent == []


def test_a_seeded_answer_that_cannot_be_resumed_is_replaced_by_a_snapshot() -> None:
    # RT-34
    world = World()
    world.client.seed(THINGS, "[]", {"x-penstock-position": "old:7"}, 0.0)
    _, seen = world.look()
    world.settle()
    world.open()
    assert states(seen) == ["loading", "stale"]
    world.http.take("things").reply([thing("a")], position="e1:9")
    world.settle()
    assert states(seen) == ["loading", "stale", "live"]


def test_a_snapshot_that_reaches_the_beginning_of_the_stream_needs_no_other() -> None:
    # RT-34
    world = World()
    _, seen = world.look()
    world.settle()  # longer than the snapshot waits for its stream
    world.http.take("things").reply([thing("a")], position="e1:5")
    world.settle()
    assert states(seen)[-1] != "live"
    world.open(sequence=5)
    world.clock.advance(3_000)
    assert (states(seen)[-1], world.http.waiting) == ("live", [])
    assert world.http.count("things") == 1


def test_a_gap_of_a_stream_that_lingers_owes_nothing_to_anybody() -> None:
    # RT-11, RT-20
    world = World()
    observer, _ = world.connected()
    asked = len(world.http.sent)
    observer.close()
    world.sources.beat(STREAM, 9)
    world.settle()
    assert world.client.statistics().totals.gaps == 1
    world.clock.advance(5_000)
    assert (len(world.http.sent), world.sources.open_urls) == (asked, {})


def test_what_a_page_shows_of_its_streams_every_second_is_their_state_and_how_much_they_said() -> None:
    # RT-80
    world = World()
    world.connected()
    world.say(changed("a", 2), "e1:1")
    world.say("{torn", "e1:2")
    world.settle()
    pulse = world.client.pulse()
    assert [(str(one.key), str(one.state.phase), one.received) for one in pulse.streams] == [("things", "open", 2)]
    assert (pulse.tabs, pulse.connections) == (None, 1)


def test_streams_that_are_on_are_switched_on_without_a_change() -> None:
    # RT-71
    world = World()
    world.connected()
    told = len(world.changes)
    world.client.set_streaming(True)
    world.client.set_fetching(True)
    world.clock.advance(1_000)
    assert (world.sources.history, len(world.changes), world.http.waiting) == ([f"open {STREAM}"], told, [])


def test_a_drop_that_resumes_within_two_seconds_owes_nothing() -> None:
    # RT-32
    world = World()
    _, seen = world.connected(sequence=5)
    asked = world.http.count("things")
    world.break_off()
    world.clock.advance(1_200)
    world.open(resumed=True)
    world.say(changed("a", 2), "e1:6")
    world.settle()
    assert world.http.count("things") == asked
    assert states(seen) == ["loading", "live", "stale", "live"]
    assert versions(seen)[-1] == [("a", 2)]


def test_a_reconnect_that_is_not_resumed_owes_one_snapshot_within_a_second() -> None:
    # RT-32
    world = World()
    _, seen = world.connected(sequence=5)
    asked = world.http.count("things")
    world.break_off()
    world.clock.advance(1_200)
    world.open(epoch="e2")
    world.clock.advance(1_000)
    assert world.http.count("things") == asked + 1
    assert states(seen)[-1] == "stale"
    world.http.take("things").reply([thing("a", 3)], position="e2:0")
    world.settle()
    assert states(seen)[-1] == "live"
    assert world.http.count("things") == asked + 1


def test_a_hole_and_a_heartbeat_ahead_of_the_data_are_gaps() -> None:
    # RT-28
    for lose in ("hole", "beat"):
        world = World()
        _, seen = world.connected(sequence=5)
        if lose == "hole":
            world.say(changed("a", 3), "e1:7")
        else:
            world.sources.beat(STREAM, 6)
        world.settle()
        assert states(seen)[-1] == "stale"
        assert seen[-1].freshness.reason == "catching-up"
        world.clock.advance(1_000)
        world.http.take("things").reply([thing("a", 4)], position="e1:8")
        world.settle()
        assert states(seen)[-1] == "live"
        assert world.client.statistics().streams[0].gaps == 1


def test_a_first_heartbeat_beyond_the_snapshot_shows_what_was_lost_before_any_event() -> None:
    # RT-28: hello names no sequence, so only the heartbeat tells
    world = World()
    _, seen = world.look()
    world.settle()
    world.open()
    for _ in range(2):
        for pending in world.http.waiting:
            pending.reply([thing("a")], position="e1:5")
        world.settle()
    assert states(seen)[-1] == "live"
    world.sources.beat(STREAM, 6)
    world.settle()
    assert seen[-1].freshness.reason == "catching-up"
    world.clock.advance(1_000)
    world.http.take("things").reply([thing("a", 2)], position="e1:6")
    world.settle()
    assert states(seen)[-1] == "live"


def test_after_a_reset_only_a_snapshot_that_was_asked_for_later_will_do() -> None:
    # RT-38: what the server threw away lies after the last place that was seen
    world = World()
    _, seen = world.connected(sequence=5)
    world.client.refresh(THINGS)
    before = world.http.take("things")
    world.sources.record(world.sources.source(STREAM), FrameKind.RESET, '{"reason":"backpressure"}')
    world.settle()
    before.reply([thing("a", 1)], position="e1:5")
    world.settle()
    assert states(seen)[-1] == "stale"
    world.clock.advance(1_000)
    world.http.take("things").reply([thing("a", 9)], position="e1:14")
    world.settle()
    assert (states(seen)[-1], versions(seen)[-1]) == ("live", [("a", 9)])


def test_an_error_frame_fails_the_stream_although_the_status_was_200() -> None:
    # RT-24
    world = World()
    _, seen = world.connected(sequence=5)
    world.sources.record(world.sources.source(STREAM), FrameKind.NAMED_ERROR, '{"error": "stream disconnected"}')
    world.settle()
    stream = world.client.statistics().streams[0].state
    assert (stream.phase, stream.reason) == ("reconnecting", "server error")
    assert world.sources.history[-1] == f"close {STREAM}"
    assert states(seen)[-1] == "stale"


def test_frames_named_open_are_no_data_and_confirm_nothing() -> None:
    # RT-24
    world = World()
    world.look()
    world.settle()
    world.sources.record(world.sources.source(STREAM), FrameKind.NAMED_OPEN, "connected")
    world.settle()
    stream = world.client.statistics().streams[0]
    assert (stream.state.phase, stream.state.confirmed, stream.counts.received) == ("connecting", False, 0)


def test_a_server_that_accepts_says_an_error_and_drops_is_not_hammered() -> None:
    # RT-23: 200, open, error, end, again and again, for five minutes
    world = World()
    world.look()
    opened: list[float] = []
    seen = 0
    while world.clock.now() < 300_000:
        count = len([line for line in world.sources.history if line.startswith("open")])
        if count > seen:
            seen = count
            opened.append(world.clock.now())
            source = world.sources.source(STREAM)
            world.sources.record(source, FrameKind.OPENED)
            world.sources.record(source, FrameKind.NAMED_OPEN, "connected")
            world.sources.record(source, FrameKind.NAMED_ERROR, '{"error":"x"}')
        world.clock.advance(50)
    waits = [later - earlier for earlier, later in itertools.pairwise(opened)]
    assert [round(wait / 1000) for wait in waits[:5]] == pytest.approx([1, 2, 4, 8, 16], rel=0.2, abs=0.3)
    assert all(25_000 <= wait <= 35_000 for wait in waits[5:])
    assert len(opened) < 20


def test_being_unwanted_in_between_does_not_make_a_dropping_server_forgiven() -> None:
    # RT-23: n returns to 0 only when a connection was confirmed and held
    world = World()
    for _ in range(4):
        observer, _ = world.look()
        world.settle()
        world.break_off()
        observer.close()
        world.clock.advance(600)
    assert world.client.statistics().streams[0].state.failures == 4


def test_the_fallback_polls_after_twelve_seconds_and_ends_when_the_stream_is_live() -> None:
    # RT-33
    world = World()
    _, seen = world.connected(sequence=5)
    world.beats(6_000, 5)  # the grace of the opening is over
    asked = world.http.count("things")
    world.break_off()
    asked_at: list[float] = []
    broken = world.clock.now()
    while world.clock.now() < broken + 45_000:
        for pending in world.http.waiting:
            asked_at.append(world.clock.now() - broken)
            pending.reply([thing("a", len(asked_at) + 1)], position="e1:9")
        for url in list(world.sources.open_urls.values()):
            world.sources.fail(url.partition("?")[0])
        world.clock.advance(100)
    assert 11_500 <= asked_at[0] <= 12_500
    assert [round((b - a) / 1000) for a, b in itertools.pairwise(asked_at)] == [10] * (len(asked_at) - 1)
    assert states(seen) == ["loading", "live", "stale", "polling"]
    assert seen[-1].freshness.reason == "fallback"
    world.client.try_now()
    world.open(resumed=False)
    world.clock.advance(1_000)
    world.http.take("things").reply([thing("a", 50)], position="e1:9")
    world.settle()
    count = world.http.count("things")
    world.beats(30_000, 9)
    assert states(seen)[-1] == "live"
    assert world.http.count("things") == count > asked  # polling and streaming never both feed one query


def test_a_failed_refetch_keeps_the_data_and_shows_the_error_beside_it() -> None:
    # RT-12
    world = World()
    _, seen = world.connected(sequence=5)
    kept = seen[-1].data
    world.client.refresh(THINGS)
    world.http.take("things").reply("boom", status=500, headers={"content-type": "text/plain"})
    world.settle()
    assert seen[-1].data is kept
    assert seen[-1].error is not None
    assert (seen[-1].freshness.state, seen[-1].freshness.reason) == ("error", "server")
    world.clock.advance(1_100)
    world.http.take("things").reply([thing("a")], position="e1:5")
    world.settle()
    assert seen[-1].error is None
    assert seen[-1].data is kept


def test_a_missing_item_does_not_keep_the_rest_of_its_stream_from_being_live() -> None:
    # RT-30, RT-33
    world = World()
    _, seen = world.connected(sequence=5)
    _, items = world.look(item("things", "zz"))
    world.settle()
    world.http.take("things/zz").reply({"detail": "no such thing"}, status=404)
    world.settle()
    world.break_off()
    world.clock.advance(1_200)
    world.open(epoch="e2")
    world.clock.advance(1_200)
    for pending in world.http.waiting:
        if pending.request.url.endswith("zz"):
            pending.reply({"detail": "no such thing"}, status=404)
        else:
            pending.reply([thing("a")], position="e2:0")
    world.settle()
    assert items[-1].freshness.reason == "missing"
    assert states(seen)[-1] == "live"
    world.clock.advance(20_000)
    assert "polling" not in states(seen)


def test_an_item_that_was_asked_for_too_early_is_asked_for_again_when_an_event_speaks_of_it() -> None:
    # The real server answers 404 for a job that is still queued.
    world = World()
    world.connected(sequence=5)
    _, items = world.look(item("things", "zz"))
    world.settle()
    world.http.take("things/zz").reply({}, status=404)
    world.settle()
    world.say(changed("other"), "e1:6")
    world.settle()
    assert world.http.waiting == []
    world.say(changed("zz"), "e1:7")
    world.settle()
    world.http.take("things/zz").reply(thing("zz"), position="e1:7")
    world.settle()
    assert states(items) == ["loading", "error", "live"]


def test_rapid_flapping_ends_with_exactly_the_right_set() -> None:
    # RT-20
    world = World()
    observer = None
    for step in range(41):
        if observer is None:
            observer, _ = world.look()
        else:
            observer.close()
            observer = None
        world.clock.advance(1 + step * 20)
    assert observer is not None
    world.clock.advance(2_000)
    assert list(world.sources.open_urls.values()) == [STREAM]
    observer.close()
    world.clock.advance(499)
    assert len(world.sources.open_urls) == 1
    world.clock.advance(1)
    assert world.sources.open_urls == {}


def test_coming_straight_back_finds_the_stream_still_open() -> None:
    # RT-20
    world = World()
    observer, _ = world.look()
    world.settle()
    observer.close()
    world.clock.advance(400)
    world.look()
    world.clock.advance(5_000)
    assert world.sources.history == [f"open {STREAM}"]


def test_the_same_stream_wanted_many_times_is_one_connection() -> None:
    # RT-20
    world = World()
    world.look()
    world.look(live("things", state=["hot"]))
    world.client.use_stream(stream_key("things"), lambda event: None)
    world.settle()
    assert len(world.sources.open_urls) == 1


def written_by(name: str) -> Callable[[WritableKey], StreamKey]:
    return lambda key: stream_key(name)


def many_streams(count: int) -> dict[str, StreamSpec]:
    return {f"s{number}": StreamSpec(f"s{number}", f"s{number}/stream", Decoder(Changed), number) for number in range(count)}


def test_on_http1_four_of_five_wanted_streams_are_open_and_the_fifth_polls_for_the_budget() -> None:
    # RT-64
    specs = many_streams(5)
    shared = ScriptedServer(VirtualClock(), FakeSources(), FakeHttp()).queries()["things"]
    queries = {f"q{n}": replace(shared, family=f"q{n}", stream=written_by(f"s{n}")) for n in range(5)}
    world = World(streams=specs, queries=queries)
    seen = [world.look(live(f"q{n}"))[1] for n in (4, 3, 2, 1, 0)][::-1]
    world.settle()
    assert sorted(world.sources.open_urls.values()) == ["s0/stream", "s1/stream", "s2/stream", "s3/stream"]
    for _ in range(400):
        for pending in world.http.waiting:
            pending.reply([thing("a")], position="e1:0")
        world.clock.advance(100)
    assert (seen[4][-1].freshness.state, seen[4][-1].freshness.reason) == ("polling", "budget")
    assert world.client.statistics().requests.limit == 2


def test_streams_that_linger_give_their_connections_to_those_that_are_wanted() -> None:
    # RT-64: a change of route must not open a fifth stream even for the half second of the linger
    world = World(streams=many_streams(8))
    ends = [world.client.use_stream(stream_key(f"s{n}"), lambda event: None) for n in range(4)]
    world.settle()
    for end in ends:
        end()
    for n in range(4, 8):
        world.client.use_stream(stream_key(f"s{n}"), lambda event: None)
        assert len(world.sources.open_urls) <= 4
    assert sorted(world.sources.open_urls.values()) == [f"s{n}/stream" for n in range(4, 8)]


def test_newer_protocols_have_room_for_many_streams() -> None:
    # RT-64
    world = World(streams=many_streams(30), protocol="h2")
    for n in range(30):
        world.client.use_stream(stream_key(f"s{n}"), lambda event: None)
    assert len(world.sources.open_urls) == 24


def test_an_unknown_stream_is_refused_at_once_and_harms_nobody() -> None:
    world = World()
    with pytest.raises(KeyMisuse, match="no stream 'nonsense'"):
        world.client.use_stream(stream_key("nonsense"), print)
    world.look()
    world.settle()
    assert list(world.sources.open_urls.values()) == [STREAM]


def test_events_reach_subscribers_in_order_and_one_that_raises_does_not_keep_them_from_the_others() -> None:
    # RT-77
    world = World()
    heard: list[int] = []

    def bad(event: Changed) -> None:
        raise ValueError("mine")

    world.client.use_stream(stream_key("things"), bad)
    end = world.client.use_stream(stream_key("things"), lambda event: heard.append(event.thing.version))
    world.settle()
    world.open()
    for version in range(1, 6):
        world.say(changed("a", version))
    world.settle()
    end()
    end()
    world.say(changed("a", 6))
    world.settle()
    assert heard == [1, 2, 3, 4, 5]
    assert world.client.statistics().errors == ("ValueError: mine",) * 6


def test_one_callback_that_subscribes_twice_is_two_subscriptions() -> None:
    world = World()
    heard: list[int] = []

    def hear(event: Changed) -> None:
        heard.append(event.thing.version)

    first = world.client.use_stream(stream_key("things"), hear)
    world.client.use_stream(stream_key("things"), hear)
    world.settle()
    world.open()
    world.say(changed("a", 1))
    world.settle()
    first()
    first()
    world.say(changed("a", 2))
    world.settle()
    assert heard == [1, 1, 2]


def test_the_kill_switch_closes_streams_and_what_they_fed_polls_also_after_a_change_of_route() -> None:
    # RT-71, RT-33 (no grace for flag off)
    world = World()
    observer, seen = world.connected(sequence=5)
    world.client.set_streaming(False)
    world.settle()
    assert world.sources.open_urls == {}
    assert states(seen)[-1] == "polling"
    observer.close()
    world.clock.advance(1_000)
    _, again = world.look()
    world.clock.advance(10_100)
    world.http.take("things").reply([thing("a", 2)], position="e1:9")
    world.settle()
    assert states(again)[-1] == "polling"
    assert versions(again) == [[("a", 1)], [("a", 2)]]
    world.client.set_streaming(True)
    world.settle()
    assert len(world.sources.open_urls) == 1


@pytest.mark.parametrize(
    "hostile",
    [
        '{"heartbeat_ms": 1e999, "epoch": "x"}',
        '{"heartbeat_ms": ' + "9" * 400 + ', "retry_ms": 1e308, "epoch": "x"}',
        "[" * 100_000,
        "null",
        "[]",
        '{"sequence": ' + "9" * 5_000 + "}",
        '{"at": "9999-12-31T23:59:59-23:59", "heartbeat_ms": 1, "epoch": {}}',
        "\ud800",
    ],
)
@pytest.mark.parametrize("kind", [FrameKind.HELLO, FrameKind.HEARTBEAT, FrameKind.BYE, FrameKind.RESET, FrameKind.NAMED_ERROR])
def test_no_control_frame_breaks_the_beat_or_silences_the_stream_for_ever(kind: FrameKind, hostile: str) -> None:
    # RT-29
    world = World()
    world.look()
    world.settle()
    world.sources.accept(STREAM)
    world.sources.record(world.sources.source(STREAM), kind, hostile)
    world.settle()
    state = world.client.statistics().streams[0].state
    assert state.retry_at_ms is None or state.retry_at_ms <= world.clock.now() + 2 * 3_600_000
    if state.phase == "open":
        world.say(changed("a"))
        world.settle()
        assert world.client.statistics().streams[0].counts.applied == 1


@pytest.mark.parametrize("frame_id", ["e1:" + "9" * 5_000, "::::", "e1:٣", "e1:-1", ":1", "e1:", "\ud800:1", "e1:1e3"])
def test_no_frame_id_breaks_the_stream(frame_id: str) -> None:
    # RT-29
    world = World()
    world.look()
    world.settle()
    world.open()
    world.say(changed("a"), frame_id)
    world.settle()
    assert world.client.statistics().streams[0].counts.applied == 1


def test_streams_come_and_go_for_days_without_being_remembered_for_ever() -> None:
    specs = {"s": StreamSpec("s", "s/{n}", Decoder(Changed), 1)}
    world = World(streams=specs)
    for number in range(300):
        end = world.client.use_stream(stream_key("s", n=number), lambda event: None)
        world.settle()
        end()
        world.clock.advance(600)
    assert len(world.client.statistics().streams) <= 65


def test_a_snapshot_that_is_owed_is_owed_still_to_who_comes_back() -> None:
    # RT-32: a torn frame, nobody looks any more, and the stream resumes from behind it
    world = World()
    observer, _ = world.connected()
    world.client.set_offline(True)  # what is owed waits
    world.say(changed("b"), "e1:2")
    world.settle()
    observer.close()
    world.clock.advance(2_000)
    world.client.set_offline(False)
    asked = len(world.http.sent)
    _, seen = world.look()
    world.settle()
    world.open(resumed=True, sequence=2)
    world.clock.advance(1_500)
    assert len(world.http.sent) == asked + 1
    assert "live" not in states(seen)


def test_what_comes_while_a_stream_lingers_is_ignored_and_counted() -> None:
    # RT-20, RT-40
    world = World()
    observer, seen = world.connected()
    told = len(seen)
    observer.close()
    world.say(changed("b"), "e1:1")
    world.clock.advance(200)
    counts = world.client.statistics().streams[0].counts
    assert (counts.received, counts.ignored, counts.applied) == (1, 1, 0)
    assert len(seen) == told
