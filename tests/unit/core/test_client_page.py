"""What a person and the page do: live off and on, windows, hiding, closing, observers that misbehave; through the real client."""

from __future__ import annotations

import random
from typing import Any

import pytest
from core_world import STREAM, THINGS, World, changed, data_of, states, thing, versions
from hypothesis import given, settings
from hypothesis import strategies as st

from pyapp.core.cache.result import Result
from pyapp.core.client import Client, MutationSpec, aggregate, live, stream_key, window
from pyapp.core.errors import Disposed, HttpError, KeyMisuse, UnknownMutation
from pyapp.core.ports import FrameKind, HttpRequest
from pyapp.core.testing import FakeHttp, FakeSources, FakeVisibility, ScriptedServer, VirtualClock

RANGE = window("things", after="2026-01-01T00:00:00Z", before="2027-01-01T00:00:00Z")


# Live off and on (RT-5) ------------------------------------------------------------------------------------------------------------


def test_live_off_freezes_at_once_and_gives_the_stream_up() -> None:
    # RT-5
    world = World()
    observer, seen = world.connected(sequence=5)
    shown = seen[-1]
    observer.set_live(False)
    world.client.now()
    assert (seen[-1].freshness.state, seen[-1].freshness.reason) == ("paused", "user")
    world.say(changed("a", 2), "e1:6")
    world.settle()
    assert seen[-1].data is shown.data
    assert seen[-1].updated_ms == shown.updated_ms
    world.clock.advance(500)
    assert world.sources.open_urls == {}
    asked = len(world.http.sent)
    world.clock.advance(120_000)
    assert len(world.http.sent) == asked
    assert versions(seen) == [[("a", 1)]]


def test_live_on_shows_the_last_data_at_once_and_asks_once() -> None:
    # RT-5
    world = World()
    observer, seen = world.connected(sequence=5)
    observer.set_live(False)
    world.clock.advance(60_000)
    asked = world.http.count("things")
    observer.set_live(True)
    world.client.now()
    assert versions(seen) == [[("a", 1)]]
    assert seen[-1].freshness.state != "paused"
    world.settle()
    world.open(epoch="e2")
    world.clock.advance(1_000)
    world.http.take("things").reply([thing("a", 7)], position="e2:0")
    world.beats(10_000)
    assert world.http.count("things") == asked + 1
    assert versions(seen) == [[("a", 1)], [("a", 7)]]
    assert states(seen)[-1] == "live"


def test_of_two_observers_one_may_pause_while_the_other_goes_on() -> None:
    # RT-5
    world = World()
    first, seen = world.connected(sequence=5)
    _, other = world.look()
    world.settle()
    first.set_live(False)
    for version in (2, 3):
        world.say(changed("a", version), f"e1:{version + 4}")
        world.settle()
    assert versions(seen) == [[("a", 1)]]
    assert versions(other) == [[("a", 1)], [("a", 2)], [("a", 3)]]
    assert len(world.sources.open_urls) == 1
    assert first.result.freshness.changes_since == 2
    first.set_live(True)
    world.settle()
    assert versions(seen) == [[("a", 1)], [("a", 3)]]


def test_what_is_paused_from_the_start_is_read_once() -> None:
    # RT-5
    world = World()
    observer, seen = world.look(on=False)
    world.settle()
    assert states(seen) == ["loading"]
    world.http.take("things").reply([thing("a")], position="e1:1")
    world.settle()
    world.clock.advance(60_000)
    assert (states(seen), world.http.count("things"), world.sources.open_urls) == (["loading", "paused"], 1, {})
    assert observer.result.has_data


