"""Which returns owe a snapshot, and how many there may be (RT-32, RT-37, RT-42, RT-44, RT-64), through the real client."""

from __future__ import annotations

import random
from dataclasses import replace

from core_world import STREAM, THINGS, World, changed, states, thing
from hypothesis import given, settings
from hypothesis import strategies as st

from pyapp.core.client import Client, WritableKey, aggregate, live, stream_key
from pyapp.core.ports import FrameKind
from pyapp.core.testing import FakeHttp, FakeSources, FakeVisibility, ScriptedServer, VirtualClock

COUNT = aggregate("count")


def answer(world: World, version: int = 1) -> None:
    for pending in world.http.waiting:
        pending.reply({"n": 1} if pending.request.url == "count" else [thing("a", version)], position="e1:0")
    world.settle()


def gap(world: World) -> None:
    """The server throws away what it has not sent."""
    world.sources.record(world.sources.source(STREAM), FrameKind.RESET, "{}")
    world.settle()


def test_a_drop_that_resumes_in_time_owes_nothing_and_a_later_one_a_snapshot() -> None:
    # RT-32
    world = World()
    _, seen = world.connected()
    asked = world.http.count("things")
    world.break_off()
    world.clock.advance(1_300)
    world.open(resumed=True)
    world.clock.advance(2_000)
    assert (world.http.count("things"), states(seen)[-1]) == (asked, "live")
    world.break_off()
    world.clock.advance(3_000)
    world.open(resumed=True)
    assert seen[-1].freshness.reason == "catching-up"
    world.clock.advance(1_000)
    assert world.http.count("things") == asked + 1


def test_gap_after_gap_costs_two_snapshots_and_then_one_in_fifteen_seconds_and_the_last_is_never_lost() -> None:
    # RT-32
    world = World()
    _, seen = world.connected()
    begun, asked, known = world.clock.now(), list[float](), len(world.http.sent)
    for step in range(300):
        if step < 200:
            gap(world)
        world.clock.advance(200)
        if step % 20 == 0:
            world.sources.beat(STREAM)
        for pending in world.http.sent[known:]:
            asked.append(world.clock.now() - begun)
            pending.reply([thing("a", step)])
        known = len(world.http.sent)
    world.settle()
    counts = world.client.statistics().feeds.fetches
    assert 2 <= counts["catch up"] <= 6
    assert len(asked) - counts["catch up"] == counts["polling (fallback)"]  # not healthy for so long, it polls as well (RT-33)
    assert states(seen)[-1] == "live"
    last_gap = 200 * 200
    assert any(at >= last_gap for at in asked)


def test_leaving_and_coming_back_earns_no_snapshot() -> None:
    # RT-32
    world = World()
    observer, _ = world.connected()
    for _ in range(2):
        gap(world)
        world.clock.advance(1_000)
        answer(world)
    observer.close()
    _, seen = world.look()
    world.settle()
    answer(world)
    assert states(seen)[-1] == "live"
    asked = world.http.count("things")
    gap(world)
    world.beats(8_000)
    assert world.http.count("things") == asked
    world.beats(8_000)
    assert world.http.count("things") == asked + 1


def test_failed_attempts_cost_nothing() -> None:
    # RT-32
    world = World()
    world.connected()
    gap(world)
    for _ in range(4):
        while not world.http.waiting:
            world.clock.advance(100)
        world.http.waiting[0].lose()
    while not world.http.waiting:
        world.clock.advance(100)
    answer(world)
    asked = world.http.count("things")
    gap(world)
    world.clock.advance(1_000)
    assert world.http.count("things") == asked + 1  # the second of two


def test_the_limit_of_refetches_outlives_those_who_look() -> None:
    # RT-42
    world = World()
    world.connected()
    observer, _ = world.look(COUNT)
    world.settle()
    answer(world)
    world.say(changed("a", 2), "e1:1")
    world.settle()
    answer(world)
    asked = world.http.count("count")
    observer.close()
    world.look(COUNT)
    world.settle()
    world.say(changed("a", 3), "e1:2")
    world.clock.advance(1_000)
    assert world.http.count("count") == asked
    world.clock.advance(4_200)
    assert world.http.count("count") == asked + 1


