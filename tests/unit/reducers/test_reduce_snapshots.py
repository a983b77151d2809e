"""Streams that say the whole state each time (RT-9)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pyapp.contract.apis import Api, ApiDetail, ApisPage
from pyapp.contract.events import ApiSnapshot, ApisSnapshot, JobsTrendsSnapshot, WorkersSnapshot
from pyapp.contract.jobs import JobTrendHour, JobTrends
from pyapp.contract.workers import Worker, WorkersPage
from pyapp.core.cache.keys import aggregate, item, live
from pyapp.core.cache.lists import LiveList
from pyapp.reducers import REDUCERS

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def worker(name: str, concurrency: int = 4) -> Worker:
    return Worker(name=name, active=True, instance_count=0, concurrency=concurrency)


def api(name: str, requests: int = 0) -> Api:
    return Api(
        name=name,
        active=True,
        instance_count=1,
        endpoint_count=1,
        requests_24h=requests,
        avg_latency_ms=1.0,
        error_rate=0.0,
        requests_per_min=0.0,
    )


def workers(*rows: Worker) -> WorkersSnapshot:
    return WorkersSnapshot(at=NOW, workers=WorkersPage(workers=rows, total=len(rows)))


def test_the_last_snapshot_of_a_batch_is_the_data_and_equal_rows_keep_their_identity() -> None:
    # RT-9, RT-10
    data: Any = LiveList((worker("a"), worker("b")), 2)
    result = REDUCERS["workers"](live("workers"), data, [workers(), workers(worker("c"), worker("a"), worker("b", 8))]).data
    assert [row.name for row in result.rows] == ["c", "a", "b"]
    assert result.rows[1] is data.rows[0]
    assert REDUCERS["workers"](live("workers"), data, [workers(worker("a"), worker("b"))]).data is data


def test_trends_are_the_series_of_the_last_snapshot() -> None:
    # RT-9
    series = [JobTrends(hourly=(JobTrendHour(hour=NOW, complete=n, failed=0, retrying=0, active=0),)) for n in range(3)]
    events = [JobsTrendsSnapshot(at=NOW, trends=one) for one in series[1:]]
    result = REDUCERS["jobs.trends"](aggregate("jobs.trends", hours=24), series[0], events)
    assert result.data == series[2]
    assert REDUCERS["jobs.trends"](aggregate("jobs.trends"), series[2], events).data is series[2]


def test_an_api_s_snapshot_is_its_item_and_its_row_in_the_list() -> None:
    # RT-9
    shop = ApiDetail(api=api("shop", 5), total_endpoints=0)
    pay = ApiDetail(api=api("pay", 7), total_endpoints=0)
    reduce: Any = REDUCERS["apis"]
    events = [ApiSnapshot(at=NOW, api=shop), ApiSnapshot(at=NOW, api=pay)]
    known = ApiDetail(api=api("shop"), total_endpoints=0)
    assert reduce(item("apis", "shop"), known, events).data == shop
    data: Any = LiveList((api("a"), api("shop")), 2)
    after = reduce(live("apis"), data, events).data
    assert [(row.name, row.requests_24h) for row in after.rows] == [("a", 0), ("shop", 5)]
    assert after.rows[0] is data.rows[0]
    whole = reduce(live("apis"), after, [ApisSnapshot(at=NOW, apis=ApisPage(apis=(api("z"),), total=1))]).data
    assert ([row.name for row in whole.rows], whole.total) == (["z"], 1)
