"""The cache alone: it stores, shares, notifies and forgets (RT-3, RT-4, RT-10 to RT-12)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from core_world import data_of

from pyapp.core.cache.cache import QueryCache
from pyapp.core.cache.keys import LiveKey, WindowKey, aggregate, live
from pyapp.core.cache.lists import WindowData
from pyapp.core.cache.options import ObserverOptions
from pyapp.core.cache.result import Result
from pyapp.core.cache.spec import QuerySpec
from pyapp.core.errors import Disposed, InvalidAnswer, KeyMisuse
from pyapp.core.ports import HttpRequest
from pyapp.core.requests.coordinator import Requests
from pyapp.core.testing import FakeHttp, VirtualClock
from pyapp.core.timings import Timings

KEY = live("x")
RANGE = WindowKey("x", (("after", "a"), ("before", "b")))


def parse(key: Any, text: str) -> Any:
    value = json.loads(text)
    if value == "mistake":
        raise KeyError("mine")
    if not isinstance(key, WindowKey):
        return value
    return WindowData(tuple(value["rows"]), 9, value["next"] is None, value["next"])


class Cache:
    def __init__(self) -> None:
        self.clock, self.http = VirtualClock(), FakeHttp()
        self.requests = Requests(self.clock, self.http, Timings(), lambda: 6)
        self.raised: list[Exception] = []
        spec: QuerySpec[Any] = QuerySpec(
            "x",
            frozenset({"live", "window"}),
            "x",
            lambda key: HttpRequest("GET", "x"),
            parse,
            next_page=lambda key, data: None if data.complete else HttpRequest("GET", f"page{data.cursor}"),
            add_page=lambda data, page: WindowData(data.rows + page.rows, 9, page.complete, page.cursor),
        )
        self.cache = QueryCache(
            clock=self.clock,
            requests=self.requests,
            specs={"x": spec},
            timings=Timings(),
            on_error=self.raised.append,
            wake=lambda: None,
        )

    def look(self, key: Any = KEY) -> tuple[Any, list[Result[Any]]]:
        seen: list[Result[Any]] = []
        return self.cache.observe(key, seen.append), seen


def test_an_unchanged_result_notifies_nobody_and_a_changed_one_once_per_beat() -> None:
    # RT-10
    c = Cache()
    _, seen = c.look()
    for data in ([1], [1], [2], [3]):
        c.cache.write(KEY, data)
    c.cache.flush()
    c.cache.flush()
    c.cache.write(KEY, [3])
    c.cache.flush()
    assert [result.data for result in seen] == [[3]]
    assert c.cache.statistics().notified == 1


def test_none_is_data() -> None:
    # RT-10
    c = Cache()
    observer, seen = c.look()
    c.cache.flush()
    c.cache.write(KEY, None)
    c.cache.flush()
    assert [(result.data, result.has_data) for result in seen] == [(None, False), (None, True)]
    assert observer.result.has_data


def test_a_cache_without_feeds_fetches_what_an_observer_finds_too_old() -> None:
    # RT-10
    c = Cache()
    c.cache.write(KEY, [1])
    c.clock.advance(2_000)
    c.cache.observe(KEY, lambda result: None, ObserverOptions(stale_ms=3_000))
    assert c.http.sent == []
    c.cache.observe(KEY, lambda result: None, ObserverOptions(stale_ms=1_000))
    assert len(c.http.sent) == 1


def test_two_observers_make_one_request() -> None:
    # RT-10
    c = Cache()
    query = c.cache.query(KEY)
    c.look()
    c.look()
    c.cache.fetch(query)
    c.cache.fetch(query)
    assert len(c.http.sent) == 1
    c.clock.advance(10)
    c.cache.fetch(query, not_before_ms=5)
    assert [pending.cancelled for pending in c.http.sent] == [True, False]


def test_an_answer_that_cannot_be_read_is_an_error_beside_the_data_and_never_sticks() -> None:
    # RT-12
    c = Cache()
    _, seen = c.look()
    c.cache.write(KEY, [1])
    for text in ("{", '"mistake"', "[2]"):
        c.cache.fetch(c.cache.query(KEY))
        c.http.take("x").reply(text)
        c.cache.flush()
    assert [(result.data, type(result.error)) for result in seen] == [([1], InvalidAnswer), ([1], InvalidAnswer), ([2], type(None))]
    assert [type(error) for error in c.raised] == [KeyError]
    assert not c.cache.query(KEY).fetching


def test_a_window_is_read_to_its_end_also_when_it_was_left_in_between() -> None:
    # RT-4
    c = Cache()
    observer, _ = c.look(RANGE)
    c.http.take("x").reply({"rows": [1, 2], "next": 1})
    observer.close()
    c.http.take("page1").reply({"rows": [3], "next": 2})
    assert c.http.waiting == []
    _, seen = c.look(RANGE)
    c.http.take("page2").reply({"rows": [4], "next": None})
    c.cache.flush()
    assert (data_of(seen[-1]).rows, data_of(seen[-1]).complete) == ((1, 2, 3, 4), True)
    assert len(c.http.sent) == 3


def test_a_page_that_cannot_be_read_keeps_what_was_read() -> None:
    # RT-4, RT-12
    c = Cache()
    _, seen = c.look(RANGE)
    c.http.take("x").reply({"rows": [1], "next": 1})
    c.http.take("page1").reply('"mistake"')
    c.cache.flush()
    assert (data_of(seen[-1]).rows, type(seen[-1].error)) == ((1,), InvalidAnswer)


def test_data_without_observers_is_collected_after_its_time_however_it_came() -> None:
    # RT-11
    c = Cache()
    observer, _ = c.look()
    assert c.cache.seed(live("x", n=1), "[]", {}, 0.0)
    assert not c.cache.seed(live("x", n=2), "{", {}, 0.0)
    c.cache.fetch(c.cache.query(live("x", n=3)))
    c.clock.advance(200_000)
    observer.close()
    c.look()[0].close()
    c.clock.advance(100_000)
    assert [row.key for row in c.cache.statistics().queries] == [str(live("x", n=2)), str(KEY)] or c.cache.find(live("x", n=1)) is None
    assert c.cache.find(KEY) is not None
    c.clock.advance(200_000)
    assert c.cache.find(KEY) is None
    assert c.cache.statistics().collected >= 2


def test_coming_back_within_the_time_finds_the_data() -> None:
    # RT-11
    c = Cache()
    observer, _ = c.look()
    c.cache.write(KEY, [1])
    observer.close()
    c.clock.advance(299_000)
    _, seen = c.look()
    c.clock.advance(299_000)
    c.cache.flush()
    assert seen[-1].data == [1]


def test_an_unknown_family_or_mode_is_refused() -> None:
    c = Cache()
    for key in (LiveKey("y"), aggregate("x")):
        with pytest.raises(KeyMisuse, match="register"):
            c.look(key)
    with pytest.raises(KeyMisuse):
        c.cache.write(RANGE, [])  # type: ignore[arg-type]


def test_a_closed_cache_holds_nothing_and_takes_nothing() -> None:
    # RT-53
    c = Cache()
    observer, _ = c.look()
    other, _ = c.look(RANGE)
    query = c.cache.query(KEY)
    c.cache.close()
    observer.close()
    other.set_live(False)
    c.cache.fetch(query)
    c.cache.refresh(query)
    c.cache.touch(query)
    c.cache.flush()
    assert (c.clock.timers, c.http.waiting) == (0, [])
    with pytest.raises(Disposed):
        c.look()
