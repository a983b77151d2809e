"""Who is told, how often, and in what order, whatever callbacks do meanwhile (RT-10, RT-41)."""

# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false, reportArgumentType=false

from __future__ import annotations

from typing import Any

from cache_world import CacheWorld, X, shown

from pyapp.core.cache.telling import ROUNDS
from pyapp.core.client import live


def test_an_observer_that_closes_itself_or_another_while_it_is_told() -> None:
    # RT-10
    world = CacheWorld()
    told: list[str] = []
    first = world.client.use_query(X, lambda result: (told.append("first"), first.close(), third.close()))  # type: ignore[func-returns-value]
    world.client.use_query(X, lambda result: told.append("second"))
    third = world.client.use_query(X, lambda result: told.append("third"))
    world.settle()
    assert told == ["first", "second"]
    assert world.row().observers == 1


def test_an_observer_that_comes_while_others_are_told_is_told_too_and_once() -> None:
    # RT-10
    world = CacheWorld()
    late: list[Any] = []

    def come(result: Any) -> None:
        if not world.http.sent[1:]:
            world.client.use_query(X, late.append)
            world.client.use_query(live("x"), late.append)

    world.client.use_query(X, come)
    world.settle()
    assert len(late) >= 2
    count = len(late)
    world.settle()
    assert len(late) == count


def test_a_callback_that_writes_is_followed_by_what_it_wrote_in_order_and_never_twice() -> None:
    # RT-10
    world = CacheWorld()
    seen: list[Any] = []

    def climb(result: Any) -> None:
        if result.has_data and result.data < 3:
            world.client.set_data(X, result.data + 1)

    world.client.use_query(X, climb)
    world.client.use_query(X, seen.append)
    world.client.set_data(X, 1)
    assert shown(seen) == [1, 2, 3]
    assert len({(result.data, result.updated_ms, result.fetching) for result in seen}) == len(seen)


def test_callbacks_that_write_for_ever_do_not_hang_the_page() -> None:
    # RT-41
    world = CacheWorld()
    writes: list[int] = []

    def more(result: Any) -> None:
        writes.append(1)
        world.client.set_data(X, len(writes))

    observer = world.client.use_query(X, more)
    world.client.now()
    assert len(writes) == ROUNDS
    world.clock.advance(50)
    assert ROUNDS < len(writes) <= 2 * ROUNDS  # and the rest in the next beat
    observer.close()


def test_pausing_from_a_callback_keeps_what_that_callback_was_shown() -> None:
    # RT-5
    world = CacheWorld()
    seen: list[Any] = []

    def stop(result: Any) -> None:
        seen.append(result)
        if result.has_data:
            observer.set_live(False)

    observer = world.client.use_query(X, stop)
    world.client.set_data(X, 1)
    world.client.set_data(X, 2)
    assert (observer.result.data, seen[-1].data) == (1, 1)


def test_a_scope_that_is_closed_by_a_callback_ends_everything_in_it_at_once() -> None:
    # RT-77
    world = CacheWorld()
    scope = world.client.scope()
    told: list[str] = []
    world.client.use_query(X, lambda result: (told.append("a"), scope.close()), scope=scope)  # type: ignore[func-returns-value]
    world.client.use_query(X, lambda result: told.append("b"), scope=scope)
    world.client.use_query(live("x"), lambda result: told.append("c"), scope=scope)
    world.settle()
    assert (told, len(scope)) == (["a"], 0)


def test_closing_the_client_from_a_callback_tells_nobody_else() -> None:
    # RT-53
    world = CacheWorld()
    told: list[str] = []
    world.client.use_query(X, lambda result: (told.append("a"), world.client.close()))  # type: ignore[func-returns-value]
    world.client.use_query(X, lambda result: told.append("b"))
    world.settle()
    assert (told, world.clock.timers) == (["a"], 0)
