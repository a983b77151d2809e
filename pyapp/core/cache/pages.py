"""Data in pages: which page comes next, and a second reading of several that replaces the first only when it is complete (RT-4, RT-10).

has data   key       a fetch reads                          and shows
--------   -------   ------------------------------------   -----------------------------------------
no         window    every page, one after the other        each page as it comes
yes        window    every page                             the old rows until the last page is there
no         other     one page                               that
yes        other     as many pages as have been read        the old rows until the last page is there
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyapp.core.cache.keys import WindowKey
from pyapp.core.cache.query import Query
from pyapp.core.ports import HttpRequest
from pyapp.core.requests.coordinator import Answer


@dataclass(slots=True)
class Reading:
    """Pages read so far of what will replace the data.

    Attributes:
        until: how many pages; `None` is all there are.
        first: the answer of the first page, which says when and at what position this reading began: no page may be older.
    """

    until: int | None
    first: Answer | None = None
    data: Any = None
    count: int = 0


def reading_for(query: Query, *, further: bool = False) -> Reading | None:
    """How a fetch of this query reads several pages before it shows any; `None` where it shows the first at once.

    Args:
        further: a page was being added when this fetch began: it reads that one too.
    """
    if query.spec.next_page is None or query.spec.add_page is None or not query.has_data:
        return None
    if isinstance(query.key, WindowKey):
        return Reading(None)
    pages = query.pages + further
    return Reading(pages) if pages > 1 else None


def next_request(query: Query, data: Any) -> HttpRequest | None:
    """The request of the page after `data`, if there is one."""
    if query.spec.next_page is None or query.spec.add_page is None:
        return None
    return query.spec.next_page(query.key, data)


def more(query: Query, reading: Reading) -> HttpRequest | None:
    """The request of the next page of a reading, `None` when it is complete."""
    return None if reading.until is not None and reading.count >= reading.until else next_request(query, reading.data)


def added(query: Query, data: Any, page: Any) -> Any:
    """`data` with a further page."""
    assert query.spec.add_page is not None  # asked for by `next_request`, which looks
    return query.spec.add_page(data, page)
