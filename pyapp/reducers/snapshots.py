"""Streams that say the whole state each time: the last of a batch is the data (RT-9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyapp.contract.apis import Api, ApiDetail
from pyapp.contract.events import ApiSnapshot, ApisSnapshot, ApisTrendsSnapshot, JobsTrendsSnapshot, WorkersSnapshot
from pyapp.core.cache.keys import WritableKey
from pyapp.core.cache.lists import LiveList
from pyapp.core.cache.sharing import share
from pyapp.core.cache.spec import Reduction


def reduce_workers(key: WritableKey, data: Any, events: Sequence[WorkersSnapshot]) -> Reduction[Any]:
    """`workers.snapshot` is the list."""
    page = events[-1].workers
    return Reduction(share(data, LiveList(page.workers, page.total)), complete=True)


def reduce_trends(key: WritableKey, data: Any, events: Sequence[JobsTrendsSnapshot | ApisTrendsSnapshot]) -> Reduction[Any]:
    """A trends snapshot is the series."""
    return Reduction(share(data, events[-1].trends), complete=True)


def reduce_apis(key: WritableKey, data: Any, events: Sequence[ApisSnapshot | ApiSnapshot]) -> Reduction[Any]:
    """`apis.snapshot` is the list; `api.snapshot` the item, and its row in the list."""
    complete = False
    for event in events:
        if key.mode == "item":
            if isinstance(event, ApiSnapshot) and event.api.api.name == key.get("id"):
                data, complete = _as_item(data, event.api), True
        elif isinstance(event, ApisSnapshot):
            data, complete = share(data, LiveList(event.apis.apis, event.apis.total)), True
        elif data is not None:
            data = _with_row(data, event.api)
    return Reduction(data, complete=complete)


def _as_item(data: ApiDetail | None, api: ApiDetail) -> ApiDetail:
    return api if data is None else share(data, api)


def _with_row(data: LiveList[Api], detail: ApiDetail) -> LiveList[Api]:
    rows = tuple(detail.api if row.name == detail.api.name else row for row in data.rows)
    return share(data, LiveList(rows, data.total))
