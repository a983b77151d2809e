"""Fetching one query: the request, its answer or its error, and further pages (RT-4, RT-10, RT-12, RT-37).

When something is fetched is not decided here. Invariants: at most one request per query is under way; an error changes nothing but the
error; a fetch that is given up leaves everything as it was before it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from pydantic import ValidationError

from pyapp.core.cache.keys import WindowKey
from pyapp.core.cache.pages import Reading, added, more, next_request, reading_for
from pyapp.core.cache.peers import Alone, Peers, Shared
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
        self.cancelled = 0
        """Requests that were given up."""
        self.peers: Peers = Alone()
        """The other tabs (RT-62)."""

    def refresh(self, query: Query) -> None:
        """A person asks: past everything, and for those too who paused (RT-37)."""
        self.fetch(query, self._clock.now(), by_user=True)
        query.asked_by_user = True

    def fetch(self, query: Query, not_before_ms: float | None = None, *, by_user: bool = False) -> None:
        """Ask the server; an answer under way whose request began at or after `not_before_ms` will do (RT-31).

        None from before the moment at which the data became old by somebody's word will.
        """
        if query.stale_at_ms is not None and (not_before_ms is None or not_before_ms < query.stale_at_ms):
            not_before_ms = query.stale_at_ms
        under_way = query.fetch is not None and not query.appending
        if under_way and (not_before_ms is None or query.fetch_began_ms >= not_before_ms):
            return
        further = query.appending  # it would be added to what is about to be replaced: the new reading takes it along
        self.cancel(query)
        query.cancelled_ms = None
        query.fetch_began_ms = self._clock.now()
        reading = reading_for(query, further=further)
        # A window is fetched because a person opened it or asked again, and for no other reason (RT-3).
        by_user = by_user or isinstance(query.key, WindowKey)

        def ask_server() -> None:
            self._ask(query, query.spec.request(query.key), not_before_ms, lambda answer: self._first(query, answer, reading), by_user)

        if by_user or reading is not None or not self._borrow(query, not_before_ms, ask_server):
            ask_server()
        self._store.watcher.fetch_began(query)

    def take(self, query: Query, not_before_ms: float) -> None:
        """Another tab has newer data: ask that tab for it, and nobody else if it does not come (RT-62)."""
        if query.fetching or reading_for(query) is not None:
            return
        query.fetch_began_ms = self._clock.now()

        def nothing_came() -> None:
            self._store.touch(query)
            self._store.watcher.reconsider(query)

        if self._borrow(query, not_before_ms, nothing_came):
            self._store.watcher.fetch_began(query)

    def seed(self, query: Query, text: str, headers: Mapping[str, str], began_ms: float) -> bool:
        """Take an answer that was fetched before the cache existed; false if it is not one (RT-34)."""
        return self._first(query, Answer(text, dict(headers), began_ms), None, notify=False)

    def use(self, query: Query, shared: Shared) -> None:
        """Another tab's data is here, as old as it is there."""
        query.pages = 1
        query.position = shared.position
        answer = Answer("", {}, shared.began_ms, shared=True)
        self._settle(query, answer, shared.data, notify=False)
        query.updated_wall_ms, query.partial = shared.updated_wall_ms, shared.partial
        self._store.watcher.fetched(query, answer)

    def cancel(self, query: Query) -> bool:
        """Give up the request under way, if there is one; everything is as it was before it began."""
        if query.fetch is None:
            return False
        query.fetch.cancel()
        query.fetch = None
        query.appending = query.asked_by_user = False
        self.cancelled += 1
        self._store.touch(query)
        return True

    def has_next(self, query: Query) -> bool:
        """Whether there is a page after those read."""
        return query.has_data and self._guarded(query, lambda: next_request(query, query.data)) is not None

    def next_page(self, query: Query) -> bool:
        """Ask for the page after those read; false where there is none, or a request is under way."""
        if query.fetching or not query.has_data:
            return False
        request = self._guarded(query, lambda: next_request(query, query.data))
        if request is None:
            return False

        def take(answer: Answer) -> None:
            page = self._parsed(query, answer, lambda page: added(query, query.data, page))
            if page is None:
                return
            query.pages += 1
            if isinstance(query.key, WindowKey):
                self._settle(query, answer, page[0], notify=True)
                self.finish_window(query)
            else:
                # Not a snapshot: it pays nothing that is owed, and says nothing of the pages before it.
                query.error, query.failures = None, 0
                self._store.put(query, page[0])
                self._store.watcher.reconsider(query)

        query.appending = True
        self._ask(query, request, query.began_ms, take, by_user=True)  # no page may be older than the first
        return True

    def finish_window(self, query: Query) -> None:
        """The rest of a window, page after page, while somebody looks (RT-4)."""
        if isinstance(query.key, WindowKey) and query.observers and not self.held:
            self.next_page(query)

    # Inside -------------------------------------------------------------------------------------------------------------------

    def _borrow(self, query: Query, not_before_ms: float | None, otherwise: Callable[[], None]) -> bool:
        """Ask a tab that announced the key, and do something else when it has nothing of use; false where no tab did (RT-62)."""
        at_most_ms = self._store.watcher.borrows(query)
        if at_most_ms is None:
            return False
        if query.began_ms is not None:
            newer = math.nextafter(query.began_ms, math.inf)
            not_before_ms = newer if not_before_ms is None else max(not_before_ms, newer)

        def told(shared: Shared | None) -> bool:
            query.fetch = None
            watcher = self._store.watcher
            if shared is None or not watcher.admits(query, shared.began_ms, shared.position, not_before_ms):
                query.fetch_began_ms = self._clock.now()
                otherwise()
                return False
            self.use(query, shared)
            return True

        # What a stream keeps fresh may be proven by its place, whenever it was asked for: that is seen when it is here.
        hint_ms = None if at_most_ms == math.inf and not query.has_data else not_before_ms
        query.fetch = self.peers.ask(query, hint_ms, at_most_ms, told)
        if query.fetch is None:
            return False
        self._store.forget_later(query)
        self._store.touch(query)
        return True

    def _ask(
        self,
        query: Query,
        request: HttpRequest,
        not_before_ms: float | None,
        take: Callable[[Answer], object],
        by_user: bool = False,
    ) -> None:
        self.count += 1
        query.fetches += 1
        self._store.forget_later(query)

        def done(outcome: Answer | RequestError) -> None:
            query.fetch = None
            query.appending = False
            if isinstance(outcome, RequestError):
                self._failed(query, outcome)
            else:
                take(outcome)

        query.fetch = self._requests.send(
            query.spec.endpoint,
            request,
            done,
            not_before_ms=not_before_ms,
            owner=query.owner or str(query.key),
            by_user=by_user,
        )
        self._store.touch(query)

    def _first(self, query: Query, answer: Answer, reading: Reading | None, *, notify: bool = True) -> bool:
        parsed = self._parsed(query, answer, lambda data: data)
        if parsed is None:
            return False
        if reading is None:
            self._store.watcher.replacing(query)
            query.pages = 1
            query.position = parse_position(answer.headers.get(POSITION_HEADER))
            self._settle(query, answer, parsed[0], notify=notify)
            self.finish_window(query)
        else:
            reading.first, reading.data, reading.count = answer, parsed[0], 1
            self._read_on(query, reading)
        return True

    def _read_on(self, query: Query, reading: Reading) -> None:
        """The next page of a reading, or its end: only then is the old data replaced."""
        try:
            request = more(query, reading)
        except Exception as error:
            self._unread(query, error)
            return
        if request is None:
            assert reading.first is not None
            self._store.watcher.replacing(query)
            query.pages = reading.count
            query.position = parse_position(reading.first.headers.get(POSITION_HEADER))
            self._settle(query, reading.first, reading.data, notify=True)
        elif not query.observers:
            query.asked_by_user = False
            self._store.touch(query)  # nobody waits for the rest: the old reading stays, which is complete
        else:
            assert reading.first is not None  # no page may be older than it
            by_user = isinstance(query.key, WindowKey) or query.asked_by_user
            self._ask(query, request, reading.first.began_ms, lambda answer: self._next(query, answer, reading), by_user)

    def _next(self, query: Query, answer: Answer, reading: Reading) -> None:
        parsed = self._parsed(query, answer, lambda page: added(query, reading.data, page))
        if parsed is not None:
            reading.data = parsed[0]
            reading.count += 1
            self._read_on(query, reading)

    def _parsed(self, query: Query, answer: Answer, use: Callable[[Any], Any]) -> tuple[Any] | None:
        """The data of an answer, in a tuple because `None` is data; `None` where it could not be read, which is then the error."""
        try:
            return (use(query.spec.parse(query.key, answer.text)),)
        except Exception as error:
            self._unread(query, error)
            return None

    def _guarded(self, query: Query, ask: Callable[[], HttpRequest | None]) -> HttpRequest | None:
        try:
            return ask()
        except Exception as error:
            self._on_error(error)
            return None

    def _settle(self, query: Query, answer: Answer, data: Any, *, notify: bool) -> None:
        query.began_ms = answer.began_ms
        query.borrowed, query.partial = answer.shared, False
        query.tried_ms = self._clock.now()
        query.snapshot_wall_ms = self._clock.wall() - (query.tried_ms - answer.began_ms)
        query.error = None
        query.failures = 0
        if query.stale_at_ms is not None and answer.began_ms >= query.stale_at_ms:
            query.stale_at_ms = None
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
        self._requests.unreadable(query.spec.endpoint)
        self._failed(query, _invalid(query, error))

    def _failed(self, query: Query, error: RequestError) -> None:
        query.error = error
        query.failures += 1
        asked, query.asked_by_user = query.asked_by_user, False
        if asked:
            for observer in query.observers:
                if not observer.live and observer.frozen is not None:
                    observer.frozen = replace(observer.frozen, error=error)  # beside what is shown (RT-12)
        if query.layers is not None and not error.retryable:
            query.layers.give_up()
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
