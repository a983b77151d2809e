"""How `api.request` events change a live list of requests (RT-6, RT-9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyapp.contract.apis import RequestEvent
from pyapp.contract.events import ApiRequest
from pyapp.core.cache.keys import LIVE_LIST_LIMIT, WritableKey
from pyapp.core.cache.lists import LiveList
from pyapp.core.cache.spec import Reduction

NO_INSTANCE = "__none__"
"""What a filter says for requests that no instance is known of."""


def _matches(key: WritableKey, request: RequestEvent) -> bool:
    method, instance = key.get("method"), key.get("instance_id")
    return (
        key.get("api_name") in (None, request.api_name)
        and (method is None or str(method).upper() == request.method.upper())
        and key.get("path") in (None, request.path)
        and key.get("status") in (None, request.status)
        and (instance is None or (request.instance_id or NO_INSTANCE) == instance)
    )


def reduce_requests(key: WritableKey, data: LiveList[RequestEvent], events: Sequence[ApiRequest]) -> Reduction[Any]:
    """The reducer of the family `requests`: a request never changes, so an event only ever adds one."""
    known = {row.id for row in data.rows}
    news: list[RequestEvent] = []
    for event in events:
        request = event.request
        if request.id not in known and _matches(key, request):
            known.add(request.id)
            news.append(request)
    if not news:
        return Reduction(data)
    rows = sorted((*reversed(news), *data.rows), key=lambda row: row.at, reverse=True)[:LIVE_LIST_LIMIT]
    total = None if data.total is None else data.total + len(news)
    return Reduction(LiveList(tuple(rows), total, approximate=True))
