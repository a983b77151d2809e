"""What a program does with queries: look at one, at several, at pages of one; ask, forget, write and wait for them (RT-10, RT-77).

These are methods of `Client`; they are in a module of their own because they need nothing but the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any

from pyapp.core.cache.cache import QueryCache
from pyapp.core.cache.keys import KeyPrefix, QueryKey, WritableKey
from pyapp.core.cache.observer import Observer, ResultCallback
from pyapp.core.cache.options import Interval, ObserverOptions, Placeholder, Select
from pyapp.core.cache.result import Result
from pyapp.core.cache.sets import QuerySet, ResultsCallback
from pyapp.core.clock import Clock
from pyapp.core.errors import Disposed
from pyapp.core.scope import Scope


class Pages:
    """A query that is read page by page, as far as somebody asked."""

    def __init__(self, cache: QueryCache, observer: Observer) -> None:
        self._cache = cache
        self.observer = observer

    @property
    def result(self) -> Result[Any]:
        """What may be shown now: every page read so far."""
        return self.observer.result

    @property
    def has_next(self) -> bool:
        """Whether there is a page after those read."""
        return self._cache.fetching.has_next(self.observer.query)

    def fetch_next(self) -> bool:
        """Ask for the next page; false where there is none, or a request is under way."""
        return not self.observer.closed and self._cache.fetching.next_page(self.observer.query)

    def close(self) -> None:
        """Look no longer; twice is once."""
        self.observer.close()


class Queries:
    """The calls of a client that concern queries."""

    clock: Clock
    _cache: QueryCache
    _closed = False
    _batches = 0

    def _show(self) -> None:
        """Notify and paint now; the client says how."""

    # Looking ------------------------------------------------------------------------------------------------------------------

    def use_query(
        self,
        key: QueryKey,
        on_result: ResultCallback,
        *,
        live: bool = True,
        scope: Scope | None = None,
        owner: str = "",
        stale_ms: float | None = None,
        gc_ms: float | None = None,
        select: Select | None = None,
        placeholder: Any = Placeholder.NOTHING,
        interval: Interval = None,
        enabled: bool = True,
    ) -> Observer:
        """Look at a query until the observer, or its scope, is closed.

        Args:
            key: made by `live`, `window`, `item` or `aggregate`.
            on_result: called with a `Result` at the next beat and whenever it changes, at most once a beat.
            live, owner, stale_ms, gc_ms, select, placeholder, interval, enabled: as in `ObserverOptions`.

        Raises:
            KeyMisuse: nothing is registered for the key.
            TimeMisuse: a time that cannot be.
            Disposed: the client is closed.
        """
        options = ObserverOptions(live, enabled, owner, stale_ms, gc_ms, select, placeholder, interval)
        observer = self._cache.observe(key, on_result, options)
        if scope is not None:
            observer.on_close = scope.add(observer.close)
        return observer

    def use_queries(
        self, keys: Iterable[QueryKey], on_results: ResultsCallback, *, scope: Scope | None = None, **options: Any
    ) -> QuerySet:
        """Look at several queries at once: `on_results` gets a tuple of their results, at most once a beat.

        Args:
            options: as in `ObserverOptions`, for each of them.

        Raises:
            KeyMisuse, TimeMisuse, Disposed: as `use_query`.
        """
        self._require_open()
        shared = ObserverOptions(**options)
        queries = QuerySet(
            lambda key, on_result: self._cache.observe(key, on_result, shared), self._cache.telling.after, keys, on_results
        )
        if scope is not None:
            queries.on_close = scope.add(queries.close)
        return queries

    def use_pages(self, key: QueryKey, on_result: ResultCallback, *, scope: Scope | None = None, **options: Any) -> Pages:
        """Look at a query page by page: the first comes by itself, each further one by `fetch_next`. A refetch reads as many again,
        and shows them when it has them all.

        Raises:
            KeyMisuse, TimeMisuse, Disposed: as `use_query`.
        """
        return Pages(self._cache, self.use_query(key, on_result, scope=scope, **options))

    def peek(self, key: QueryKey) -> Result[Any] | None:
        """What is known of a key, changing nothing (RT-83)."""
        query = self._cache.find(key)
        return query.result() if query is not None else None

    # Asking -------------------------------------------------------------------------------------------------------------------

    def prefetch(self, key: QueryKey, *, stale_ms: float = 0.0, gc_ms: float | None = None) -> None:
        """Have it in the cache when somebody looks: asked for unless there is data younger than `stale_ms`. A window that was read is
        never asked for again (RT-3); an error is kept for whoever looks.

        Raises:
            KeyMisuse, TimeMisuse, Disposed: as `use_query`.
        """
        self._cache.observe(key, lambda result: None, _aside(stale_ms, gc_ms)).close()
        query = self._cache.query(key)
        if self._cache.wanting(query, stale_ms):
            self._cache.fetch(query)

    def ensure(
        self, key: QueryKey, done: ResultCallback, *, stale_ms: float | None = None, gc_ms: float | None = None
    ) -> Callable[[], None]:
        """Call `done` once, at a coming beat, with data: what there is if it is younger than `stale_ms` (`None`: whatever there is),
        else what is fetched; or with the error. Returns what gives it up.

        Raises:
            KeyMisuse, TimeMisuse, Disposed: as `use_query`.
        """

        def look(result: Result[Any]) -> None:
            if not result.fetching:
                observer.close()
                done(result)

        observer = self._cache.observe(key, look, _aside(stale_ms, gc_ms))
        if self._cache.wanting(observer.query, stale_ms):
            self._cache.fetch(observer.query)
        return observer.close

    def cancel(self, key: QueryKey) -> None:
        """Give up the fetch of a key that is under way: what was known stays. It is asked for again by itself after its interval."""
        query = self._cache.find(key)
        if query is not None:
            self._cache.cancel(query)

    def invalidate(self, what: WritableKey | KeyPrefix | Callable[[WritableKey], bool]) -> int:
        """What is known is old: ask again for what somebody looks at now, and for the rest when somebody does. Never a window (RT-3).

        Args:
            what: a key, `prefix(…)` for many, or a function that is asked for each key.

        Returns:
            how many queries that concerned.

        Raises:
            KeyMisuse: for a window key.
        """
        return self._cache.invalidate(what)

    # Writing ------------------------------------------------------------------------------------------------------------------

    def set_data(self, key: WritableKey, value: Any) -> None:
        """Write data that the program knows, or what a function makes of the data there is (`None` without any); shown at once (RT-43).

        Raises:
            KeyMisuse: for a window key (RT-3), or one that nothing is known about.
            Disposed: the client is closed.
        """
        self._require_open()
        self._cache.write(key, value)
        self.now()

    def reset(self, key: WritableKey) -> None:
        """Back to no data; what somebody looks at is fetched anew.

        Raises:
            KeyMisuse: for a window key (RT-3).
        """
        self._cache.reset(key)
        self.now()

    @contextmanager
    def batch(self) -> Generator[None]:
        """Whatever is written within is told once, at its end."""
        self._batches += 1
        try:
            yield
        finally:
            self._batches -= 1
            self.now()

    def now(self) -> None:
        """Notify and draw at once, because a person did something (RT-43); within a `batch`, at its end."""
        if not self._batches:
            self._show()

    def _require_open(self) -> None:
        if self._closed:
            raise Disposed("The client is closed: make a new one.")


def _aside(stale_ms: float | None, gc_ms: float | None) -> ObserverOptions:
    """The options of who looks without causing anything by looking."""
    return ObserverOptions(enabled=False, stale_ms=stale_ms, gc_ms=gc_ms)
