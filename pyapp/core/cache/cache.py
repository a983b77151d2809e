"""The query cache: what is known, who looks at it, and telling them once per beat (RT-1 to RT-6, RT-10 to RT-12).

The cache stores, shares, notifies and forgets. It fetches when it is told to, by an observer (`refresh`) or by the feeds, and knows
nothing of streams, health or intervals. Whoever may write is typed: `write` takes a `WritableKey`, so a window cannot be handed to it
(RT-3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from pydantic import ValidationError

from pyapp.core.cache.keys import QueryKey, WindowKey, WritableKey, require_writable
from pyapp.core.cache.query import Observer, Query, ResultCallback, unchanged
from pyapp.core.cache.sharing import share
from pyapp.core.cache.spec import QuerySpec
from pyapp.core.clock import Clock
from pyapp.core.errors import Disposed, InvalidAnswer, KeyMisuse, RequestError
from pyapp.core.ports import HttpRequest
from pyapp.core.requests.coordinator import Answer, Requests
from pyapp.core.streams.position import parse_position
from pyapp.core.timings import Timings

POSITION_HEADER = "x-penstock-position"


class Watcher(Protocol):
    """Who is told what happens to queries: the feeds."""

    def activated(self, query: Query) -> None:
        """The first observer that lets it move came."""
        ...

    def deactivated(self, query: Query) -> None: ...

    def fetch_began(self, query: Query) -> None: ...

    def fetched(self, query: Query, answer: Answer | None) -> None:
        """A fetch ended: with data (already in the query), or with `query.error`."""
        ...

    def measure(self, query: Query) -> None:
        """Bring `query.freshness` up to date; called before observers are told."""
        ...


@dataclass(frozen=True, slots=True)
class QueryStatistics:
    """What the dock shows of one query."""

    key: str
    state: str
    reason: str
    observers: int
    live_observers: int
    has_data: bool
    fetching: bool
    updated_ms: float | None
    position: str
    error: str
    events: int


@dataclass(frozen=True, slots=True)
class CacheStatistics:
    queries: tuple[QueryStatistics, ...]
    notified: int
    unchanged: int
    fetches: int
    collected: int
    raised: int


class QueryCache:
    """Every query of the page."""

    def __init__(
        self,
        *,
        clock: Clock,
        requests: Requests,
        specs: Mapping[str, QuerySpec[Any]],
        timings: Timings,
        on_error: Callable[[Exception], None],
        wake: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._requests = requests
        self._specs = specs
        self._timings = timings
        self._on_error = on_error
        self._wake = wake
        self._queries: dict[QueryKey, Query] = {}
        self._dirty: dict[Query, None] = {}
        self._watcher: Watcher | None = None
        self._closed = False
        self._notified = self._unchanged = self._fetches = self._collected = self._raised = 0

    def watch(self, watcher: Watcher) -> None:
        """The one who decides about fetches; set once, by the composition."""
        self._watcher = watcher

    # Observing ----------------------------------------------------------------------------------------------------------------

    def observe(self, key: QueryKey, callback: ResultCallback, *, live: bool = True) -> Observer:
        """Look at a key; `callback` is called with the first result at the next beat, and then whenever it changed.

        Raises:
            KeyMisuse: nothing is known about the key's family or mode.
            Disposed: the cache is closed.
        """
        if self._closed:
            raise Disposed("The client is closed: make a new one.")
        query = self.query(key)
        if query.gc is not None:
            query.gc.cancel()
            query.gc = None
        observer = Observer(self, query, callback, live)
        was_active = query.live_observers > 0
        query.observers.append(observer)
        if not live:
            self._freeze(observer)
        elif not was_active and self._watcher is not None:
            self._watcher.activated(query)
        if (isinstance(key, WindowKey) or not live) and not query.has_data and not query.fetching:
            self.fetch(query)  # read once; the feeds fetch what moves
        elif not query.fetching:
            self._next_page(query)  # of a window that was left before it was read to its end (RT-4)
        self.touch(query)
        return observer

    def set_live(self, observer: Observer, live: bool) -> None:
        """Let an observer move, or keep what it shows (RT-5)."""
        if self._closed:
            return
        query = observer.query
        was_active = query.live_observers > 0
        if live:
            observer.live = True
            observer.frozen = None
            if not was_active and self._watcher is not None:
                self._watcher.activated(query)
        else:
            self._freeze(observer)
            observer.live = False
            if was_active and query.live_observers == 0 and self._watcher is not None:
                self._watcher.deactivated(query)
        self.touch(query)

    def _freeze(self, observer: Observer) -> None:
        query = observer.query
        if self._watcher is not None:
            self._watcher.measure(query)
        observer.keep(observer.last if observer.last is not None else query.result())

    def leave(self, observer: Observer) -> None:
        """Forget an observer; the last one to go leaves the data for the gc time (RT-11)."""
        if self._closed:
            return
        query = observer.query
        was_active = query.live_observers > 0
        query.observers.remove(observer)
        if was_active and query.live_observers == 0 and self._watcher is not None:
            self._watcher.deactivated(query)
        self._forget_later(query)

    def _forget_later(self, query: Query) -> None:
        """What nobody observes, and nobody ever did (an answer that was seeded), is collected after the gc time (RT-11)."""
        if query.gc is None and not query.observers and not self._closed and self._queries.get(query.key) is query:
            query.gc = self._clock.call_at(self._clock.now() + self._timings.gc_ms, lambda: self._collect(query))

    def _collect(self, query: Query) -> None:
        query.gc = None
        if not query.observers and self._queries.get(query.key) is query:
            self._cancel_fetch(query)
            del self._queries[query.key]
            self._dirty.pop(query, None)
            self._collected += 1

    def query(self, key: QueryKey) -> Query:
        """The query of a key, made when it is first asked for."""
        query = self._queries.get(key)
        if query is None:
            spec = self._specs.get(key.family)
            if spec is None or key.mode not in spec.modes:
                raise KeyMisuse(f"{key} has no query: register its family and mode in the inventory.")
            query = self._queries[key] = Query(key, spec)
        return query

    def find(self, key: QueryKey) -> Query | None:
        return self._queries.get(key)

    def queries(self) -> Iterable[Query]:
        return self._queries.values()

    # Writing ------------------------------------------------------------------------------------------------------------------

    def write(self, key: WritableKey, data: Any) -> None:
        """Put data into a live, item or aggregate key.

        Raises:
            KeyMisuse: for a window key (RT-3).
        """
        self.put(self.query(require_writable(key)), data)

    def put(self, query: Query, data: Any) -> None:
        """New data of a query; equal data keeps its identity and notifies nobody (RT-10)."""
        self._forget_later(query)
        query.data = share(query.data, data) if query.has_data else data
        query.has_data = True
        query.updated_wall_ms = self._clock.wall()
        self.touch(query)

    def touch(self, query: Query) -> None:
        """Something about the query may have changed: measure and tell at the next beat."""
        self._dirty[query] = None
        self._wake()

    def seed(self, key: QueryKey, text: str, headers: Mapping[str, str], began_ms: float) -> bool:
        """Take an answer that was fetched before the cache existed; false if it is not one (RT-34)."""
        query = self.query(key)
        return self._take(query, Answer(text, dict(headers), began_ms), notify=False)

    # Fetching -----------------------------------------------------------------------------------------------------------------

    def refresh(self, query: Query) -> None:
        """A person asks: past everything, and for those too who paused (RT-37)."""
        self.fetch(query, not_before_ms=self._clock.now())
        query.asked_by_user = True

    def fetch(self, query: Query, not_before_ms: float | None = None) -> None:
        """Ask the server; an answer under way whose request began at or after `not_before_ms` will do (RT-31)."""
        if self._closed:
            return
        if query.fetch is not None:
            if not_before_ms is None or query.fetch_began_ms >= not_before_ms:
                return
            self._cancel_fetch(query)
        self._ask(query, query.spec.request(query.key), not_before_ms, lambda answer: self._take(query, answer))

    def _ask(self, query: Query, request: HttpRequest, not_before_ms: float | None, take: Callable[[Answer], object]) -> None:
        self._fetches += 1
        self._forget_later(query)
        query.fetch_began_ms = self._clock.now()

        def done(outcome: Answer | RequestError) -> None:
            query.fetch = None
            if isinstance(outcome, RequestError):
                self._failed(query, outcome)
            else:
                take(outcome)

        query.fetch = self._requests.send(query.spec.endpoint, request, done, not_before_ms=not_before_ms)
        if self._watcher is not None:
            self._watcher.fetch_began(query)
        self.touch(query)

    def _take(self, query: Query, answer: Answer, *, notify: bool = True) -> bool:
        try:
            data = query.spec.parse(query.key, answer.text)
        except Exception as error:
            self._unread(query, error)
            return False
        query.position = parse_position(answer.headers.get(POSITION_HEADER))
        self._settle(query, answer, data, notify=notify)
        if isinstance(query.key, WindowKey):
            self._next_page(query)
        return True

    def _settle(self, query: Query, answer: Answer, data: Any, *, notify: bool) -> None:
        query.began_ms = answer.began_ms
        query.tried_ms = self._clock.now()
        query.snapshot_wall_ms = self._clock.wall() - (query.tried_ms - answer.began_ms)
        query.error = None
        query.failures = 0
        self.put(query, data)
        asked, query.asked_by_user = query.asked_by_user, False
        if asked:
            for observer in query.observers:
                if not observer.live:
                    observer.keep(query.result())
        if notify and self._watcher is not None:
            self._watcher.fetched(query, answer)

    def _next_page(self, query: Query) -> None:
        """The rest of a window, page after page, while somebody looks (RT-4)."""
        key, spec = query.key, query.spec
        if not isinstance(key, WindowKey) or spec.next_page is None or spec.add_page is None or not query.observers:
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
            self._next_page(query)

        self._ask(query, request, None, take)

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
        self.touch(query)
        if self._watcher is not None:
            self._watcher.fetched(query, None)

    def _cancel_fetch(self, query: Query) -> None:
        if query.fetch is not None:
            query.fetch.cancel()
            query.fetch = None

    # Telling ------------------------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Tell every observer whose result changed, once (RT-10). Observers may come and go while this runs."""
        dirty, self._dirty = self._dirty, {}
        for query in dirty:
            if self._watcher is not None:
                self._watcher.measure(query)
            for observer in list(query.observers):
                if observer not in query.observers:
                    continue
                result = observer.result
                if unchanged(observer.last, result):
                    self._unchanged += 1
                    continue
                observer.last = result
                self._notified += 1
                try:
                    observer.callback(result)
                except Exception as error:
                    # One panel's mistake must not keep the others from their data.
                    self._raised += 1
                    self._on_error(error)

    def close(self) -> None:
        """Forget everything: no timer, request or observer is left."""
        self._closed = True
        for query in self._queries.values():
            self._cancel_fetch(query)
            if query.gc is not None:
                query.gc.cancel()
            query.observers.clear()
        self._queries.clear()
        self._dirty.clear()

    def statistics(self) -> CacheStatistics:
        rows = tuple(
            QueryStatistics(
                key=str(q.key),
                state=q.freshness.state,
                reason=q.freshness.reason,
                observers=len(q.observers),
                live_observers=q.live_observers,
                has_data=q.has_data,
                fetching=q.fetching,
                updated_ms=q.updated_wall_ms,
                position=str(q.position or ""),
                error=str(q.error or ""),
                events=q.events_seen,
            )
            for q in self._queries.values()
        )
        return CacheStatistics(rows, self._notified, self._unchanged, self._fetches, self._collected, self._raised)


def _invalid(query: Query, error: Exception) -> InvalidAnswer:
    """One sentence of a validation error: which field, not the whole list."""
    where = ""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        where = f" ({path + ': ' if path else ''}{first['msg']})"
    return InvalidAnswer(f"The server's answer is not what the contract says{where}.", endpoint=query.spec.endpoint)
