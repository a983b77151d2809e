"""The query cache: what is known, who looks at it, and telling them once per beat (RT-1 to RT-6, RT-10 to RT-12).

The cache stores, shares, notifies and forgets. It fetches when it is told to, by an observer (`refresh`) or by the feeds, and knows
nothing of streams, health or intervals. Whoever may write is typed: `write` takes a `WritableKey`, so a window cannot be handed to it
(RT-3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pyapp.core.cache.fetching import Fetching
from pyapp.core.cache.keys import QueryKey, WindowKey, WritableKey, require_writable
from pyapp.core.cache.query import Observer, Query, ResultCallback, unchanged
from pyapp.core.cache.sharing import share
from pyapp.core.cache.spec import QuerySpec
from pyapp.core.cache.statistics import CacheStatistics, statistics_of
from pyapp.core.cache.watcher import Nobody, Watcher
from pyapp.core.clock import Clock
from pyapp.core.errors import Disposed, KeyMisuse
from pyapp.core.requests.coordinator import Requests
from pyapp.core.timings import Timings


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
        self._specs = specs
        self._timings = timings
        self._on_error = on_error
        self._wake = wake
        self._queries: dict[QueryKey, Query] = {}
        self._dirty: dict[Query, None] = {}
        self.watcher: Watcher = Nobody()
        self._closed = False
        self._notified = self._unchanged = self._collected = self._raised = 0
        self._fetching = Fetching(clock, requests, self, on_error)

    def watch(self, watcher: Watcher) -> None:
        """The one who decides about fetches; set once, by the composition."""
        self.watcher = watcher

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
        elif not was_active:
            self.watcher.activated(query)
        if (isinstance(key, WindowKey) or not live) and not query.has_data and not query.fetching:
            if not self._fetching.held:
                self.fetch(query)  # read once; the feeds fetch what moves
        elif not query.fetching:
            self._fetching.next_page(query)  # of a window that was left before it was read to its end (RT-4)
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
            if not was_active:
                self.watcher.activated(query)
        else:
            self._freeze(observer)
            observer.live = False
            if was_active and query.live_observers == 0:
                self.watcher.deactivated(query)
        self.touch(query)

    def _freeze(self, observer: Observer) -> None:
        query = observer.query
        self.watcher.measure(query)
        observer.keep(observer.last if observer.last is not None else query.result())

    def leave(self, observer: Observer) -> None:
        """Forget an observer; the last one to go leaves the data for the gc time (RT-11)."""
        if self._closed:
            return
        query = observer.query
        was_active = query.live_observers > 0
        query.observers.remove(observer)
        if was_active and query.live_observers == 0:
            self.watcher.deactivated(query)
        self.forget_later(query)

    def forget_later(self, query: Query) -> None:
        """What nobody observes, and nobody ever did (an answer that was seeded), is collected after the gc time (RT-11)."""
        if query.gc is None and not query.observers and not self._closed and self._queries.get(query.key) is query:
            query.gc = self._clock.call_at(self._clock.now() + self._timings.gc_ms, lambda: self._collect(query))

    def _collect(self, query: Query) -> None:
        query.gc = None
        if not query.observers and self._queries.get(query.key) is query:
            self._fetching.cancel(query)
            del self._queries[query.key]
            self._dirty.pop(query, None)
            self._collected += 1
            self.watcher.collected(query)

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
        self.forget_later(query)
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
        return self._fetching.seed(self.query(key), text, headers, began_ms)

    # Fetching -----------------------------------------------------------------------------------------------------------------

    def refresh(self, query: Query) -> None:
        """A person asks: past everything, and for those too who paused (RT-37)."""
        if not self._closed:
            self._fetching.refresh(query)

    def hold(self, held: bool) -> None:
        """Ask for nothing that is read once, and for no further page of a window, while nobody sees the page (RT-50); then go on."""
        self._fetching.held = held
        for query in () if held else tuple(self._queries.values()):
            if query.fetching or not query.observers:
                continue
            if query.has_data:
                self._fetching.next_page(query)
            elif query.error is None and (isinstance(query.key, WindowKey) or not query.live_observers):
                self.fetch(query)

    def fetch(self, query: Query, not_before_ms: float | None = None) -> None:
        """Ask the server; an answer under way whose request began at or after `not_before_ms` will do (RT-31)."""
        if not self._closed:
            self._fetching.fetch(query, not_before_ms)

    # Telling ------------------------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Tell every observer whose result changed, once (RT-10). Observers may come and go while this runs."""
        dirty, self._dirty = self._dirty, {}
        for query in dirty:
            self.watcher.measure(query)
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
            self._fetching.cancel(query)
            if query.gc is not None:
                query.gc.cancel()
            query.observers.clear()
        self._queries.clear()
        self._dirty.clear()

    def statistics(self) -> CacheStatistics:
        rows = tuple(statistics_of(query) for query in self._queries.values())
        return CacheStatistics(rows, self._notified, self._unchanged, self._fetching.count, self._collected, self._raised)