def test_refresh_reaches_those_who_paused_too() -> None:
    # RT-37
    world = World()
    observer, seen = world.connected(sequence=5)
    observer.set_live(False)
    world.settle()
    world.client.refresh(THINGS)
    world.http.take("things").reply([thing("a", 8)], position="e1:5")
    world.settle()
    assert (versions(seen)[-1], states(seen)[-1]) == ([("a", 8)], "paused")
    world.client.refresh(THINGS)
    world.http.take("things").reply({"detail": "no"}, status=500)
    world.settle()
    assert isinstance(seen[-1].error, HttpError)
    assert versions(seen)[-1] == [("a", 8)]


# Windows (RT-3, RT-4) --------------------------------------------------------------------------------------------------------------


def test_a_window_is_fetched_when_it_is_opened_and_when_the_user_asks_again() -> None:
    # RT-3
    world = World()
    _, seen = world.look(RANGE)
    world.settle()
    world.http.take("things").reply([thing("a")])
    world.settle()
    world.clock.advance(3_600_000)
    assert len(world.http.sent) == 1
    world.client.refresh(RANGE)
    world.http.take("things").reply([thing("a", 2)])
    world.settle()
    assert versions(seen) == [[("a", 1)], [("a", 2)]]
    assert states(seen) == ["loading", "window"]


def test_nothing_but_the_user_may_be_handed_a_window() -> None:
    # RT-3
    world = World()
    world.look(RANGE)
    with pytest.raises(KeyMisuse):
        world.client.invalidate(RANGE)  # type: ignore[arg-type]
    with pytest.raises(KeyMisuse):
        world.client._cache.write(RANGE, None)  # type: ignore[arg-type]  # pyright: ignore[reportPrivateUsage]


