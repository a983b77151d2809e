"""Somebody who looks at a query, and what they are shown: kept while paused, replaced while loading, made their own (RT-5, RT-10)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from pyapp.core.cache.options import ObserverOptions, Select
from pyapp.core.cache.query import Query
from pyapp.core.cache.result import Result
from pyapp.core.cache.sharing import share
from pyapp.core.freshness import Freshness, FreshnessReason, FreshnessState

ResultCallback = Callable[[Result[Any]], None]


class ObserverOwner(Protocol):
    """What an observer tells of itself: the cache."""

    def leave(self, observer: Observer) -> None: ...

    def change(self, observer: Observer, *, live: bool | None = None, enabled: bool | None = None) -> None: ...

    def touch(self, query: Query) -> None: ...

    def selecting_failed(self, query: Query, error: Exception) -> None: ...


class Observer:
    """Somebody who looks at a query.

    While `live` is off the observer keeps the result it had: data, error and times stand still, and only the mark says that it is
    paused and how much has happened since (RT-5).
    """

    __slots__ = (
        "_frozen_at_events",
        "_memo",
        "_owner",
        "_select",
        "callback",
        "closed",
        "enabled",
        "frozen",
        "last",
        "live",
        "on_close",
        "options",
        "placeholder",
        "query",
        "seen",
    )

    def __init__(self, owner: ObserverOwner, query: Query, callback: ResultCallback, options: ObserverOptions) -> None:
        self._owner = owner
        self._select = options.select
        self._memo: tuple[Select, Any, Any, Exception | None, bool] | None = None
        self._frozen_at_events = 0
        self.closed = False
        self.query = query
        self.callback = callback
        self.options = options
        self.live = options.live
        self.enabled = options.enabled
        self.placeholder: tuple[Any] | None = None
        """What stands in for the data until there is any; in a tuple, because `None` is data."""
        self.last: Result[Any] | None = None
        """What it was told last."""
        self.seen: Result[Any] | None = None
        """The query's result that this was made of."""
        self.frozen: Result[Any] | None = None
        self.on_close: Callable[[], None] | None = None

    @property
    def active(self) -> bool:
        """Whether it lets the query move: fetches, streams (RT-5, RT-11)."""
        return self.live and self.enabled

    @property
    def result(self) -> Result[Any]:
        """What the observer may show now."""
        return self.show(self.query.result())

    def show(self, current: Result[Any]) -> Result[Any]:
        """What the observer may show of its query's current result."""
        if not self.live:
            current = self._kept(current)
        if not current.has_data and current.error is None and self.placeholder is not None:
            current = replace(current, data=self.placeholder[0], has_data=True, placeholder=True)
        return current if self._select is None or not current.has_data else self._selected(self._select, current)

    def _kept(self, current: Result[Any]) -> Result[Any]:
        if self.frozen is not None and not self.frozen.has_data and current.has_data:
            self.keep(current)  # paused before there was anything to keep: what came first is kept
        kept = self.frozen
        if kept is None or not kept.has_data:
            return current
        mark = Freshness(
            state=FreshnessState.PAUSED,
            reason=FreshnessReason.USER,
            since_ms=kept.freshness.since_ms,
            mode="snapshot",
            health="paused by you",
            last_delivery_ms=kept.freshness.last_delivery_ms,
            last_snapshot_ms=kept.freshness.last_snapshot_ms,
            changes_since=self.query.events_seen - self._frozen_at_events,
        )
        return Result(kept.data, kept.has_data, kept.error, False, kept.updated_ms, mark)

    def _selected(self, select: Select, current: Result[Any]) -> Result[Any]:
        memo = self._memo
        if memo is None or memo[0] is not select or memo[1] is not current.data:
            before, had = (memo[2], memo[4]) if memo is not None else (None, False)
            try:
                made = select(current.data)
                memo = (select, current.data, share(before, made) if had else made, None, True)
            except Exception as error:
                # One observer's mistake is its own: it keeps what it showed, and nobody else hears of it.
                self._owner.selecting_failed(self.query, error)
                memo = (select, current.data, before, error, had)
            self._memo = memo
        return replace(current, data=memo[2], has_data=memo[4], select_error=memo[3])

    def keep(self, result: Result[Any]) -> None:
        """Show this for as long as it is paused (RT-5); without what is only hoped for, since nothing would take that back."""
        self.frozen = replace(result, data=self.query.data, pending=False) if result.pending else result
        self._frozen_at_events = self.query.events_seen

    def set_live(self, live: bool) -> None:
        """Live on or off for this observer alone (RT-5)."""
        if not self.closed and live is not self.live:
            self._owner.change(self, live=live)

    def set_enabled(self, enabled: bool) -> None:
        """Whether this observer causes fetches at all; off, it is shown what others fetch."""
        if not self.closed and enabled is not self.enabled:
            self._owner.change(self, enabled=enabled)

    def set_select(self, select: Select | None) -> None:
        """Another function of the data, from the next beat on."""
        if not self.closed and select is not self._select:
            self._select = select
            self._owner.touch(self.query)

    def close(self) -> None:
        """Look no longer; twice is once."""
        if not self.closed:
            self.closed = True
            self._owner.leave(self)
            if self.on_close is not None:
                self.on_close()
