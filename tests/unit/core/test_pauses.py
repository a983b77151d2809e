"""What pauses fetching (RT-31), alone and through the real client: the whole table by machine, and each reason seen in the figures."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from core_world import STREAM, THINGS, World, thing
from hypothesis import given, settings
from hypothesis import strategies as st

from pyapp.core.client import aggregate, window
from pyapp.core.feeds.gate import Situation, Why, next_fetch
from pyapp.core.feeds.pause import Pause, words
from pyapp.core.ports import HttpRequest
from pyapp.core.timings import Timings

T = Timings()
RANGE = window("things", after="2026-01-01T00:00:00Z", before="2027-01-01T00:00:00Z")
COUNT = aggregate("count")


def pauses(world: World) -> dict[str, tuple[str, ...]]:
    return {row.key: row.pauses for row in world.client.statistics().feeds.queries}


def counted(world: World) -> None:
    """A query that is polled by design, with its first answer."""
    world.look(COUNT)
    world.settle()
    world.http.take("count").reply({"n": 1})
    world.settle()


def test_in_every_situation_a_fetch_is_suppressed_only_for_the_reasons_of_the_rule() -> None:
    # RT-31
    sides = (False, True)
    held = [frozenset[Pause](), *(frozenset({pause}) for pause in Pause), frozenset(Pause)]
    seen = 0
    for pause, fetching, data, failed, retryable, owed, streamed, healthy, polling, announces in product(
        held, sides, sides, sides, sides, sides, sides, sides, sides, sides
    ):
        situation = Situation(
            pauses=pause,
            fetching=fetching,
            has_data=data,
            began_ms=1_000.0 if data else None,
            failed_ms=4_000.0 if failed else None,
            failures=int(failed),
            retryable=retryable,
            owed_at_ms=20_000.0 if owed else None,
            streamed=streamed,
            healthy=healthy,
            polling=polling and not healthy,
            announces=announces,
        )
        upcoming = next_fetch(5_000.0, situation, T)
        seen += 1
        if fetching or pause - {Pause.FLAG, Pause.BREAKER} or (failed and not retryable):
            assert upcoming is None
            continue
        periodic = data and not failed
        if upcoming is None:
            # By the flag; or its stream is being opened, and within its grace nothing periodic is due.
            assert periodic
            assert Pause.FLAG in pause or (streamed and not healthy and not polling and not owed)
            continue
        if upcoming[1] is Why.SAFETY:  # the long interval: health suppressed the short one
            assert healthy
            assert streamed
            assert periodic
            assert not owed
        if periodic and owed:
            assert upcoming[0] <= 20_000.0
    assert seen == len(held) * 2**9


SITUATIONS = st.builds(
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


@settings(derandomize=True)
@given(SITUATIONS)
def test_what_health_suppresses_is_healthy_has_data_and_was_asked_for_by_no_stream_signal(situation: Situation) -> None:
    # RT-31
    well = next_fetch(5_000.0, situation, T)
    ill = next_fetch(5_000.0, replace(situation, healthy=False, polling=True), T)
    suppressed = ill is not None and (well is None or well[0] > ill[0]) and situation.healthy
    if suppressed:
        assert situation.streamed
        assert situation.has_data
        assert situation.owed_at_ms is None
        assert not situation.pauses - {Pause.BREAKER}


def test_the_reasons_are_said_in_one_order() -> None:
    # RT-31
    assert words({Pause.FLAG, Pause.HIDDEN}) == ("hidden", "flag")


def test_offline_nothing_is_asked_by_itself_and_a_snapshot_is_owed_afterwards() -> None:
    # RT-31, RT-32, RT-52
    world = World()
    _, seen = world.connected()
    counted(world)
    world.client.set_offline(True)
    world.client.set_offline(True)
    world.settle()
    assert (seen[-1].freshness.state, seen[-1].freshness.reason) == ("stale", "offline")
    assert pauses(world) == {str(THINGS): ("offline",), str(COUNT): ("offline",)}
    asked = len(world.http.sent)
    world.beats(60_000)
    assert len(world.http.sent) == asked
    assert len(world.sources.open_urls) == 1  # an open stream stays
    world.client.set_offline(False)
    world.settle()
    assert seen[-1].freshness.reason == "catching-up"
    world.clock.advance(1_000)
    world.http.take("things").reply([thing("a")], position="e1:0")
    world.http.take("count").reply({"n": 2})
    world.settle()
    assert seen[-1].freshness.state == "live"
    assert pauses(world) == {str(THINGS): (), str(COUNT): ()}


def test_offline_a_retry_waits_and_what_failed_is_asked_for_at_once_when_the_network_is_back() -> None:
    # RT-31
    world = World()
    _, seen = world.look(COUNT)
    world.settle()
    for _ in range(5):
        world.http.take("count").lose()
        while not world.http.waiting:
            world.clock.advance(500)
    world.http.take("count").lose()
    world.client.set_offline(True)
    world.settle()
    assert seen[-1].freshness.reason == "network"
    asked = world.http.count("count")
    world.clock.advance(600_000)
    assert world.http.count("count") == asked
    world.client.set_offline(False)
    world.settle()
    assert world.http.count("count") == asked + 1


def test_hidden_windows_breakers_and_the_flag_are_seen_as_reasons() -> None:
    # RT-3, RT-31, RT-66
    world = World()
    counted(world)
    world.look(RANGE)
    world.settle()
    while pauses(world)[str(COUNT)] != ("breaker",):
        for pending in world.http.waiting:
            if pending.request.url == "count":
                pending.reply({"detail": "x"}, status=500)
        world.clock.advance(500)
    assert pauses(world) == {str(COUNT): ("breaker",), str(RANGE): ("window",)}
    asked = world.http.count("count")
    world.clock.advance(20_000)
    assert world.http.count("count") == asked
    world.clock.advance(12_000)
    assert world.http.count("count") == asked + 1  # the probe
    world.http.take("count").reply({"n": 2})
    world.settle()
    assert pauses(world)[str(COUNT)] == ()
    world.client.set_fetching(False)
    world.page.set(hidden=True)
    world.clock.advance(10_100)
    assert pauses(world) == {str(COUNT): ("hidden", "flag"), str(RANGE): ("hidden", "window", "flag")}


def test_with_the_flag_off_only_a_person_and_what_has_no_data_asks() -> None:
    # RT-31
    world = World()
    world.client.set_fetching(False)
    _, seen = world.look(COUNT)
    world.settle()
    world.http.take("count").reply({"n": 1})
    world.clock.advance(60_000)
    assert (world.http.count("count"), seen[-1].freshness.state, seen[-1].freshness.reason) == (1, "paused", "flag")
    world.client.refresh(COUNT)
    world.http.take("count").reply({"n": 2})
    world.settle()
    assert seen[-1].data == {"n": 2}
    world.client.set_fetching(True)
    world.settle()
    assert seen[-1].freshness.state == "polling"
    world.clock.advance(5_000)
    assert world.http.count("count") == 3


def test_events_that_outdate_a_query_while_it_is_paused_are_remembered() -> None:
    # RT-31, RT-42
    world = World()
    world.connected()
    counted(world)
    world.client.set_fetching(False)
    asked = world.http.count("count")
    world.say({"type": "thing.changed", "thing": thing("a", 2)}, "e1:1")
    world.settle()
    assert world.http.count("count") == asked
    world.client.set_fetching(True)
    world.settle()
    assert world.http.count("count") == asked + 1


def test_a_refetch_whose_turn_comes_while_it_is_paused_is_made_afterwards() -> None:
    # RT-31, RT-42
    world = World()
    world.connected()
    counted(world)
    for number in (1, 2):
        world.say({"type": "thing.changed", "thing": thing("a", number + 1)}, f"e1:{number}")
        world.settle()
        for pending in world.http.waiting:
            pending.reply({"n": number})
        world.settle()
    asked = world.http.count("count")  # the second one waits for its turn
    world.client.set_fetching(False)
    world.beats(8_000, 2)
    assert world.http.count("count") == asked
    world.client.set_fetching(True)
    world.settle()
    assert world.http.count("count") == asked + 1


def test_in_a_hidden_page_nothing_that_a_breaker_refused_is_asked_when_the_network_is_back() -> None:
    # RT-50, RT-52, RT-66
    world = World()
    counted(world)
    for number in range(5):
        world.client.request("count", HttpRequest("GET", f"count?{number}"), lambda outcome: None)
        world.http.take("count").reply({"detail": "no"}, status=503)
    while "breaker" not in str(world.client.statistics().feeds.queries):
        world.clock.advance(500)
    world.page.set(hidden=True)
    world.clock.advance(10_100)
    asked = world.http.count("count")
    for offline in (True, False):
        world.client.set_offline(offline)
        world.clock.advance(20_000)
    assert world.http.count("count") == asked
    world.page.set(hidden=False)
    world.clock.advance(2_000)
    assert world.http.count("count") == asked + 1


def test_a_window_that_is_still_being_read_waits_while_nobody_sees_the_page() -> None:
    # RT-4, RT-50
    world = World()
    world.page.set(hidden=True)
    world.clock.advance(10_100)
    ranged, seen = world.look(RANGE)
    observer, _ = world.look(COUNT, on=False)
    world.clock.advance(60_000)
    assert world.http.sent == []
    world.page.set(hidden=False)
    world.settle()
    assert {pending.request.url.partition("?")[0] for pending in world.http.waiting} == {"things", "count"}
    world.http.take("things").reply([thing("a")])
    world.settle()
    assert seen[-1].freshness.state == "window"
    observer.close()
    ranged.close()
    assert pauses(world) == {}


@pytest.mark.parametrize("stream", [True, False])
def test_a_page_seen_again_asks_once_for_each_query_within_a_second_whether_its_stream_comes_back_or_not(stream: bool) -> None:
    # RT-32, RT-51
    world = World()
    world.connected()
    world.page.set(hidden=True)
    world.clock.advance(11_000)
    asked = world.http.count("things")
    world.page.set(hidden=False)
    world.settle()
    if stream:
        world.open(resumed=True)  # within the time in which a drop owes nothing: a return owes one all the same
    world.clock.advance(1_000)
    assert world.http.count("things") == asked + 1
    world.http.take("things").reply([thing("a")], position="e1:0")
    world.settle()
    if not stream:
        world.open(resumed=True)  # late: what was read since the return reaches where the stream begins
        assert STREAM in world.sources.history[-1]
    world.clock.advance(5_000)
    assert world.http.count("things") == asked + 1
