"""What an owner saw last of a family and mode: it stands in for the first data of another key (RT-10)."""

from __future__ import annotations

from collections.abc import Hashable

from pyapp.core.cache.query import Query

KEPT = 4
"""So many queries of one owner, family and mode are remembered: the last may have been left before it had data."""


class Previous:
    """The queries that were looked at last. Of one owner each, so that a panel never shows what was another's."""

    def __init__(self) -> None:
        self._seen: dict[Hashable, list[Query]] = {}

    @staticmethod
    def _group(owner: str, query: Query) -> Hashable:
        return owner, query.key.family, query.key.mode

    def looked_at(self, owner: str, query: Query) -> None:
        """The owner looks at a query now."""
        group = self._group(owner, query)
        others = [one for one in self._seen.get(group, ()) if one is not query]
        self._seen[group] = [*others, query][-KEPT:]

    def data(self, owner: str, query: Query) -> tuple[object] | None:
        """The data of the query that the owner looked at before this one; in a tuple, because `None` is data."""
        for one in reversed(self._seen.get(self._group(owner, query), ())):
            if one is not query and one.has_data:
                return (one.data,)
        return None

    def forget(self, query: Query) -> None:
        """The query is out of the cache: its data must not stay for this."""
        for group, seen in list(self._seen.items()):
            if query in seen:
                rest = [one for one in seen if one is not query]
                if rest:
                    self._seen[group] = rest
                else:
                    del self._seen[group]

    def clear(self) -> None:
        self._seen.clear()
