"""How `api.request` events change a live list of requests (RT-6, RT-9)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pyapp.contract.apis import RequestEvent
from pyapp.contract.events import ApiRequest
from pyapp.core.cache.keys import LIVE_LIST_LIMIT, live
from pyapp.core.cache.lists import LiveList
from pyapp.reducers import REDUCERS

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
reduce_requests = REDUCERS["requests"]


def request(n: int, api: str = "shop", method: str = "GET", status: int = 200, instance: str | None = None) -> RequestEvent:
    return RequestEvent(
        id=f"r{n}",
        at=NOW + timedelta(seconds=n),
        api_name=api,
        method=method,
        path="/x",
        status=status,
        latency_ms=1.0,
        instance_id=instance,
    )


def said(*requests: RequestEvent) -> list[ApiRequest]:
    return [ApiRequest(at=one.at, request=one) for one in requests]


REQUESTS = st.lists(
    st.builds(request, st.integers(0, 90), st.sampled_from(["shop", "pay"]), st.just("GET"), st.sampled_from([200, 500])), max_size=80
)


@given(REQUESTS, REQUESTS, st.sampled_from([live("requests"), live("requests", api_name="shop"), live("requests", status=500)]))
def test_the_list_keeps_cap_order_and_filter_and_the_same_events_twice_are_once(first: Any, then: Any, key: Any) -> None:
    # RT-6
    data = reduce_requests(key, LiveList((), 0), said(*first)).data
    result = reduce_requests(key, data, said(*then)).data
    ids = [row.id for row in result.rows]
    assert len(set(ids)) == len(ids) <= LIVE_LIST_LIMIT
    assert [row.at for row in result.rows] == sorted((row.at for row in result.rows), reverse=True)
    assert all(key.get("api_name") in (None, row.api_name) and key.get("status") in (None, row.status) for row in result.rows)
    shown = said(*(row for row in result.rows))
    assert reduce_requests(key, result, shown).data is result


def test_every_filter_of_the_endpoint_is_obeyed() -> None:
    # RT-6
    news = said(request(1), request(2, method="POST"), request(3, instance="i1"), request(4, api="pay"))
    seen = {
        name: [row.id for row in reduce_requests(live("requests", **{name: value}), LiveList((), 0), news).data.rows]
        for name, value in (("method", "post"), ("instance_id", "i1"), ("api_name", "pay"), ("path", "/y"))
    }
    assert seen == {"method": ["r2"], "instance_id": ["r3"], "api_name": ["r4"], "path": []}
    without = reduce_requests(live("requests", instance_id="__none__"), LiveList((), 0), news).data
    assert [row.id for row in without.rows] == ["r4", "r2", "r1"]


def test_the_total_is_counted_on_and_marked_as_approximate() -> None:
    # RT-6
    result = reduce_requests(live("requests"), LiveList((), 7), said(request(1))).data
    assert (result.total, result.approximate) == (8, True)
    assert reduce_requests(live("requests"), LiveList((), None), said(request(1))).data.total is None
