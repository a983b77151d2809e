"""Where streams and requests cross each other's way (RT-7, RT-29, RT-36, RT-42), through the real client."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from core_world import STREAM, THINGS, World, changed, states, thing, versions

from pyapp.core.client import LiveList, Reduction, WritableKey, aggregate, item, live
from pyapp.core.testing import FakeHttp, FakeSources, ScriptedServer, VirtualClock
from pyapp.core.testing.things import Changed, Thing


def test_a_request_from_before_somebody_looked_away_does_not_undo_what_came_since() -> None:
    # RT-7
    world = World()
    observer, _ = world.connected(sequence=5)
    world.client.refresh(THINGS)
    old = world.http.take("things")
    world.clock.advance(50)
    observer.close()
    _, seen = world.look()
    world.settle()
    world.say(changed("a", 2), "e1:6")
    world.settle()
    old.reply([thing("a", 1)], position="e1:5")
    world.settle()
    assert versions(seen) == [[("a", 1)], [("a", 2)]]
    assert states(seen)[-1] == "stale"  # events in between would be in neither
    world.clock.advance(1_000)
    world.http.take("things").reply([thing("a", 2)], position="e1:6")
    world.settle()
    assert states(seen)[-1] == "live"


def test_a_frame_that_was_torn_changes_nothing_and_what_it_said_is_caught_up() -> None:
    # RT-28, RT-29
    world = World()
    _, seen = world.connected(sequence=5)
    world.say("{broken", "e1:6")
    world.settle()
    assert seen[-1].freshness.reason == "catching-up"  # what it said is not known
    assert world.client.statistics().streams[0].state.phase == "open"
    world.clock.advance(1_000)
    world.http.take("things").reply([thing("a", 2)], position="e1:6")
    world.settle()
    assert (states(seen)[-1], versions(seen)[-1]) == ("live", [("a", 2)])


def test_a_frame_of_an_unknown_type_changes_nothing_and_is_no_gap() -> None:
    # RT-29: a newer server may say more than this version shows
    world = World()
    _, seen = world.connected(sequence=5)
    world.say({"type": "thing.admired"}, "e1:6")
    world.settle()
    assert states(seen)[-1] == "live"
    assert world.client.statistics().totals.invalid == 1


def test_a_refusal_pays_the_snapshot_that_was_owed_so_that_others_are_live() -> None:
    # RT-30, RT-36
    world = World()
    _, seen = world.look()
    _, items = world.look(item("things", "zz"))
    world.settle()
    world.open()
    for _ in range(3):
        for pending in world.http.waiting:
            missing = pending.request.url.endswith("zz")
            pending.reply({} if missing else [thing("a")], status=404 if missing else 200, position="e1:0")
        world.settle()
    assert states(seen)[-1] == "live"
    assert items[-1].freshness.reason == "missing"
    asked = world.http.count("things/zz")
    world.beats(60_000)
    assert world.http.count("things/zz") == asked


def test_refetches_caused_by_events_come_at_once_then_one_in_five_seconds_and_the_last_is_kept() -> None:
    # RT-42
    world = World()
    world.connected(sequence=0)
    _, seen = world.look(aggregate("count"))
    world.settle()
    world.http.take("count").reply({"n": 0})
    world.settle()
    asked: list[float] = []
    begun = world.clock.now()
    for n in range(1, 121):
        if n <= 70:
            world.say(changed("a", n), f"e1:{n}")
        world.clock.advance(100)
        for pending in world.http.waiting:
            asked.append(world.clock.now() - begun)
            pending.reply({"n": n})
    assert asked[:3] == pytest.approx([100, 5_100, 10_100], abs=150)
    assert seen[-1].data["n"] > 70  # pyright: ignore[reportOptionalSubscript]


def test_events_that_come_faster_than_answers_keep_no_answer_from_arriving() -> None:
    # RT-42
    world = World()
    world.connected(sequence=0)
    _, seen = world.look(aggregate("count"))
    world.settle()
    world.http.take("count").reply({"n": 0})
    world.settle()
    sent_at: dict[int, float] = {}
    for n in range(1, 300):
        world.say(changed("a", n), f"e1:{n}")
        world.clock.advance(100)
        for pending in world.http.waiting:
            since = sent_at.setdefault(id(pending), world.clock.now())
            if world.clock.now() - since >= 8_000:
                pending.reply({"n": n})
    assert not any(pending.cancelled for pending in world.http.sent if pending.request.url == "count")
    counts = {str(result.data) for result in seen if result.has_data}
    assert len(counts) >= 4


def test_an_event_that_the_reducer_cannot_apply_makes_the_query_ask() -> None:
    world = World()
    _, seen = world.connected(sequence=5)
    spec = world.client._cache.query(THINGS).spec  # pyright: ignore[reportPrivateUsage]

    def broken(*args: object) -> None:
        raise ValueError("mine")

    object.__setattr__(spec, "reduce", broken)
    world.say(changed("a", 2), "e1:6")
    world.settle()
    assert world.client.statistics().errors == ("ValueError: mine",)
    world.http.take("things").reply([thing("a", 2)], position="e1:6")
    world.settle()
    assert (states(seen)[-1], versions(seen)[-1]) == ("live", [("a", 2)])


def test_a_list_that_lost_a_row_asks_for_what_fills_its_place() -> None:
    # RT-6, RT-42
    world = World()
    world.connected(sequence=1)
    _, seen = world.look(live("things", state=["cold"]))
    world.settle()
    world.http.take("things").reply([thing("a"), thing("b")], position="e1:1")
    world.settle()
    world.say(changed("a", 2, "hot"), "e1:2")
    world.settle()
    assert versions(seen)[-1] == [("b", 1)]
    (asked,) = world.http.waiting
    assert asked.request.url == "things?mode=live&state=cold"
    asked.reply([thing("b"), thing("c")], position="e1:2")
    world.settle()
    assert versions(seen)[-1] == [("b", 1), ("c", 1)]


def test_who_closes_the_view_when_told_of_the_mistake_is_asked_nothing_for_it() -> None:
    # RT-11
    def give_up(error: Exception) -> None:
        observer.close()

    world = World(on_error=give_up)
    observer, seen = world.connected(sequence=5)
    spec = world.client._cache.query(THINGS).spec  # pyright: ignore[reportPrivateUsage]

    def broken(*args: object) -> None:
        raise ValueError("mine")

    object.__setattr__(spec, "reduce", broken)
    asked, told = len(world.http.sent), len(seen)
    world.say(changed("a", 2), "e1:6")
    world.clock.advance(20_000)
    assert world.client.statistics().errors == ("ValueError: mine",)
    assert (len(world.http.sent), len(seen), world.sources.open_urls) == (asked, told, {})


def test_a_predicate_that_raises_counts_as_yes() -> None:
    # RT-9
    world = World()
    world.connected(sequence=0)
    world.look(aggregate("count"))
    world.settle()
    world.http.take("count").reply({"n": 0})
    world.settle()
    spec = world.client._cache.query(aggregate("count")).spec  # pyright: ignore[reportPrivateUsage]

    def broken(*args: object) -> bool:
        raise ValueError("mine")

    object.__setattr__(spec, "invalidated_by", broken)
    world.say(changed("a", 2), "e1:1")
    world.settle()
    assert len(world.http.waiting) == 1
    assert world.client.statistics().errors == ("ValueError: mine",)


def test_a_silent_part_a_stream_reads_unverified_after_a_minute_and_takes_a_safety_snapshot() -> None:
    # RT-8, RT-26
    world = World()
    _, seen = world.look()
    world.settle()
    world.sources.accept("things/stream")
    world.clock.advance(2_100)
    while world.http.waiting:
        world.http.waiting[0].reply([thing("a")])
        world.settle()
    begun = world.clock.now()
    asked = len(world.http.sent)
    world.clock.advance(58_000)
    assert (seen[-1].freshness.reason, len(world.http.sent)) == ("synchronized", asked)
    world.clock.advance(3_500)
    assert seen[-1].freshness.reason == "unverified"
    assert len(world.http.sent) == asked + 1
    assert world.clock.now() - begun < 62_000


def test_a_heartbeat_that_nobody_announced_ends_unverified() -> None:
    # RT-26
    world = World()
    _, seen = world.look()
    world.settle()
    world.sources.accept("things/stream")
    world.clock.advance(2_100)
    while world.http.waiting:
        world.http.waiting[0].reply([thing("a")])
        world.settle()
    world.clock.advance(61_500)
    assert seen[-1].freshness.reason == "unverified"
    world.sources.beat(STREAM, 0)
    world.settle()
    assert (seen[-1].freshness.state, seen[-1].freshness.reason) == ("live", "synchronized")


def test_heartbeats_are_heard_and_nobody_is_told_of_them() -> None:
    # RT-30, RT-83
    world = World()
    _, seen = world.connected(sequence=5)
    told, before = len(seen), world.client.heard()
    assert list(before) == [seen[-1].freshness.stream]
    world.beats(20_000, 5)
    assert len(seen) == told
    after = world.client.heard()
    assert list(after) == list(before)
    assert after[seen[-1].freshness.stream] - before[seen[-1].freshness.stream] >= 16_000


def test_a_quiet_part_b_stream_is_live_for_an_hour_on_heartbeats_with_a_snapshot_in_ten_minutes() -> None:
    # RT-8, RT-30
    world = World()
    _, seen = world.connected(sequence=5)
    asked = len(world.http.sent)
    for _ in range(60):
        world.beats(60_000, 5)
        for pending in world.http.waiting:
            pending.reply([thing("a")], position="e1:5")
    assert states(seen)[-1] == "live"
    assert states(seen).count("live") == 1
    assert len(world.http.sent) - asked in (5, 6)


def test_a_stream_that_says_the_whole_state_pays_the_snapshot_that_was_owed() -> None:
    # RT-32, RT-34
    clock, sources, http = VirtualClock(creep_ms=0.001), FakeSources(), FakeHttp()
    specs = ScriptedServer(clock, sources, http).queries()

    def whole(key: WritableKey, data: LiveList[Thing], events: Sequence[Changed]) -> Reduction[LiveList[Thing]]:
        return Reduction(LiveList((events[-1].thing,), None), complete=True)

    world = World(queries={**specs, "things": replace(specs["things"], reduce=whole, whole=True)})
    _, seen = world.look()
    world.settle()
    world.http.take("things").reply([thing("a")], position="e1:1")  # asked for before the stream began at 4: something may be missing
    world.settle()
    world.sources.accept(STREAM)
    world.sources.hello(STREAM, sequence=4)
    world.say(changed("b", 2), "e1:5")
    world.settle()
    assert (states(seen)[-1], versions(seen)[-1]) == ("live", [("b", 2)])
    world.clock.advance(2_000)
    assert world.http.count("things") == 1  # nothing more had to be asked


def test_data_may_begin_with_a_stream_that_says_the_whole_state() -> None:
    # RT-34
    clock, sources, http = VirtualClock(creep_ms=0.001), FakeSources(), FakeHttp()
    specs = ScriptedServer(clock, sources, http).queries()

    def whole(key: WritableKey, data: LiveList[Thing] | None, events: Sequence[Changed]) -> Reduction[LiveList[Thing] | None]:
        told = events[-1].thing
        return Reduction(LiveList((told,), None), complete=True) if told.version > 1 else Reduction(data)

    world = World(queries={**specs, "things": replace(specs["things"], reduce=whole, whole=True)})
    _, seen = world.look()
    world.clock.advance(60)
    world.http.take("things").lose()
    world.settle()
    assert states(seen)[-1] == "error"
    world.sources.accept(STREAM)
    world.sources.hello(STREAM)
    world.say(changed("a", 1), "e1:1")  # not the whole: there is nothing that it could change
    world.settle()
    assert states(seen)[-1] == "error"
    world.say(changed("b", 2), "e1:2")
    world.settle()
    assert (states(seen)[-1], versions(seen)[-1], seen[-1].error) == ("live", [("b", 2)], None)
