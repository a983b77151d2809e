"""Fetching one query: the request, its answer or its error, and a window's further pages (RT-4, RT-10, RT-12, RT-37).

When something is fetched is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from pydantic import ValidationError

from pyapp.core.cache.keys import WindowKey
from pyapp.core.cache.query import Query
from pyapp.core.cache.watcher import Watcher
from pyapp.core.clock import Clock
from pyapp.core.errors import InvalidAnswer, RequestError
from pyapp.core.ports import HttpRequest
from pyapp.core.requests.coordinator import Answer, Requests
from pyapp.core.streams.position import parse_position

POSITION_HEADER = "x-penstock-position"


class Store(Protocol):
    """Where answers go: the cache."""

    watcher: Watcher

    def put(self, query: Query, data: Any) -> None: ...

    def touch(self, query: Query) -> None: ...

    def forget_later(self, query: Query) -> None: ...


class Fetching:
    """Every fetch of the cache."""

    def __init__(self, clock: Clock, requests: Requests, store: Store, on_error: Callable[[Exception], None]) -> None:
        self._clock = clock
        self._requests = requests
        self._store = store
        self._on_error = on_error
        self.count = 0
        """Requests asked of the coordinator."""
        self.held = False
        """Windows wait: nobody sees the page (RT-50)."""

    def refresh(self, query: Query) -> None:
        """A person asks: past everything, and for those too who paused (RT-37)."""
        self.fetch(query, not_before_ms=self._clock.now())
        query.asked_by_user = True

    def fetch(self, query: Query, not_before_ms: float | None = None) -> None:
        """Ask the server; an answer under way whose request began at or after `not_before_ms` will do (RT-31)."""
        if query.fetch is not None:
            if not_before_ms is None or query.fetch_began_ms >= not_before_ms:
                return
            self.cancel(query)
        self._ask(query, query.spec.request(query.key), not_before_ms, lambda answer: self._take(query, answer))

    def seed(self, query: Query, text: str, headers: Mapping[str, str], began_ms: float) -> bool:
        """Take an answer that was fetched before the cache existed; false if it is not one (RT-34)."""
        return self._take(query, Answer(text, dict(headers), began_ms), notify=False)

    def cancel(self, query: Query) -> None:
        """Give up the request under way."""
        if query.fetch is not None:
            query.fetch.cancel()
            query.fetch = None

    def next_page(self, query: Query) -> None:
        """The rest of a window, page after page, while somebody looks (RT-4)."""
        key, spec = query.key, query.spec
        if not isinstance(key, WindowKey) or spec.next_page is None or spec.add_page is None or not query.observers:
            return
        if self.held:
            return
        request = spec.next_page(key, query.data)
        if request is None:
            return
        add_page = spec.add_page

        def take(answer: Answer) -> None:
            try:
                page = spec.parse(key, answer.text)
                data = add_page(query.data, page)
            except Exception as error:
                self._unread(query, error)
                return
            self._settle(query, answer, data, notify=True)
            self.next_page(query)

        self._ask(query, request, None, take)

    def _ask(self, query: Query, request: HttpRequest, not_before_ms: float | None, take: Callable[[Answer], object]) -> None:
        self.count += 1
        self._store.forget_later(query)
        query.fetch_began_ms = self._clock.now()

        def done(outcome: Answer | RequestError) -> None:
            query.fetch = None
            if isinstance(outcome, RequestError):
                self._failed(query, outcome)
            else:
                take(outcome)

        query.fetch = self._requests.send(query.spec.endpoint, request, done, not_before_ms=not_before_ms)
        self._store.watcher.fetch_began(query)
        self._store.touch(query)

    def _take(self, query: Query, answer: Answer, *, notify: bool = True) -> bool:
        try:
            data = query.spec.parse(query.key, answer.text)
        except Exception as error:
            self._unread(query, error)
            return False
        self._store.watcher.replacing(query)
        query.position = parse_position(answer.headers.get(POSITION_HEADER))
        self._settle(query, answer, data, notify=notify)
        if isinstance(query.key, WindowKey):
            self.next_page(query)
        return True

    def _settle(self, query: Query, answer: Answer, data: Any, *, notify: bool) -> None:
        query.began_ms = answer.began_ms
        query.tried_ms = self._clock.now()
        query.snapshot_wall_ms = self._clock.wall() - (query.tried_ms - answer.began_ms)
        query.error = None
        query.failures = 0
        self._store.put(query, data)
        asked, query.asked_by_user = query.asked_by_user, False
        if asked:
            for observer in query.observers:
                if not observer.live:
                    observer.keep(query.result())
        if notify:
            self._store.watcher.fetched(query, answer)

    def _unread(self, query: Query, error: Exception) -> None:
        """An answer that could not be read. A `ValueError` is the server's doing; anything else is a mistake of the application's."""
        if not isinstance(error, ValueError):
            self._on_error(error)
        self._failed(query, _invalid(query, error))

    def _failed(self, query: Query, error: RequestError) -> None:
        query.error = error
        query.failures += 1
        asked, query.asked_by_user = query.asked_by_user, False
        if asked:
            for observer in query.observers:
                if not observer.live and observer.frozen is not None:
                    observer.frozen = replace(observer.frozen, error=error)  # beside what is shown (RT-12)
        query.tried_ms = self._clock.now()
        self._store.touch(query)
        self._store.watcher.fetched(query, None)


def _invalid(query: Query, error: Exception) -> InvalidAnswer:
    """One sentence of a validation error: which field, not the whole list."""
    where = ""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        where = f" ({path + ': ' if path else ''}{first['msg']})"
    return InvalidAnswer(f"The server's answer is not what the contract says{where}.", endpoint=query.spec.endpoint)
