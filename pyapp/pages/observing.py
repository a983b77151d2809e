"""What a page needs, observed: one observer per need, and the latest result of each.

A result that says the same as the one before, only of a later time, is no news: it is shown with whatever is drawn next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pyapp.core.cache.result import unchanged
from pyapp.core.client import Client, Result
from pyapp.core.queries import Pages
from pyapp.pages.protocol import Need

Receive = Callable[[str, bool], None]
"""The name of a need whose result came, and whether it is news."""


def only_later(before: Result[Any] | None, after: Result[Any]) -> bool:
    """Whether a result says the same as the one before, only of a later time: shown with the next second, or with what is news."""
    if before is None:
        return False
    fresh = replace(before.freshness, last_snapshot_ms=after.freshness.last_snapshot_ms)
    return unchanged(replace(before, updated_ms=after.updated_ms, freshness=fresh), after)


@dataclass(slots=True)
class _Observed:
    need: Need
    pages: Pages

    def end(self) -> None:
        self.pages.close()

    def read_on(self, result: Result[Any]) -> None:
        """The next page of what is read whole; a page that failed is asked for again with the first."""
        if self.need.pages and not result.fetching and result.error is None:
            self.pages.fetch_next()


class Observers:
    """The observers of one page's needs."""

    def __init__(self, client: Client, receive: Receive) -> None:
        self._client = client
        self._receive = receive
        self._observed: dict[str, _Observed] = {}
        self._results: dict[str, Result[Any]] = {}

    def want(self, needs: Mapping[str, Need], owner: Callable[[str], str]) -> None:
        """Bring the observers to what is needed; new ones first, so that what both need is never given up.

        Args:
            owner: the panel that a need is for: its requests are counted as that panel's (RT-65).
        """
        before = self._observed
        after: dict[str, _Observed] = {}
        for name, need in needs.items():
            old = before.get(name)
            if old is not None and old.need.key == need.key:
                if old.need.live is not need.live:
                    old.pages.observer.set_live(need.live)
                    old.need = need
                after[name] = old
            else:
                self._results[name] = self._client.peek(need.key) or Result()
                pages = self._client.use_pages(need.key, self._receiver(name), live=need.live, owner=owner(name))
                after[name] = _Observed(need, pages)
        for name, old in before.items():
            if after.get(name) is not old:
                old.end()
            if name not in after:
                self._results.pop(name, None)
        self._observed = after

    def end(self) -> None:
        """Nothing is needed any more."""
        for observed in self._observed.values():
            observed.end()
        self._observed = {}
        self._results = {}

    def _receiver(self, name: str) -> Callable[[Result[Any]], None]:
        def receive(result: Result[Any]) -> None:
            news = not only_later(self._results.get(name), result)
            self._results[name] = result
            self._receive(name, news)
            observed = self._observed.get(name)
            if observed is not None:
                observed.read_on(result)

        return receive

    def need(self, name: str) -> Need | None:
        """A need by its name, while it is observed."""
        observed = self._observed.get(name)
        return observed.need if observed is not None else None

    def result(self, name: str) -> Result[Any]:
        """What was read last; an empty result before."""
        return self._results.get(name, Result())

    def moving(self) -> list[Result[Any]]:
        """What is shown as live or as a window; what was told to keep still says nothing about the connection."""
        return [self._results[name] for name, one in self._observed.items() if one.need.live and name in self._results]

    def keys(self, *, live: bool = False) -> dict[str, str]:
        """The key of each need as text; `live`: of those only that are kept up to date."""
        return {name: str(one.need.key) for name, one in self._observed.items() if one.need.live or not live}