NOISE = st.lists(
    st.sampled_from(
        ["event", "gap", "drop", "reset", "poll", "invalidate", "hide", "show", "off", "on", "refresh live", "beat", "end"]
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(NOISE)
def test_a_window_is_the_same_object_after_any_streams_polls_and_invalidations(noise: list[str]) -> None:
    # RT-3, as a property
    world = World()
    _, seen = world.look(RANGE)
    world.http.take("things").reply([thing("a"), thing("b")], position="e1:1")
    world.look()
    world.look(aggregate("count"))
    world.settle()
    text = data_of(seen[-1]).rows[0].model_dump_json()
    kept: Any = seen[-1].data
    window_requests = [p for p in world.http.sent if "mode=window" in p.request.url]
    for number, what in enumerate(noise):
        for url in list(world.sources.open_urls.values()):
            source = world.sources.source(url.partition("?")[0])
            match what:
                case "event" | "gap":
                    event = changed("a", number + 2, "hot")
                    world.say(event, f"e1:{number if what == 'event' else number * 3}")
                case "drop":
                    world.sources.record(source, FrameKind.FAILED, "0")
                case "reset":
                    world.sources.record(source, FrameKind.RESET, "{}")
                case "beat":
                    world.sources.beat(STREAM, number)
                case "end":
                    world.sources.record(source, FrameKind.OPENED)
                    world.sources.hello(STREAM, epoch=f"e{number}")
                case _:
                    pass
        match what:
            case "poll":
                world.clock.advance(61_000)
            case "invalidate":
                world.client.invalidate(THINGS)
            case "hide" | "show":
                world.page.set(hidden=what == "hide")
                world.clock.advance(11_000)
            case "off" | "on":
                world.client.set_streaming(what == "on")
            case "refresh live":
                world.client.refresh(THINGS)
            case _:
                world.clock.advance(130)
        for pending in world.http.waiting:
            pending.reply({} if pending.request.url == "count" else [thing("a", number + 5, "poll")], position=f"e1:{number}")
        world.settle()
    assert seen[-1].data is kept
    assert kept.rows[0].model_dump_json() == text
    assert [p for p in world.http.sent if "mode=window" in p.request.url] == window_requests


# Hidden (RT-50, RT-51) -------------------------------------------------------------------------------------------------------------


def test_a_page_hidden_past_its_grace_holds_nothing_and_asks_nothing() -> None:
    # RT-50
    world = World()
    _, seen = world.connected(sequence=5)
    _, counted = world.look(aggregate("count"))
    world.settle()
    world.http.take("count").reply({"cold": 1})
    world.settle()
    told: list[bool] = []
    world.client.on_paused(told.append)
    world.page.set(hidden=True)
    world.clock.advance(9_900)
    assert len(world.sources.open_urls) == 1
    world.clock.advance(200)
    for pending in world.http.waiting:
        pending.reply({"cold": 1})
    world.settle()
    assert (world.sources.open_urls, told, world.client.paused) == ({}, [True], True)
    asked = len(world.http.sent)
    world.clock.advance(8 * 3_600_000)
    assert len(world.http.sent) == asked
    assert [(s[-1].freshness.state, s[-1].freshness.reason) for s in (seen, counted)] == [("paused", "hidden")] * 2
    assert world.clock.timers == 0


def test_a_page_hidden_for_less_than_its_grace_notices_nothing() -> None:
    # RT-50
    world = World()
    _, seen = world.connected(sequence=5)
    for _ in range(3):
        world.page.set(hidden=True)
        world.clock.advance(4_000)
        world.sources.beat(STREAM, 5)
        world.page.set(hidden=False)
        world.clock.advance(4_000)
        world.sources.beat(STREAM, 5)
    assert states(seen) == ["loading", "stale", "live"] or states(seen) == ["loading", "live"]
    assert len([line for line in world.sources.history if line.startswith("open")]) == 1


def test_hidden_within_its_grace_events_are_applied_and_nothing_is_painted() -> None:
    # RT-41
    world = World()
    painted: list[float] = []

    def paint() -> bool:
        painted.append(world.clock.now())
        return True

    world.client.on_paint(paint)
    _, seen = world.connected(sequence=5)
    world.page.set(hidden=True)
    before = len(painted)
    world.say(changed("a", 2), "e1:6")
    world.settle()
    assert versions(seen)[-1] == [("a", 2)]
    assert len(painted) == before
    world.page.set(hidden=False)
    world.settle()
    assert len(painted) == before + 1


def test_a_page_that_is_seen_again_shows_its_data_at_once_and_catches_up() -> None:
    # RT-51
    world = World()
    _, seen = world.connected(sequence=5)
    world.page.set(hidden=True)
    world.clock.advance(60_000)
    asked = world.http.count("things")
    world.page.set(hidden=False)
    world.settle()
    assert versions(seen)[-1] == [("a", 1)]
    assert world.sources.history[-1] == f"open {STREAM}?last_event_id=e1%3A5"
    world.open(resumed=True)
    world.say(changed("a", 2), "e1:6")
    world.settle()
    assert seen[-1].freshness.reason == "catching-up"
    world.clock.advance(1_000)
    world.http.take("things").reply([thing("a", 3)], position="e1:7")
    world.settle()
    assert world.http.count("things") == asked + 1
    assert states(seen)[-3:] == ["paused", "stale", "live"]


def test_a_return_says_nothing_of_a_later_absence() -> None:
    # RT-32: a stream that was away for more than two seconds owes a snapshot, also after somebody had once come back to the page
    world = World()
    world.connected(sequence=5)
    world.page.set(hidden=True)
    world.clock.advance(60_000)
    world.page.set(hidden=False)
    world.settle()
    world.open(resumed=True)
    world.clock.advance(1_000)
    world.http.take("things").reply([thing("a", 3)], position="e1:7")
    world.clock.advance(6_000)
    asked = world.http.count("things")
    world.break_off()
    world.clock.advance(3_000)
    world.open(resumed=True)
    world.clock.advance(1_000)
    assert world.http.count("things") == asked + 1


def test_a_page_that_starts_hidden_stops_after_its_grace() -> None:
    # RT-50
    clock, sources, http, page = VirtualClock(), FakeSources(), FakeHttp(), FakeVisibility()
    page.set(hidden=True)
    specs = ScriptedServer(clock, sources, http)
    client = Client(
        clock=clock,
        sources=sources,
        http=http,
        visibility=page,
        random=random.Random(1),
        queries=specs.queries(),
        streams=specs.streams(),
    )
    client.use_query(THINGS, lambda result: None)
    assert len(sources.open_urls) == 1
    clock.advance(10_000)
    assert sources.open_urls == {}


# What a person does ----------------------------------------------------------------------------------------------------------------


def test_what_the_user_did_is_told_at_once_outside_the_beat() -> None:
    # RT-43
    world = World()
    _, seen = world.look()
    assert seen == []
    world.client.now()
    assert states(seen) == ["loading"]


def test_a_mutation_tells_its_outcome_and_asks_for_what_it_made_old() -> None:
    spec = MutationSpec(
        "poke", lambda args: HttpRequest("POST", f"poke/{args['id']}"), lambda args: (THINGS, live("things", state=["x"]))
    )
    world = World(mutations={"poke": spec})
    world.connected(sequence=5)
    outcomes: list[Any] = []
    world.client.mutate("poke", {"id": "a"}, outcomes.append)
    asked = world.http.count("things")
    world.http.take("poke/a").reply({"ok": True})
    assert outcomes == ['{"ok": true}']
    assert world.http.count("things") == asked + 1  # and not the list that nobody looks at
    world.client.mutate("poke", {"id": "b"}, outcomes.append)
    world.http.take("poke/b").reply({"detail": "not now"}, status=409)
    assert str(outcomes[1]) == "The server answered 409: not now."
    with pytest.raises(UnknownMutation):
        world.client.mutate("nothing", {}, outcomes.append)
    statistics = world.client.statistics().mutations
    assert (statistics.pending, statistics.done, statistics.failed) == (0, 1, 1)


def test_a_mistake_in_a_callback_of_a_request_is_kept_and_harms_no_other() -> None:
    told: list[Exception] = []
    world = World()
    world.client._on_error = told.append  # pyright: ignore[reportPrivateUsage]
    got: list[Any] = []

    def mistaken(outcome: Any) -> None:
        raise ZeroDivisionError

    world.client.request("x", HttpRequest("GET", "x"), mistaken)
    world.client.request("x", HttpRequest("GET", "x"), got.append)
    world.http.take("x").reply({})
    assert [type(error) for error in told] == [ZeroDivisionError]
    assert len(got) == 1


def test_the_parts_of_the_coordinator_are_switched_off_and_on_at_the_client() -> None:
    # RT-71
    world = World()
    got: list[Any] = []

    def ask() -> int:
        before = len(world.http.waiting)
        for _ in range(2):
            world.client.request("x", HttpRequest("GET", "x"), got.append)
        return len(world.http.waiting) - before

    assert ask() == 1
    world.client.configure_requests(coordinate=False)
    assert (ask(), world.client.statistics().requests.coordinated) == (2, False)
    world.client.configure_requests(coordinate=True, limits=False)
    assert ask() == 1
    assert (world.client.statistics().requests.coordinated, world.client.statistics().requests.limited) == (True, False)


# Observers -------------------------------------------------------------------------------------------------------------------------


def test_an_observer_that_raises_keeps_nobody_from_their_data() -> None:
    world = World()

    def bad(result: Result[Any]) -> None:
        raise ValueError("mine")

    world.client.use_query(THINGS, bad)
    _, seen = world.connected(sequence=5)
    assert states(seen)[-1] == "live"
    assert set(world.client.statistics().errors) == {"ValueError: mine"}
    for _ in range(100):
        world.client.refresh(THINGS)
        for pending in world.http.waiting:
            pending.reply([thing("a", random.randrange(10**9))])
        world.settle()
    assert len(world.client.statistics().errors) == 20


def test_observers_may_leave_and_come_during_notification() -> None:
    world = World()
    seen: list[str] = []
    observers: list[Any] = []

    def leaving(result: Result[Any]) -> None:
        seen.append("leaving")
        for observer in list(observers):
            observer.close()
        world.client.use_query(THINGS, lambda result: seen.append("came"))

    observers.append(world.client.use_query(THINGS, leaving))
    observers.append(world.client.use_query(THINGS, lambda result: seen.append("never")))
    world.settle()
    world.settle()
    assert seen == ["leaving", "came"]


def test_a_scope_ends_what_was_used_within_it_the_latest_first() -> None:
    # RT-77
    world = World()
    scope = world.client.scope()
    order: list[int] = []
    scope.add(lambda: order.append(1))
    world.client.use_query(THINGS, lambda result: None, scope=scope)
    world.client.use_stream(stream_key("things"), lambda event: None, scope=scope)
    scope.add(lambda: order.append(2))
    scope.close()
    scope.close()
    scope.add(lambda: order.append(3))
    world.clock.advance(600)
    assert (order, world.sources.open_urls) == ([2, 1, 3], {})


# The end ---------------------------------------------------------------------------------------------------------------------------


def test_nothing_is_left_after_close_whatever_was_under_way() -> None:
    # RT-53
    world = World()
    observer, _ = world.connected(sequence=5)
    scope = world.client.scope()
    world.client.use_query(aggregate("count"), lambda result: None, scope=scope)
    world.client.use_query(live("things", state=["hot"]), lambda result: None)
    end = world.client.use_stream(stream_key("things"), lambda event: None)
    world.client.request("x", HttpRequest("GET", "x"), lambda outcome: None)
    world.look(RANGE)
    world.say(changed("a", 2), "e1:9")
    world.page.set(hidden=True)
    world.client.close()
    assert world.clock.timers == 0
    assert world.sources.open_urls == {}
    assert world.http.waiting == []
    # Late calls of parts that do not know yet.
    world.page.set(hidden=False)
    world.page.set(hidden=True)
    observer.set_live(False)
    observer.set_live(True)
    observer.close()
    scope.close()
    end()
    world.client.refresh(THINGS)
    world.client.now()
    world.client.wake()
    world.client.try_now()
    world.client.set_streaming(False)
    world.client.set_streaming(True)
    world.client.close()
    with pytest.raises(Disposed):
        world.client.use_query(THINGS, lambda result: None)
    with pytest.raises(Disposed):
        world.client.use_stream(stream_key("things"), lambda event: None)
    with pytest.raises(Disposed):
        world.client.request("x", HttpRequest("GET", "x"), lambda outcome: None)
    assert (world.clock.timers, world.sources.open_urls, world.http.waiting) == (0, {}, [])


def test_a_query_that_nobody_observes_is_neither_polled_nor_kept() -> None:
    # RT-11
    world = World()
    world.client.seed(live("things", state=["seeded"]), "[]", {}, 0.0)
    observer, _ = world.connected(sequence=5)
    observer.close()
    asked = len(world.http.sent)
    world.clock.advance(299_000)
    assert len(world.client.statistics().cache.queries) >= 1
    world.clock.advance(2_000)
    assert world.client.statistics().cache.queries == ()
    assert len(world.http.sent) == asked
    assert world.clock.timers == 0


# A day -----------------------------------------------------------------------------------------------------------------------------


def test_who_comes_back_to_data_that_was_live_is_not_told_that_it_is() -> None:
    # RT-84, RT-34
    world = World()
    observer, _ = world.connected()
    observer.close()
    assert world.client.peek(THINGS).freshness.state == "stale"  # type: ignore[union-attr]
    world.clock.advance(2_000)  # past the linger: the stream is closed
    again, _ = world.look()
    assert again.result.freshness.state != "live"


def test_a_client_of_its_own_takes_nothing_from_other_tabs() -> None:
    # RT-62, RT-63
    world = World()
    assert not world.client.seed_shared(THINGS, "[]", "e1:1", 0.0, 0.0)
    known = world.client.peek(THINGS)
    assert known is None or not known.has_data
