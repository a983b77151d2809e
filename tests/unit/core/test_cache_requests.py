"""What a program asks of the cache: invalidate, cancel, reset, prefetch, ensure, write (RT-3, RT-10)."""

# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false, reportArgumentType=false

from __future__ import annotations

from typing import Any

import pytest
from cache_world import RANGE, CacheWorld, X, shown

from pyapp.core.cache.keys import KeyPrefix
from pyapp.core.client import item, live, prefix, window
from pyapp.core.errors import Disposed, KeyMisuse

ONE, TWO, BOTH = live("x", status="a"), live("x", status=["b"], n=1), live("x", status=["a", "b"])
WINDOW = window("x", after="a", before="b")
EVERY = (X, ONE, TWO, BOTH, item("x", "i"), WINDOW, live("y", status="a"))


def world_of_every() -> CacheWorld:
    world = CacheWorld()
    for key in EVERY:
        world.look(key)
    world.settle()
    for pending in world.http.waiting:
        pending.reply([1])
    world.settle()
    world.http.sent.clear()
    return world


def asked(world: CacheWorld) -> list[str]:
    return sorted(pending.request.url for pending in world.http.sent)


@pytest.mark.parametrize(
    ("what", "urls"),
    [
        (ONE, ["x/live?status=a"]),
        (live("x", status=["a"]), ["x/live?status=a"]),
        (prefix("x"), ["x/aggregate", "x/item?id=i", "x/live?n=1&status=b", "x/live?status=a", "x/live?status=a&status=b"]),
        (prefix("x", "live"), ["x/live?n=1&status=b", "x/live?status=a", "x/live?status=a&status=b"]),
        (prefix("x", "live", status="b"), ["x/live?n=1&status=b"]),
        (prefix("x", n=True), []),
        (lambda key: key.get("status") is not None and key.family == "y", ["y/live?status=a"]),
        (
            lambda key: True,
            ["x/aggregate", "x/item?id=i", "x/live?n=1&status=b", "x/live?status=a", "x/live?status=a&status=b", "y/live?status=a"],
        ),
    ],
)
def test_an_invalidation_reaches_one_key_a_prefix_or_what_a_function_says_and_never_a_window(what: Any, urls: list[str]) -> None:
    # RT-3, RT-10
    world = world_of_every()
    assert world.client.invalidate(what) == len(urls)
    for _ in range(5):
        for pending in world.http.waiting:  # the coordinator sends a few at a time
            pending.reply([1])
    assert asked(world) == urls


def test_a_window_cannot_be_invalidated_patched_reset_or_written() -> None:
    # RT-3
    world = world_of_every()
    for refused in (
        lambda: world.client.invalidate(WINDOW),  # type: ignore[arg-type]
        lambda: world.client.reset(WINDOW),  # type: ignore[arg-type]
        lambda: world.client.set_data(WINDOW, []),  # type: ignore[arg-type]
        lambda: prefix("x", "window"),
        lambda: KeyPrefix("x", "window"),
    ):
        with pytest.raises(KeyMisuse, match="window"):
            refused()
    assert asked(world) == []


def test_what_nobody_looks_at_is_only_marked_and_fetched_when_somebody_does() -> None:
    # RT-10, RT-11
    world = CacheWorld()
    world.loaded()[0].close()
    paused, _ = world.look(live=False)
    world.client.invalidate(X)
    world.clock.advance(60_000)
    assert (world.asked(), world.row().stale) == (1, True)
    world.look()
    world.clock.advance(10)
    assert world.asked() == 2
    world.answer(2)
    assert not world.row().stale
    assert paused.result.data == 1


def test_an_invalidation_while_a_fetch_is_under_way_asks_again() -> None:
    # RT-31
    world = CacheWorld()
    _, seen = world.loaded()
    world.client.refresh(X)
    world.client.invalidate(X)
    assert [pending.cancelled for pending in world.http.sent[1:]] == [True, False]
    world.answer(2)
    assert shown(seen) == [1, 2]


def test_what_became_old_while_hidden_is_fetched_on_return() -> None:
    # RT-10, RT-50
    world = CacheWorld(interval_ms=3_600_000)
    world.loaded()
    world.page.set(hidden=True)
    world.clock.advance(20_000)
    world.client.invalidate(X)
    world.clock.advance(20_000)
    assert world.asked() == 1
    world.page.set(hidden=False)
    world.settle()
    assert world.asked() == 2


