"""What each observer may ask for: age, retention, its own function, what stands in, its interval, whether it counts (RT-10, RT-11)."""

# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false, reportArgumentType=false

from __future__ import annotations

import math
from typing import Any

import pytest
from cache_world import CacheWorld, X, shown

from pyapp.core.client import Placeholder, aggregate, live, window
from pyapp.core.errors import KeyMisuse, TimeMisuse
from pyapp.core.freshness import FreshnessState


def test_who_comes_to_data_younger_than_its_stale_time_asks_nothing_and_who_finds_it_older_fetches() -> None:
    # RT-10
    world = CacheWorld()
    world.loaded()
    world.clock.advance(2_000)
    world.look(stale_ms=3_000)
    world.look()
    world.settle()
    assert world.asked() == 1
    world.look(stale_ms=1_000)
    world.settle()
    assert world.asked() == 2
    world.answer(1)
    world.look(stale_ms=0)
    world.settle()
    assert world.asked() == 2  # an answer of the last second serves whoever asks (RT-65)
    world.clock.advance(1_000)
    world.look(stale_ms=0)
    world.settle()
    assert world.asked() == 3


def test_nobody_who_comes_while_the_page_is_hidden_asks() -> None:
    # RT-10, RT-50
    world = CacheWorld()
    world.loaded()
    world.page.set(hidden=True)
    world.clock.advance(11_000)
    asked = world.asked()
    world.look(stale_ms=0)
    world.clock.advance(60_000)
    assert world.asked() == asked


def test_data_is_kept_for_the_longest_time_that_anyone_asked_for() -> None:
    # RT-10, RT-11
    world = CacheWorld()
    short, _ = world.look(gc_ms=1_000)
    long, _ = world.look(gc_ms=10_000)
    world.look(gc_ms=2_000)[0].close()
    long.close()
    short.close()
    assert world.row().gc_due_ms == pytest.approx(10_000, abs=1)
    world.clock.advance(9_000)
    assert world.client.peek(X) is not None
    world.clock.advance(2_000)
    assert world.client.peek(X) is None
    world.look(gc_ms=0)[0].close()
    world.clock.advance(1)
    assert world.client.peek(X) is None  # what is forgotten forgets what was asked for
    world.look(gc_ms=math.inf)[0].close()
    world.clock.advance(100 * 3_600_000)
    assert world.client.peek(X) is not None
    assert world.client.statistics().cache.collected == 2


def test_a_function_of_the_data_is_called_when_data_or_function_are_others_and_its_result_is_shared() -> None:
    # RT-10
    world = CacheWorld()
    calls: list[Any] = []

    def rows(data: Any) -> Any:
        calls.append(data)
        return tuple({"id": str(one)} for one in data if one > 1)

    observer, seen = world.look(select=rows)
    world.settle()
    world.answer([1, 2])
    world.client.refresh(X)
    world.settle()
    world.answer([1, 2])
    world.client.refresh(X)
    world.settle()
    world.answer([0, 2])
    assert calls == [(1, 2), (0, 2)]
    assert shown(seen) == [({"id": "2"},)]
    assert len({id(result.data) for result in seen if result.has_data}) == 1
    observer.set_select(len)
    observer.set_select(len)
    world.settle()
    assert (seen[-1].data, observer.result.data) == (2, 2)
    observer.set_select(None)
    world.settle()
    assert seen[-1].data == (0, 2)


