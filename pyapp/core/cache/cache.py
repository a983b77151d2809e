"""The query cache: what is known, who looks at it, and what becomes of it (RT-1 to RT-6, RT-10 to RT-12).

The cache stores, shares, notifies and forgets. It fetches when it is told to, by an observer (`refresh`) or by the feeds, and knows
nothing of streams, health or intervals. Whoever may write is typed: `write` takes a `WritableKey`, so a window cannot be handed to it
(RT-3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pyapp.core.cache.fetching import Fetching
from pyapp.core.cache.keys import KeyPrefix, QueryKey, WindowKey, WritableKey, require_writable
from pyapp.core.cache.layers import Layers
from pyapp.core.cache.observer import Observer, ResultCallback
from pyapp.core.cache.options import ObserverOptions, Placeholder, shortest
from pyapp.core.cache.previous import Previous
from pyapp.core.cache.query import Query
from pyapp.core.cache.retention import Retention
from pyapp.core.cache.sharing import share
from pyapp.core.cache.spec import QuerySpec
from pyapp.core.cache.statistics import CacheStatistics, statistics_of
from pyapp.core.cache.telling import Telling
from pyapp.core.cache.watcher import Nobody, Watcher
from pyapp.core.clock import Clock
from pyapp.core.errors import Disposed, KeyMisuse
from pyapp.core.requests.coordinator import Requests
from pyapp.core.timings import Timings

DEFAULT = ObserverOptions()


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
        self._on_error = on_error
        self._queries: dict[QueryKey, Query] = {}
        self._previous = Previous()
        self._closed = False
        self._select_errors = 0
        self.watcher: Watcher = Nobody()
        self.fetching = Fetching(clock, requests, self, on_error)
        self.telling = Telling(self._measure, on_error, wake)
        self._retention = Retention(clock, timings.gc_ms, self._forget)

    def watch(self, watcher: Watcher) -> None:
        """The one who decides about fetches; set once, by the composition."""
        self.watcher = watcher

    # Observing ----------------------------------------------------------------------------------------------------------------

    def observe(self, key: QueryKey, callback: ResultCallback, options: ObserverOptions = DEFAULT) -> Observer:
        """Look at a key; `callback` is called with the first result at the next beat, and then whenever it changed.

        Raises:
            KeyMisuse: nothing is known about the key's family or mode.
            Disposed: the cache is closed.
        """
        query = self.query(key)
        self._retention.hold(query, options.gc_ms)
        observer = Observer(self, query, callback, options)
        if not query.has_data:
            observer.placeholder = self._placeholder(query, options)
        self._previous.looked_at(options.owner, query)
        was_active = query.live_observers > 0
        query.observers.append(observer)
        if not observer.live:
            self._freeze(observer)
        self._activity(query, was_active)
        self._arrive(observer)
        self.touch(query)
        return observer

    def change(self, observer: Observer, *, live: bool | None = None, enabled: bool | None = None) -> None:
        """Let an observer move, or keep what it shows (RT-5); let it cause fetches, or not."""
        query, was_active, moved = observer.query, observer.query.live_observers > 0, observer.active
        if live is False:
            self._freeze(observer)
        elif live:
            observer.frozen = None
        observer.live = observer.live if live is None else live
        observer.enabled = observer.enabled if enabled is None else enabled
        self._activity(query, was_active)
        if observer.active and not moved:
            self._arrive(observer)
        self.touch(query)

    def leave(self, observer: Observer) -> None:
        """Forget an observer; the last one to go leaves the data for the gc time (RT-11)."""
        query = observer.query
        was_active = query.live_observers > 0
        query.observers.remove(observer)
        self._activity(query, was_active)
        if not query.observers and query.spec.cancel_unused:
            self.fetching.cancel(query)
        self.forget_later(query)

    def _activity(self, query: Query, was_active: bool) -> None:
        """Tell the feeds what changed about who lets the query move."""
        active = query.live_observers > 0
        if active and not was_active:
            self.watcher.activated(query)
        elif was_active and not active:
            self.watcher.deactivated(query)
        elif active:
            self.watcher.reconsider(query)  # another interval may be the shortest now
        if active is not was_active:
            self.watcher.measure(query)  # what was measured for those before must not be shown to anybody else (RT-84)

    def _arrive(self, observer: Observer) -> None:
        """What an observer asks for when it comes: the first data, the rest of a window, newer data than there is (RT-10)."""
        query = observer.query
        if not observer.enabled or query.fetching:
            return
        if isinstance(query.key, WindowKey):
            if query.has_data:
                self.fetching.finish_window(query)  # one that was left before it was read to its end (RT-4)
            elif not self.fetching.held:
                self.fetch(query)
        elif not observer.live:
            if not query.has_data and not self.fetching.held:
                self.fetch(query)  # read once; the feeds fetch what moves
        elif query.has_data and not query.failures and not self.watcher.paused(query) and self._old(query, observer.options.stale_ms):
            self.fetch(query)

    def _old(self, query: Query, stale_ms: float | None) -> bool:
        if query.stale_at_ms is not None:
            return True
        if stale_ms is None or self.watcher.fed(query):
            return False
        return query.began_ms is None or self._clock.now() - query.began_ms >= stale_ms

    def wanting(self, query: Query, stale_ms: float | None) -> bool:
        """Whether there is no data, or none that is younger than `stale_ms`; a window that was read is never old (RT-3)."""
        if not query.has_data:
            return True
        return not isinstance(query.key, WindowKey) and self._old(query, stale_ms)

    def _freeze(self, observer: Observer) -> None:
        query = observer.query
        self._measure(query)
        observer.keep(observer.seen if observer.seen is not None else query.result())

    def _placeholder(self, query: Query, options: ObserverOptions) -> tuple[Any] | None:
        wish = options.placeholder
        if wish is Placeholder.NOTHING:
            return None
        if wish is Placeholder.PREVIOUS:
            return self._previous.data(options.owner, query)
        if not callable(wish):
            return (wish,)
        try:
            return (wish(),)
        except Exception as error:
            self._on_error(error)
            return None

    def selecting_failed(self, query: Query, error: Exception) -> None:
        """An observer's own function of the data raised."""
        query.select_errors += 1
        self._select_errors += 1
        self._on_error(error)

    # Finding and forgetting ---------------------------------------------------------------------------------------------------

    def query(self, key: QueryKey) -> Query:
        """The query of a key, made when it is first asked for.

        Raises:
            KeyMisuse: nothing is known about the key's family or mode.
            Disposed: the cache is closed.
        """
        query = self._queries.get(key)
        if query is None:
            if self._closed:
                raise Disposed("The client is closed: make a new one.")
            if not isinstance(key, QueryKey):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise KeyMisuse(f"{key!r} is no query key: make one by live, window, item or aggregate.")
            spec = self._specs.get(key.family)
            if spec is None or key.mode not in spec.modes:
                raise KeyMisuse(f"{key} has no query: register its family and mode in the inventory.")
            key = key.spelled(spec.alternatives)
            query = self._queries[key] = Query(key, spec)
        return query

    def find(self, key: QueryKey) -> Query | None:
        return self._queries.get(key)

    def queries(self) -> Iterable[Query]:
        return self._queries.values()

    def forget_later(self, query: Query) -> None:
        """What nobody observes, and nobody ever did (an answer that was seeded), is collected after the gc time (RT-11)."""
        if not query.observers and not self._closed and self._queries.get(query.key) is query:
            self._retention.release(query)

    def _forget(self, query: Query) -> None:
        self.fetching.cancel(query)
        del self._queries[query.key]
        self.telling.forget(query)
        self._previous.forget(query)
        self.watcher.collected(query)

    # Writing ------------------------------------------------------------------------------------------------------------------

    def write(self, key: WritableKey, value: Any) -> None:
        """Put data into a live, item or aggregate key, or what a function makes of the data there is (`None` without any).

        Raises:
            KeyMisuse: for a window key (RT-3).
        """
        query = self.query(require_writable(key))
        data = value(query.data) if callable(value) else value
        query.error, query.failures = None, 0
        if query.began_ms is None:
            query.began_ms = self._clock.now()
        self.put(query, data)
        self.watcher.reconsider(query)

    def put(self, query: Query, data: Any) -> None:
        """New data of a query; equal data keeps its identity and notifies nobody (RT-10)."""
        self.forget_later(query)
        query.data = share(query.data, data) if query.has_data else data
        query.has_data = True
        query.updated_wall_ms = self._clock.wall()
        self.touch(query)

    def seed(self, key: QueryKey, text: str, headers: Mapping[str, str], began_ms: float) -> bool:
        """Take an answer that was fetched before the cache existed; false if it is not one (RT-34)."""
        return self.fetching.seed(self.query(key), text, headers, began_ms)

    def layers(self, key: WritableKey) -> Layers:
        """What lies over a query's data (RT-10).

        Raises:
            KeyMisuse: for a window key (RT-3).
        """
        query = self.query(require_writable(key))
        if query.layers is None:
            query.layers = Layers(self._on_error)
        self.forget_later(query)
        return query.layers

    # Fetching -----------------------------------------------------------------------------------------------------------------

    def refresh(self, query: Query) -> None:
        """A person asks: past everything, and for those too who paused (RT-37)."""
        if not self._closed:
            self.fetching.refresh(query)

    def hold(self, held: bool) -> None:
        """Ask for nothing that is read once, and for no further page of a window, while nobody sees the page (RT-50); then go on."""
        self.fetching.held = held
        for query in () if held else tuple(self._queries.values()):
            if query.fetching or not query.observers:
                continue
            if query.has_data:
                self.fetching.finish_window(query)
            elif query.error is None and _read_once(query):
                self.fetch(query)

    def fetch(self, query: Query, not_before_ms: float | None = None) -> None:
        """Ask the server; an answer under way whose request began at or after `not_before_ms` will do (RT-31)."""
        if not self._closed:
            self.fetching.fetch(query, not_before_ms)

    def cancel(self, query: Query) -> None:
        """Give up the fetch under way, if any; what was known stays as it was. Asked for again by itself after an interval."""
        if self.fetching.cancel(query):
            query.cancelled_ms = self._clock.now()
            self.watcher.reconsider(query)

    def invalidate(self, what: WritableKey | KeyPrefix | Callable[[WritableKey], bool]) -> int:
        """What is known is old: what is looked at is fetched again, the rest when somebody looks (RT-10). Returns how many.

        Raises:
            KeyMisuse: for a window key; no prefix or function reaches one (RT-3).
        """
        chosen = list(self._chosen(what))
        for query in chosen:
            query.stale_at_ms = self._clock.now()
            if query.live_observers and not self.watcher.paused(query):
                self.fetch(query)
            self.watcher.reconsider(query)
        return len(chosen)

    def _chosen(self, what: WritableKey | KeyPrefix | Callable[[WritableKey], bool]) -> Iterable[Query]:
        if isinstance(what, KeyPrefix):
            return [query for key, query in self._queries.items() if what.matches(key)]
        if callable(what):
            return [query for key, query in self._queries.items() if not isinstance(key, WindowKey) and what(key)]
        query = self._queries.get(require_writable(what))
        return () if query is None else (query,)

    def reset(self, key: WritableKey) -> None:
        """Back to no data: observers are told, and what is looked at is fetched as for the first time.

        Raises:
            KeyMisuse: for a window key (RT-3).
        """
        query = self._queries.get(require_writable(key))
        if query is None:
            return
        self.fetching.cancel(query)
        active = query.live_observers > 0
        if active:
            self.watcher.deactivated(query)
        query.data, query.has_data, query.pages, query.position = None, False, 0, None
        query.error, query.failures, query.cancelled_ms, query.stale_at_ms = None, 0, None, self._clock.now()
        query.updated_wall_ms = query.snapshot_wall_ms = query.began_ms = query.tried_ms = None
        if active:
            self.watcher.activated(query)
        self.touch(query)

    def interval_ms(self, query: Query) -> float | None:
        """The shortest interval that the query's description or one of its observers asks for, `None` where none does."""
        asked = [observer.options.interval for observer in query.observers if observer.active and observer.options.interval is not None]
        if query.spec.interval_ms is not None:
            asked.append(query.spec.interval_ms)
        try:
            return shortest(asked, query.result()) if asked else None
        except Exception as error:
            self._on_error(error)
            return None

    # Telling ------------------------------------------------------------------------------------------------------------------

    def touch(self, query: Query) -> None:
        """Something about the query may have changed: measure and tell at the next beat."""
        if not self._closed:
            self.telling.touch(query)

    def flush(self) -> None:
        """Tell every observer whose result changed, once (RT-10); then forget what nobody looks at and is too much (RT-11)."""
        self.telling.flush()
        if not self.telling.busy:
            self._retention.trim()

    def _measure(self, query: Query) -> None:
        self.watcher.measure(query)

    def close(self) -> None:
        """Forget everything: no timer, request or observer is left."""
        self._closed = True
        for query in self._queries.values():
            self.fetching.cancel(query)
            self._retention.drop(query)
            for observer in query.observers:
                observer.closed = True
            query.observers.clear()
        self._queries.clear()
        self._previous.clear()
        self.telling.clear()

    def statistics(self) -> CacheStatistics:
        return CacheStatistics(
            queries=tuple(statistics_of(query, self._clock.now()) for query in self._queries.values()),
            notified=self.telling.notified,
            unchanged=self.telling.unchanged,
            fetches=self.fetching.count,
            cancelled=self.fetching.cancelled,
            collected=self._retention.collected,
            evicted=self._retention.evicted,
            raised=self.telling.raised,
            select_errors=self._select_errors,
        )


def _read_once(query: Query) -> bool:
    """Whether somebody waits for its first data whom the feeds do not serve: they fetch what moves."""
    waited_for = any(observer.enabled for observer in query.observers)
    return waited_for and (isinstance(query.key, WindowKey) or not query.live_observers)
