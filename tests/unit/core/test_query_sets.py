"""Several queries as one (RT-10)."""

# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false, reportArgumentType=false

from __future__ import annotations

from typing import Any

import pytest
from cache_world import CacheWorld, X

from pyapp.core.client import LiveKey, live
from pyapp.core.errors import KeyMisuse

A, B, C = live("x", n=1), live("x", n=2), live("x", n=3)


def set_of(world: CacheWorld, keys: Any, **more: Any) -> tuple[Any, list[Any]]:
    seen: list[Any] = []
    queries = world.client.use_queries(keys, lambda results: seen.append([result.data for result in results]), **more)
    return queries, seen


def reply(world: CacheWorld, key: Any, body: Any) -> None:
    n = key.get("n")
    next(one for one in world.http.waiting if f"n={n}" in one.request.url).reply(body)


def test_one_callback_per_beat_gets_every_result_in_the_order_of_the_keys() -> None:
    # RT-10
    world = CacheWorld()
    queries, seen = set_of(world, [A, B, A])
    world.settle()
    assert seen == [[None, None, None]]
    told = len(seen)
    reply(world, A, 1)
    reply(world, B, 2)
    world.settle()
    assert seen[told:] == [[1, 2, 1]]
    assert [result.data for result in queries.results] == [1, 2, 1]


def test_other_keys_keep_the_observers_of_those_that_stay() -> None:
    # RT-10, RT-11
    world = CacheWorld()
    queries, seen = set_of(world, [A, B])
    world.settle()
    reply(world, A, 1)
    reply(world, B, 2)
    world.settle()
    queries.set_keys([C, A])
    world.settle()
    assert seen[-1] == [None, 1]
    observers = {row.key: row.observers for row in world.client.statistics().cache.queries}
    assert observers == {str(A): 1, str(B): 0, str(C): 1}
    assert len(world.http.sent) == 3
    queries.set_keys([])
    world.settle()
    assert seen[-1] == []


def test_a_key_that_cannot_be_leaves_the_set_as_it_was() -> None:
    world = CacheWorld()
    queries, _ = set_of(world, [A])
    with pytest.raises(KeyMisuse):
        queries.set_keys([B, LiveKey("unknown")])
    assert len(queries.results) == 1
    assert [row.observers for row in world.client.statistics().cache.queries] == [1, 0]


def test_a_set_is_paused_and_ends_with_its_scope_and_options_reach_every_observer() -> None:
    # RT-5, RT-77
    world = CacheWorld()
    scope = world.client.scope()
    queries, seen = set_of(world, [A, B], scope=scope, select=lambda data: data + 10)
    world.settle()
    reply(world, A, 1)
    reply(world, B, 2)
    world.settle()
    assert seen[-1] == [11, 12]
    queries.set_live(False)
    world.settle()
    world.client.set_data(A, 5)
    assert [result.data for result in queries.results] == [11, 12]
    scope.close()
    queries.close()
    told = len(seen)
    world.client.set_data(A, 6)
    world.settle()
    assert (len(seen), len(scope)) == (told, 0)


def test_a_set_that_is_closed_by_a_callback_of_the_same_beat_is_not_told() -> None:
    # RT-10
    world = CacheWorld()
    world.client.use_query(A, lambda result: queries.close() if result.has_data else None)
    queries, seen = set_of(world, [A])
    world.settle()
    told = len(seen)
    reply(world, A, 1)
    world.settle()
    assert len(seen) == told


def test_a_mistake_in_the_callback_of_a_set_harms_no_other() -> None:
    # RT-10
    world = CacheWorld()
    world.client.use_queries([X], lambda results: 1 // 0)
    _, seen = set_of(world, [X])
    world.settle()
    assert seen[-1] == [None]
    assert {type(error) for error in world.raised} == {ZeroDivisionError}


def test_a_set_is_told_nothing_when_it_is_closed_after_its_own_observers_were_told_or_nothing_changed() -> None:
    # RT-10
    world = CacheWorld()
    queries, seen = set_of(world, [A])
    world.client.use_query(A, lambda result: queries.close() if result.has_data else None)
    world.settle()
    told = len(seen)
    queries.set_keys([A])
    world.settle()
    assert len(seen) == told
    reply(world, A, 1)
    world.settle()
    queries.set_keys([A, B])
    world.settle()
    assert (len(seen), queries.closed) == (told, True)