def test_a_function_that_raises_is_the_error_of_its_observer_and_of_nobody_else() -> None:
    # RT-10
    world = CacheWorld()
    _, mine = world.look(select=lambda data: 12 // data)
    _, other = world.look()
    world.settle()
    for body in (0, 3, 0):
        world.client.refresh(X)
        world.settle()
        world.answer(body)
    told = [(r.data, r.has_data, type(r.select_error)) for r in mine if r.select_error or r.has_data]
    assert told[0] == (None, False, ZeroDivisionError)
    assert (4, True, type(None)) in told
    assert told[-1] == (4, True, ZeroDivisionError)  # what it made last stays beside the error
    assert shown(other) == [0, 3, 0]
    assert not any(result.select_error for result in other)
    assert [type(error) for error in world.raised] == [ZeroDivisionError] * 2
    assert (world.row().select_errors, world.client.statistics().cache.select_errors) == (2, 2)


def test_the_previous_data_of_the_same_owner_family_and_mode_stands_in_while_the_first_fetch_runs() -> None:
    # RT-10
    world = CacheWorld()
    first, _ = world.loaded(1, owner="a")
    world.loaded(5, live("x"), owner="a")
    world.loaded(7, aggregate("x", n=7), owner="b")
    other = aggregate("x", n=2)
    _, seen = world.look(other, owner="a", placeholder=Placeholder.PREVIOUS)
    first.close()
    world.settle()
    assert (seen[-1].data, seen[-1].has_data, seen[-1].placeholder, seen[-1].fetching) == (1, True, True, True)
    assert seen[-1].freshness.state is FreshnessState.LOADING
    assert not world.row(other).has_data  # it is not written into the cache
    assert world.client.peek(other).has_data is False  # type: ignore[union-attr]
    world.http.waiting[-1].reply(2)
    world.settle()
    assert (seen[-1].data, seen[-1].placeholder) == (2, False)


def test_what_was_left_before_it_had_data_stands_in_for_nothing_and_what_was_seen_before_it_does() -> None:
    # RT-10
    world = CacheWorld()
    world.loaded(1, owner="a")
    left, _ = world.look(aggregate("x", n=2), owner="a")
    left.close()
    _, seen = world.look(aggregate("x", n=3), owner="a", placeholder=Placeholder.PREVIOUS)
    world.settle()
    assert (seen[-1].data, seen[-1].placeholder) == (1, True)


def test_the_placeholder_gives_way_to_an_error_and_may_be_a_value_or_a_function() -> None:
    # RT-10, RT-12
    world = CacheWorld()
    _, nothing = world.look(owner="new", placeholder=Placeholder.PREVIOUS)
    _, value = world.look(placeholder=None)
    _, made = world.look(placeholder=lambda: 8, select=lambda data: data + 1)
    _, broken = world.look(placeholder=lambda: 1 // 0)
    world.settle()
    assert [(seen[-1].data, seen[-1].placeholder) for seen in (nothing, value, made, broken)] == [
        (None, False),
        (None, True),
        (9, True),
        (None, False),
    ]
    assert [type(error) for error in world.raised] == [ZeroDivisionError]
    world.answer({"detail": "no"}, status=503)
    assert [(seen[-1].has_data, seen[-1].placeholder) for seen in (value, made)] == [(False, False)] * 2


def test_a_collected_query_leaves_no_placeholder_behind() -> None:
    # RT-11
    world = CacheWorld()
    observer, _ = world.loaded(gc_ms=1_000)
    between, _ = world.look(aggregate("x", n=1), gc_ms=1_000)
    observer.close()
    between.close()
    world.clock.advance(2_000)
    _, seen = world.look(aggregate("x", n=2), placeholder=Placeholder.PREVIOUS)
    world.settle()
    assert not seen[-1].placeholder


def test_the_shortest_interval_counts_and_goes_with_its_observer() -> None:
    # RT-8, RT-10
    world = CacheWorld(interval_ms=4_000)
    world.loaded()

    def asked_in(ms: float) -> int:
        before = world.asked()
        for _ in range(int(ms / 100)):
            world.clock.advance(100)
            for pending in world.http.waiting:
                pending.reply(1)
        return world.asked() - before

    assert asked_in(12_000) == 3
    fast, _ = world.look(interval=1_000)
    world.look(interval=2_000)[0].set_enabled(False)
    assert asked_in(12_000) in (11, 12)
    fast.close()
    assert asked_in(12_000) == 3
    world.page.set(hidden=True)
    world.clock.advance(11_000)
    assert asked_in(60_000) == 0


def test_an_interval_may_be_a_function_of_the_result_and_may_say_never() -> None:
    # RT-10
    world = CacheWorld(interval_ms=lambda result: None if result.data == 2 else 1_000)
    _, seen = world.loaded(1)
    world.clock.advance(1_100)
    world.answer(2)
    world.clock.advance(600_000)
    assert (world.asked(), seen[-1].data) == (2, 2)


def test_an_interval_function_that_cannot_be_used_leaves_the_profile_s_interval() -> None:
    # RT-10
    world = CacheWorld(interval_ms=lambda result: -1)
    world.loaded()
    world.clock.advance(5_500)
    assert world.asked() == 2
    assert {type(error) for error in world.raised} == {TimeMisuse}


def test_an_observer_that_is_not_enabled_causes_nothing_and_is_shown_what_others_fetch() -> None:
    # RT-10, RT-11
    world = CacheWorld()
    idle, seen = world.look(enabled=False, stale_ms=0)
    world.clock.advance(60_000)
    assert world.asked() == 0
    assert world.row().live_observers == 0
    other, _ = world.loaded(3)
    assert shown(seen) == [3]
    other.close()
    world.clock.advance(60_000)
    assert world.asked() == 1
    idle.set_enabled(True)
    idle.set_enabled(True)
    world.clock.advance(10)
    assert world.asked() == 2


@pytest.mark.parametrize(
    "options",
    [{"stale_ms": -1}, {"gc_ms": -0.5}, {"stale_ms": math.nan}, {"interval": 0}, {"interval": -5}, {"interval": math.nan}],
)
def test_a_time_that_cannot_be_is_a_typed_error(options: Any) -> None:
    # RT-10
    world = CacheWorld()
    with pytest.raises(TimeMisuse, match="give a time"):
        world.look(**options)
    assert world.client.statistics().cache.queries == ()


def test_a_time_of_a_description_that_cannot_be_is_told_and_the_profile_s_counts() -> None:
    with pytest.raises(TimeMisuse, match="give a time"):
        CacheWorld(interval_ms=0)
    world = CacheWorld(interval_ms=lambda result: 0)
    world.loaded()
    world.clock.advance(5_500)
    assert (world.asked(), {type(error) for error in world.raised}) == (2, {TimeMisuse})


def test_a_key_part_without_a_hash_is_a_typed_error() -> None:
    # RT-1
    from pyapp.core.cache.keys import LiveKey

    with pytest.raises(KeyMisuse, match="without a hash"):
        LiveKey("x", (("a", [1]),))  # type: ignore[arg-type]


def test_a_window_asks_once_whatever_the_stale_time() -> None:
    # RT-3
    world = CacheWorld()
    key = window("x", after="a", before="b")
    world.loaded([1], key)
    world.clock.advance(60_000)
    world.look(key, stale_ms=0)
    world.client.prefetch(key)
    world.settle()
    assert world.asked(key) == 1