def test_a_fetch_that_fails_is_not_tried_again_while_hidden() -> None:
    # RT-10, RT-50
    world = CacheWorld()
    world.look()
    world.settle()
    world.page.set(hidden=True)
    world.clock.advance(9_000)
    world.answer({}, status=503)
    world.clock.advance(600_000)
    assert world.asked() <= 2
    count = world.asked()
    world.page.set(hidden=False)
    world.settle()
    assert world.asked() == count + 1


def test_a_fetch_that_is_cancelled_leaves_everything_as_it_was_and_is_asked_for_after_the_interval() -> None:
    # RT-10
    world = CacheWorld()
    _, seen = world.loaded()
    world.client.refresh(X)
    world.answer({}, status=503)
    before = seen[-1]
    world.client.refresh(X)
    world.settle()
    assert seen[-1].fetching
    world.client.cancel(X)
    world.client.cancel(X)
    world.client.cancel(live("x"))
    world.settle()
    assert (seen[-1].data, seen[-1].error, seen[-1].fetching) == (before.data, before.error, False)
    assert world.http.waiting == []
    assert world.client.statistics().cache.cancelled == 1
    count = world.asked()
    world.clock.advance(4_500)
    assert world.asked() == count
    world.clock.advance(5_000)
    assert world.asked() == count + 1


def test_a_first_fetch_that_is_cancelled_is_not_sent_again_at_once_and_never_without_an_interval() -> None:
    # RT-10
    world = CacheWorld(interval_ms=float("inf"))
    world.look()
    world.settle()
    world.client.cancel(X)
    world.clock.advance(600_000)
    assert world.asked() == 1
    world.client.refresh(X)
    world.answer(1)
    assert world.client.peek(X).data == 1  # type: ignore[union-attr]


@pytest.mark.parametrize("cancel_unused", [True, False])
def test_when_the_last_observer_leaves_a_fetch_ends_only_where_the_query_says_so(cancel_unused: bool) -> None:
    # RT-10, RT-11
    world = CacheWorld(cancel_unused=cancel_unused)
    first, _ = world.look()
    second, _ = world.look()
    world.settle()
    first.close()
    assert not world.http.sent[0].cancelled
    second.close()
    assert world.http.sent[0].cancelled is cancel_unused
    if not cancel_unused:
        world.answer(7)
        assert world.client.peek(X).data == 7  # type: ignore[union-attr]


def test_a_reset_tells_observers_that_there_is_nothing_and_fetches_anew() -> None:
    # RT-10
    world = CacheWorld()
    _, seen = world.loaded()
    world.client.refresh(X)
    world.client.reset(X)
    assert (seen[-1].data, seen[-1].has_data) == (None, False)
    assert world.http.sent[1].cancelled
    world.settle()
    world.answer(2)
    assert shown(seen) == [1, 2]
    world.client.reset(live("x", n=9))
    paused = live("x")
    world.loaded(1, paused)[0].set_live(False)
    world.client.reset(paused)
    world.clock.advance(60_000)
    assert world.asked(paused) == 1


def test_prefetch_fills_the_cache_and_asks_only_for_what_is_older() -> None:
    # RT-10
    world = CacheWorld()
    world.client.prefetch(X)
    world.client.prefetch(X)
    assert len(world.http.waiting) == 1
    world.answer(1)
    world.client.prefetch(X, stale_ms=60_000)
    assert len(world.http.sent) == 1
    _, seen = world.look(stale_ms=60_000)
    world.settle()
    assert (shown(seen), world.asked()) == ([1], 1)
    world.clock.advance(2_000)
    world.client.prefetch(X)
    assert world.asked() == 2
    world.client.prefetch(live("x"), gc_ms=1_000)
    world.clock.advance(2_000)
    assert world.client.peek(live("x")) is None


def test_ensure_gives_what_there_is_or_what_is_fetched_or_the_error_once() -> None:
    # RT-10
    world = CacheWorld()
    got: list[Any] = []

    def done(result: Any) -> None:
        got.append(result.data if result.error is None else type(result.error).__name__)

    world.client.ensure(X, done)
    give_up = world.client.ensure(X, got.append)
    give_up()
    world.settle()
    assert got == []
    world.answer(1)
    world.client.ensure(X, done)
    assert got == [1]  # never before it returns
    world.settle()
    assert (got, world.asked()) == ([1, 1], 1)
    world.clock.advance(2_000)
    world.client.ensure(X, done, stale_ms=0)
    world.settle()
    world.answer(2)
    assert got == [1, 1, 2]
    world.client.ensure(live("x"), done)
    world.answer({}, live("x"), status=404)
    assert got[-1] == "HttpError"
    assert world.row().observers == 0


