"""How much is kept of what nobody looks at."""

from __future__ import annotations

import math
from typing import Any

from cache_world import CacheWorld, X

from pyapp.core.cache.lists import LiveList, WindowData, weight
from pyapp.core.cache.retention import KEPT_ROWS
from pyapp.core.client import aggregate, live, window


def range_of(number: int) -> Any:
    return window("x", after=f"2026-01-{number:02d}T00:00:00Z", before="2026-02-01T00:00:00Z")


def visited(world: CacheWorld, key: Any, rows: int, **options: Any) -> None:
    """Somebody looks at so many rows, and goes."""
    world.loaded(list(range(rows)), key, **options)[0].close()


def kept(world: CacheWorld, *keys: Any) -> list[bool]:
    """Which of these are still there, after a beat."""
    world.look(aggregate("y"))[0].close()
    world.settle()
    return [world.client.peek(key) is not None for key in keys]


def test_rows_are_the_weight_and_what_is_no_list_weighs_one() -> None:
    lists = (LiveList((1, 2)), WindowData((1, 2, 3)), [1, 2, 3, 4], (1,), {"a": 1, "b": 2}, None)
    assert [weight(one) for one in lists] == [2, 3, 4, 1, 1, 1]


def test_windows_that_nobody_looks_at_are_forgotten_in_the_order_in_which_they_were_left() -> None:
    # RT-11
    world = CacheWorld()
    keys = [range_of(number) for number in (1, 2, 3)]
    for key in keys[:2]:
        visited(world, key, KEPT_ROWS // 2)
    assert kept(world, *keys) == [True, True, False]
    visited(world, keys[2], 100)
    assert kept(world, *keys) == [False, True, True]
    # Going back to one makes it the youngest.
    world.look(keys[1])[0].close()
    visited(world, keys[0], KEPT_ROWS // 2)
    assert kept(world, *keys) == [True, True, False]
    statistics = world.client.statistics().cache
    assert (statistics.evicted, statistics.collected) == (2, 0)
    assert world.raised == []


def test_one_that_alone_is_too_much_goes_at_the_next_beat_and_not_while_somebody_looks() -> None:
    # RT-4, RT-11
    world = CacheWorld()
    observer, seen = world.loaded(list(range(KEPT_ROWS + 1)), range_of(1))
    assert kept(world, range_of(1)) == [True]
    observer.close()
    assert kept(world, range_of(1)) == [False]
    assert seen[-1].data == tuple(range(KEPT_ROWS + 1))


def test_what_is_as_short_as_a_live_list_and_what_is_kept_for_ever_is_left_alone() -> None:
    # RT-11
    world = CacheWorld()
    light = live("x", status="failed")
    visited(world, light, 50)
    visited(world, range_of(1), KEPT_ROWS, gc_ms=math.inf)
    visited(world, range_of(2), KEPT_ROWS)
    assert kept(world, light, range_of(1), range_of(2)) == [True, True, True]
    visited(world, range_of(3), 51)
    assert kept(world, light, range_of(1), range_of(2), range_of(3)) == [True, True, False, True]


def test_an_answer_that_comes_when_everybody_has_gone_is_weighed_too() -> None:
    # RT-11
    world = CacheWorld()
    observer, _ = world.look(range_of(1))
    world.settle()
    observer.close()
    world.answer(list(range(KEPT_ROWS + 1)), range_of(1))
    assert kept(world, range_of(1)) == [False]
    assert world.client.statistics().cache.evicted == 1


def test_a_callback_that_flushes_while_others_are_told_forgets_nothing_under_them() -> None:
    # RT-10, RT-11
    world = CacheWorld()
    heavy, _ = world.loaded(list(range(KEPT_ROWS + 1)), range_of(1))
    there: list[bool] = []

    def told(_: Any) -> None:
        heavy.close()
        world.client._cache.flush()  # pyright: ignore[reportPrivateUsage]
        there.append(world.client.peek(range_of(1)) is not None)

    world.client.use_query(X, told)
    world.settle()
    assert there[0]
    assert kept(world, range_of(1)) == [False]