def test_while_polling_refresh_restarts_the_interval() -> None:
    # RT-37
    world = World()
    world.look(COUNT)
    world.settle()
    answer(world)
    world.clock.advance(4_000)
    world.client.refresh(COUNT)
    world.settle()
    answer(world)
    asked = world.http.count("count")
    world.clock.advance(4_300)
    assert world.http.count("count") == asked
    world.clock.advance(600)
    assert world.http.count("count") == asked + 1


def test_refresh_asks_past_every_throttle_and_leaves_the_stream_alone() -> None:
    # RT-37
    world = World()
    _, seen = world.connected()
    history = list(world.sources.history)
    for number in range(5):
        world.client.refresh(THINGS)
        world.settle()
        assert len(world.http.waiting) == 1
        answer(world, number)
    assert world.sources.history == history
    assert states(seen)[-1] == "live"


def test_a_query_whose_stream_may_lag_is_asked_for_two_seconds_after_the_last_event() -> None:
    # RT-44
    specs = ScriptedServer(VirtualClock(), FakeSources(), FakeHttp()).queries()
    world = World(queries={**specs, "things": replace(specs["things"], settles=True)})
    observer, _ = world.connected()
    asked = world.http.count("things")
    for number in range(1, 6):
        world.say(changed("a", number + 1), f"e1:{number}")
        world.clock.advance(1_500)
    assert world.http.count("things") == asked
    world.clock.advance(600)
    assert world.http.count("things") == asked + 1
    answer(world)
    world.say(changed("a", 9), "e1:6")
    world.settle()
    observer.close()
    world.clock.advance(5_000)
    assert world.http.count("things") == asked + 1


def unwritten(key: WritableKey) -> None:
    """No stream writes it."""


def test_a_protocol_that_becomes_known_late_opens_the_streams_that_had_no_connection() -> None:
    # RT-64
    clock, sources, http = VirtualClock(creep_ms=0.001), FakeSources(), FakeHttp()
    known = [""]
    server = ScriptedServer(clock, sources, http)
    specs = {name: replace(server.streams()["things"], name=name, path=f"{name}/stream") for name in "abcdef"}
    base = server.queries()["things"]
    client = Client(
        clock=clock,
        sources=sources,
        http=http,
        visibility=FakeVisibility(),
        random=random.Random(1),
        queries={"things": replace(base, stream=unwritten)},
        streams=specs,
        protocol=lambda: known[0],
    )
    for name in specs:
        client.use_stream(stream_key(name), lambda event: None)
    client.use_query(live("things"), lambda result: None)
    clock.settle()
    assert len(sources.open_urls) == 4
    known[0] = "h2"
    http.take("things").reply([])
    clock.settle()
    assert len(sources.open_urls) == 6


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["gap", "drop", "leave", "wait", "fail"]), max_size=25))
def test_what_is_owed_last_is_never_lost(noise: list[str]) -> None:
    # RT-32
    world = World()
    observer, seen = world.connected()
    for what in noise:
        opened = bool(world.sources.open_urls)
        match what:
            case "gap" if opened:
                gap(world)
            case "drop" if opened:
                world.break_off()
            case "leave":
                observer.close()
                observer, seen = world.look()
            case "fail" if world.http.waiting:
                world.http.waiting[0].lose()
            case _:
                world.clock.advance(900)
        world.settle()
        if world.sources.open_urls and not world.client.pulse().streams[0].state.confirmed:
            world.open()
    for _ in range(200):
        world.clock.advance(500)
        if world.sources.open_urls and not world.client.pulse().streams[0].state.confirmed:
            world.open()
        elif world.sources.open_urls:
            world.sources.beat(STREAM)
        answer(world)
    assert states(seen)[-1] == "live"
    assert all(row.owed == "" for row in world.client.statistics().feeds.queries)
