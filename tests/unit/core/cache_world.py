"""A client over the fakes with families that say what a test needs: `x` polled by design, `pages` in pages."""

from __future__ import annotations

import json
import random
from typing import Any, cast

from pyapp.core.cache.keys import Mode, WindowKey
from pyapp.core.client import Client, QueryKey, QuerySpec, Result, aggregate, live, window
from pyapp.core.ports import HttpRequest
from pyapp.core.testing import FakeHttp, FakeSources, FakeVisibility, VirtualClock

ALL: frozenset[Mode] = frozenset({"live", "window", "item", "aggregate"})
X = aggregate("x")
PAGES = live("pages")
RANGE = window("pages", after="2026-01-01T00:00:00Z", before="2026-01-02T00:00:00Z")


def url(key: QueryKey) -> str:
    pairs = [f"{name}={one}" for name, _ in key.folded for one in key.get_all(name)]
    return f"{key.family}/{key.mode}" + ("?" + "&".join(pairs) if pairs else "")


def parse(key: QueryKey, text: str) -> Any:
    value: object = json.loads(text)
    return tuple(cast("list[object]", value)) if isinstance(value, list) else value


def next_page(key: QueryKey, data: Any) -> HttpRequest | None:
    """Rows are numbers; the last one is where the next page begins, and nine is the end."""
    last = data[-1]
    if last == "mistake":
        raise ZeroDivisionError
    return None if last == 9 else HttpRequest("GET", f"more/{last}")


class CacheWorld:
    """Nothing is answered by itself."""

    def __init__(self, *, mutations: dict[str, Any] | None = None, **spec: Any) -> None:
        self.clock, self.http, self.page = VirtualClock(creep_ms=0.001), FakeHttp(), FakeVisibility()
        self.raised: list[Exception] = []

        def request(key: QueryKey) -> HttpRequest:
            return HttpRequest("GET", url(key))

        self.client = Client(
            clock=self.clock,
            sources=FakeSources(),
            http=self.http,
            visibility=self.page,
            random=random.Random(1),
            queries={
                "x": QuerySpec("x", ALL, "x", request, parse, alternatives=frozenset({"status"}), **spec),
                "y": QuerySpec("y", ALL, "y", request, parse),
                "pages": QuerySpec("pages", ALL, "pages", request, parse, next_page=next_page, add_page=lambda data, page: data + page),
            },
            streams={},
            mutations=mutations,
            on_error=self.raised.append,
        )

    def look(self, key: QueryKey = X, **options: Any) -> tuple[Any, list[Result[Any]]]:
        seen: list[Result[Any]] = []
        return self.client.use_query(key, seen.append, **options), seen

    def settle(self) -> None:
        self.clock.settle()

    def answer(self, body: object, key: QueryKey = X, **more: Any) -> None:
        """Answer the oldest request of a key, and let a beat pass."""
        self.http.take(url(key).partition("?")[0]).reply(body, **more)
        self.settle()

    def loaded(self, body: object = 1, key: QueryKey = X, **options: Any) -> tuple[Any, list[Result[Any]]]:
        """Somebody who has data."""
        observer, seen = self.look(key, **options)
        self.settle()
        self.answer(body, key)
        return observer, seen

    def asked(self, key: QueryKey = X) -> int:
        return self.http.count(url(key).partition("?")[0])

    def row(self, key: QueryKey = X) -> Any:
        """The statistics of a query."""
        return next(row for row in self.client.statistics().cache.queries if row.key == str(key))


def shown(seen: list[Result[Any]]) -> list[Any]:
    """The data that was shown, without repetitions."""
    out: list[Any] = []
    for result in seen:
        if result.has_data and (not out or out[-1] != result.data):
            out.append(result.data)
    return out


__all__ = ["PAGES", "RANGE", "CacheWorld", "WindowKey", "X", "shown", "url"]
