"""Data in pages: further ones when asked for, and a second reading that shows nothing before it is complete (RT-4, RT-10)."""

# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false, reportArgumentType=false

from __future__ import annotations

from typing import Any

import pytest
from cache_world import PAGES, RANGE, CacheWorld, shown


def paged(world: CacheWorld) -> tuple[Any, list[Any]]:
    """Somebody who read two of three pages."""
    seen: list[Any] = []
    pages = world.client.use_pages(PAGES, seen.append, interval=float("inf"))
    world.settle()
    world.answer([1, 2], PAGES)
    assert pages.has_next
    assert pages.fetch_next()
    assert not pages.fetch_next()
    world.http.take("more/2").reply([3, 4])
    world.settle()
    return pages, seen


def test_the_first_page_comes_by_itself_and_each_further_one_when_it_is_asked_for() -> None:
    # RT-10
    world = CacheWorld()
    pages, seen = paged(world)
    world.clock.advance(600_000)
    assert len(world.http.sent) == 2
    pages.fetch_next()
    world.http.take("more/4").reply([9])
    world.settle()
    assert shown(seen) == [(1, 2), (1, 2, 3, 4), (1, 2, 3, 4, 9)]
    assert (pages.has_next, pages.fetch_next(), pages.result.data) == (False, False, (1, 2, 3, 4, 9))
    assert world.row(PAGES).pages == 3
    pages.close()
    assert not pages.fetch_next()


def test_a_refetch_reads_as_many_pages_in_order_and_shows_them_when_it_has_them_all() -> None:
    # RT-10
    world = CacheWorld()
    pages, seen = paged(world)
    world.client.refresh(PAGES)
    world.settle()
    world.answer([5, 6], PAGES)
    assert (pages.result.data, pages.result.fetching) == ((1, 2, 3, 4), True)
    world.http.take("more/6").reply([7])
    world.settle()
    assert shown(seen)[-1] == (5, 6, 7)
    assert not seen[-1].fetching
    assert world.http.waiting == []


def test_a_refetch_that_fails_in_the_middle_keeps_every_old_page() -> None:
    # RT-12
    world = CacheWorld()
    _, seen = paged(world)
    for answer in ({"detail": "no"}, "{"):
        world.client.refresh(PAGES)
        world.settle()
        world.answer([5, 6], PAGES)
        world.http.take("more/6").reply(answer, status=200 if answer == "{" else 503)
        world.settle()
        assert (seen[-1].data, seen[-1].error is None) == ((1, 2, 3, 4), False)


def test_a_refetch_that_finds_fewer_pages_shows_those() -> None:
    # RT-10
    world = CacheWorld()
    _, seen = paged(world)
    world.client.refresh(PAGES)
    world.answer([9], PAGES)
    assert (shown(seen)[-1], world.row(PAGES).pages) == ((9,), 1)


def test_a_refetch_takes_along_the_page_that_was_being_added() -> None:
    # RT-10
    world = CacheWorld()
    pages, seen = paged(world)
    pages.fetch_next()
    world.client.refresh(PAGES)
    world.settle()
    assert world.http.sent[-2].cancelled
    world.answer([1, 2], PAGES)
    world.http.take("more/2").reply([3, 4])
    world.http.take("more/4").reply([9])
    world.settle()
    assert shown(seen)[-1] == (1, 2, 3, 4, 9)


def test_a_further_page_that_fails_is_an_error_beside_what_there_is() -> None:
    # RT-12
    world = CacheWorld()
    pages, seen = paged(world)
    pages.fetch_next()
    world.http.take("more/4").reply("{")
    world.settle()
    assert (seen[-1].data, seen[-1].error is not None, seen[-1].fetching) == ((1, 2, 3, 4), True, False)


def test_a_further_page_that_is_cancelled_leaves_what_there_is() -> None:
    # RT-10
    world = CacheWorld()
    pages, seen = paged(world)
    pages.fetch_next()
    world.client.cancel(PAGES)
    world.settle()
    assert (seen[-1].data, seen[-1].error, pages.has_next) == ((1, 2, 3, 4), None, True)


def test_a_mistake_in_finding_the_next_page_is_told_and_harms_nothing() -> None:
    # RT-10, RT-12
    world = CacheWorld()
    pages, seen = paged(world)
    world.client.set_data(PAGES, (1, "mistake"))
    assert (pages.has_next, pages.fetch_next()) == (False, False)
    world.client.refresh(PAGES)
    world.answer([5, "mistake"], PAGES)
    assert (shown(seen)[-1], seen[-1].error is not None) == ((1, "mistake"), True)
    assert {type(error) for error in world.raised} == {ZeroDivisionError}


def test_a_family_without_pages_has_no_next() -> None:
    world = CacheWorld()
    pages = world.client.use_pages(RANGE, lambda result: None)
    assert (pages.has_next, pages.fetch_next()) == (False, False)


def window_read(world: CacheWorld) -> tuple[Any, list[Any]]:
    observer, seen = world.look(RANGE)
    world.settle()
    world.answer([1, 2], RANGE)
    world.http.take("more/2").reply([9])
    world.settle()
    assert shown(seen) == [(1, 2), (1, 2, 9)]  # the first reading is shown as it comes
    return observer, seen


def test_a_window_that_is_read_again_keeps_its_old_rows_until_the_new_reading_is_complete() -> None:
    # RT-4, RT-37
    world = CacheWorld()
    _, seen = window_read(world)
    world.client.refresh(RANGE)
    world.settle()
    told = len(seen)
    world.answer([5, 6], RANGE)
    assert all(result.data == (1, 2, 9) and result.fetching for result in seen[told - 1 :])
    world.http.take("more/6").reply([7, 9])
    world.settle()
    assert (seen[-1].data, seen[-1].fetching) == ((5, 6, 7, 9), False)


@pytest.mark.parametrize("cancel", [True, False])
def test_a_second_reading_that_nobody_waits_for_any_more_leaves_the_first(cancel: bool) -> None:
    # RT-4, RT-11
    world = CacheWorld()
    observer, _ = window_read(world)
    world.client.refresh(RANGE)
    if cancel:
        world.client.cancel(RANGE)
    else:
        observer.close()
        world.answer([5, 6], RANGE)
    world.clock.advance(60_000)
    assert world.http.waiting == []
    _, seen = world.look(RANGE)
    world.settle()
    assert (seen[-1].data, seen[-1].fetching) == ((1, 2, 9), False)