def test_ensure_waits_for_nothing_when_the_fetch_is_cancelled() -> None:
    # RT-10
    world = CacheWorld()
    got: list[Any] = []
    world.client.ensure(X, got.append)
    world.client.cancel(X)
    world.settle()
    assert [(result.has_data, result.error) for result in got] == [(False, None)]


def test_what_the_program_writes_is_shown_at_once_and_may_be_made_of_what_there_is() -> None:
    # RT-10, RT-43
    world = CacheWorld()
    _, seen = world.look()
    world.client.set_data(X, None)
    assert (seen[-1].data, seen[-1].has_data) == (None, True)
    world.client.set_data(X, [1])
    world.client.set_data(X, lambda data: [*data, 2])
    assert seen[-1].data == [1, 2]
    told = len(seen)
    world.client.set_data(X, [1, 2])
    assert seen[-1].data is seen[told - 1].data
    world.client.set_data(item("x", "new"), lambda data: data)
    assert world.client.peek(item("x", "new")).has_data  # type: ignore[union-attr]


def test_a_batch_is_told_once_at_its_end_also_when_it_fails() -> None:
    # RT-10
    world = CacheWorld()
    _, seen = world.loaded()
    told = len(seen)

    def write() -> None:
        with world.client.batch():
            world.client.set_data(X, 2)
            with world.client.batch():
                world.client.set_data(X, 3)
            assert len(seen) == told
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert shown(seen[told:]) == [3]
    assert len(seen) == told + 1


def test_one_alternative_and_the_list_of_it_are_one_query_whose_text_is_the_family_s() -> None:
    # RT-1
    world = CacheWorld()
    world.look(live("x", status="a", n=[3]))
    world.look(live("x", status=["a"], n=3))
    assert [row.key for row in world.client.statistics().cache.queries] == ['["x","live",{"n":3,"status":["a"]}]']
    assert live("x", status="a") == live("x", status=["a"])
    assert len({live("x", status="a"), live("x", status=["a"]), live("x", status=[1])}) == 2
    assert live("x", a=[1]) != live("x", a=True)


def test_a_closed_client_takes_nothing_new_and_minds_nothing_late() -> None:
    # RT-53
    world = CacheWorld()
    world.loaded()
    world.client.ensure(live("x"), lambda result: None)
    queries = world.client.use_queries([X], lambda results: None)
    pages = world.client.use_pages(live("pages"), lambda result: None)
    world.client.close()
    for late in (
        lambda: world.client.refresh(X),
        lambda: world.client.cancel(X),
        lambda: world.client.invalidate(X),
        lambda: world.client.reset(X),
        lambda: queries.set_keys([]),
        lambda: queries.set_live(False),
        queries.close,
        pages.fetch_next,
        pages.close,
    ):
        late()
    for refused in (
        lambda: world.client.use_query(X, lambda result: None),
        lambda: world.client.use_queries([X], lambda results: None),
        lambda: world.client.use_queries([], lambda results: None),
        lambda: world.client.use_pages(X, lambda result: None),
        lambda: world.client.prefetch(X),
        lambda: world.client.ensure(X, lambda result: None),
        lambda: world.client.set_data(X, 1),
    ):
        with pytest.raises(Disposed):
            refused()
    assert (world.clock.timers, world.http.waiting) == (0, [])
    assert RANGE.mode == "window"


def test_requests_are_their_panel_s_that_of_who_lets_the_query_move_before_others() -> None:
    # RT-65
    world = CacheWorld()
    world.look(enabled=False, owner="idle")
    assert owners(world) == set()
    first, _ = world.look(owner="first")
    world.look(owner="second")
    world.settle()
    world.answer(1)
    first.close()
    world.client.refresh(X)
    assert {"x first", "x second"} <= owners(world)


def owners(world: CacheWorld) -> set[str]:
    return {row.owner for row in world.client.statistics().requests.owners.owners}


def test_a_slow_answer_that_is_still_shared_does_not_serve_the_poll_that_it_made_due() -> None:
    # RT-8, RT-65
    world = CacheWorld()
    world.look()
    world.settle()
    world.clock.advance(6_000)
    world.answer(1)
    assert (world.asked(), world.client.statistics().cache.fetches) == (2, 2)
