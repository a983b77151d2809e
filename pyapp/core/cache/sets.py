"""Several queries as one: one callback per beat with a tuple of results (RT-10)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from pyapp.core.cache.keys import QueryKey
from pyapp.core.cache.observer import Observer, ResultCallback
from pyapp.core.cache.result import Result, unchanged

ResultsCallback: TypeAlias = Callable[[tuple[Result[Any], ...]], None]


class QuerySet:
    """Looks at a list of keys, which may change; a key that stays keeps its observer, and so its data and its stream.

    Args:
        observe: makes an observer of a key.
        after: calls once when every observer of a beat has been told.
    """

    def __init__(
        self,
        observe: Callable[[QueryKey, ResultCallback], Observer],
        after: Callable[[Callable[[], None]], None],
        keys: Iterable[QueryKey],
        on_results: ResultsCallback,
    ) -> None:
        self._observe = observe
        self._after = after
        self._on_results = on_results
        self._keys: tuple[QueryKey, ...] = ()
        self._observers: dict[QueryKey, Observer] = {}
        self._told: tuple[Result[Any], ...] | None = None
        self.closed = False
        self.on_close: Callable[[], None] | None = None
        self.set_keys(keys)

    @property
    def results(self) -> tuple[Result[Any], ...]:
        """What may be shown now, in the order of the keys."""
        return tuple(self._observers[key].result for key in self._keys)

    def set_keys(self, keys: Iterable[QueryKey]) -> None:
        """Look at these from now on; new ones come before old ones go, so that what both share is never given up.

        Raises:
            KeyMisuse: nothing is registered for one of them; the keys stay as they were.
            Disposed: the client is closed.
        """
        if self.closed:
            return
        wanted = tuple(keys)
        added: dict[QueryKey, Observer] = {}
        try:
            for key in wanted:
                if key not in self._observers and key not in added:
                    added[key] = self._observe(key, self._changed)
        except Exception:
            for observer in added.values():
                observer.close()
            raise
        old = self._observers
        self._keys = wanted
        self._observers = {key: old.get(key) or added[key] for key in dict.fromkeys(wanted)}
        for key, observer in old.items():
            if key not in self._observers:
                observer.close()
        self._after(self._tell)

    def set_live(self, live: bool) -> None:
        """Live on or off for all of them (RT-5)."""
        for observer in self._observers.values():
            observer.set_live(live)

    def close(self) -> None:
        """Look no longer; twice is once."""
        if not self.closed:
            self.closed = True
            for observer in self._observers.values():
                observer.close()
            if self.on_close is not None:
                self.on_close()

    def _changed(self, result: Result[Any]) -> None:
        self._after(self._tell)

    def _tell(self) -> None:
        if self.closed:
            return
        results = tuple(self._observers[key].last or self._observers[key].result for key in self._keys)
        told = self._told
        if told is not None and len(told) == len(results) and all(unchanged(a, b) for a, b in zip(told, results, strict=True)):
            return
        self._told = results
        self._on_results(results)
