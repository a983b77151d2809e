"""Telling observers, once per beat (RT-10, RT-41).

Invariants: an observer is told a result once; never after it was closed; one that raises keeps nobody else from being told; what a
callback writes is told in the same flush if it asks for one, else at the next beat.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyapp.core.cache.query import Query
from pyapp.core.cache.result import unchanged

ROUNDS = 20
"""So often callbacks may make one another's data change within one flush; the rest waits for the next beat."""


class Telling:
    """Which queries may have changed, and the round of callbacks."""

    def __init__(self, measure: Callable[[Query], None], on_error: Callable[[Exception], None], wake: Callable[[], None]) -> None:
        self._measure = measure
        self._on_error = on_error
        self._wake = wake
        self._dirty: dict[Query, None] = {}
        self._after: dict[Callable[[], None], None] = {}
        self._telling = self._again = False
        self.notified = self.unchanged = self.raised = 0

    def touch(self, query: Query) -> None:
        """Something about the query may have changed: measure and tell at the next beat."""
        self._dirty[query] = None
        self._wake()

    def after(self, callback: Callable[[], None]) -> None:
        """Call once when every observer has been told: for who puts several results together."""
        self._after[callback] = None
        self._wake()

    def forget(self, query: Query) -> None:
        self._dirty.pop(query, None)

    def clear(self) -> None:
        self._dirty.clear()
        self._after.clear()

    @property
    def busy(self) -> bool:
        """Whether observers are being told now."""
        return self._telling

    def flush(self) -> None:
        """Tell everybody whose result changed. Observers may come, go, write and flush while this runs."""
        if self._telling:
            self._again = True
            return
        self._telling = True
        try:
            for _ in range(ROUNDS):
                self._again = False
                dirty, self._dirty = self._dirty, {}
                for query in dirty:
                    self._tell(query)
                after, self._after = self._after, {}
                for callback in after:
                    self._call(callback)
                if not self._again:
                    break
        finally:
            self._telling = False
        if self._dirty or self._after:
            self._wake()

    def _tell(self, query: Query) -> None:
        self._measure(query)
        if query.layers is not None:
            query.layers.confirm(query.data, query.began_ms)
        current = query.result()
        for observer in list(query.observers):
            if observer.closed:
                continue
            result = observer.show(current)
            observer.seen = current
            if unchanged(observer.last, result):
                self.unchanged += 1
                continue
            observer.last = result
            self.notified += 1
            self._call(observer.callback, result)

    def _call(self, callback: Callable[..., None], *given: Any) -> None:
        try:
            callback(*given)
        except Exception as error:
            # One panel's mistake must not keep the others from their data.
            self.raised += 1
            self._on_error(error)
