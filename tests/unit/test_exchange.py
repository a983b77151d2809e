"""Data of every family goes to another tab and is there what it was here (RT-62)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from pyapp.contract import apis, events, functions, jobs
from pyapp.core.cache.keys import QueryKey, aggregate, item, live
from pyapp.core.cache.lists import LiveList
from pyapp.core.cache.spec import Exchange
from pyapp.inventory import QUERIES, query_specs
from pyapp.reducers import REDUCERS

SPECS = query_specs(REDUCERS)
NOW = datetime(2026, 11, 20, 12, 0, 0, 123_456, tzinfo=UTC)
JOB = jobs.Job(
    id="job_1",
    job_key="k",
    function="f",
    function_name="F",
    status="failed",
    root_id="job_1",
    created_at=NOW,
    started_at=NOW + timedelta(milliseconds=3),
    kwargs={"a": [1, {"b": None}], "text": "\u2028\n~="},
    result={"x": 1.5},
    error="⚠ it failed",
    source=jobs.JobSource(type="cron", schedule="* * * * *"),
)
STARTED = events.JobStarted.model_validate(
    {
        "type": "job.started",
        "at": NOW,
        "job_id": "job_9",
        "job_key": "k9",
        "function": "f",
        "function_name": "F",
        "root_id": "job_9",
        "attempt": 1,
        "max_retries": 2,
        "started_at": NOW,
        "worker_id": "w1",
    }
)
API = apis.Api(
    name="shop",
    active=True,
    instance_count=1,
    endpoint_count=2,
    requests_24h=3,
    avg_latency_ms=1.5,
    error_rate=0.0,
    requests_per_min=1.0,
)
HOUR = jobs.JobTrendHour(hour=NOW, complete=1, failed=0, retrying=0, active=0)
REQUEST = apis.RequestEvent(id="r1", at=NOW, api_name="shop", method="GET", path="/x", status=200, latency_ms=0.25)
FUNCTION = functions.Function(key="f", name="F", type="task", active=True, paused=False, last_run_at=NOW)


def exchange(key: QueryKey) -> Exchange[Any]:
    found = SPECS[key.family].exchange
    assert found is not None
    return found


def after_events() -> Any:
    """A list as events left it: a row with what an event says, and a total that was counted on."""
    reduction = REDUCERS["jobs"](live("jobs"), LiveList((JOB,), 1), [STARTED])
    assert reduction.data.approximate
    assert len(reduction.data.rows) == 2
    return reduction.data


CASES: list[tuple[QueryKey, Any]] = [
    (live("jobs"), LiveList((JOB, JOB.model_copy(update={"id": "job_2", "status": "active"})), 70_000)),
    (live("jobs", status=["failed"]), LiveList((), 0)),
    (live("jobs"), after_events()),
    (item("jobs", "job_1"), JOB),
    (live("requests"), LiveList((REQUEST,), 1, approximate=True)),
    (live("functions"), LiveList((FUNCTION,), 1)),
    (live("workers"), LiveList((), 0)),
    (live("apis"), LiveList((API,), 1)),
    (item("apis", "shop"), apis.ApiDetail(api=API, total_endpoints=0)),
    (aggregate("jobs.stats"), jobs.JobsStats(total=1, success_count=1, failure_count=0, cancelled_count=0, success_rate=100.0)),
    (
        aggregate("jobs.trends", hours=24),
        jobs.JobTrends(hourly=(HOUR,)),
    ),
    (aggregate("apis.trends", hours=24), apis.ApiTrends()),
]


@pytest.mark.parametrize(("key", "data"), CASES, ids=[f"{key} {number}" for number, (key, _) in enumerate(CASES)])
def test_data_is_at_the_other_tab_what_it_was(key: QueryKey, data: Any) -> None:
    # RT-62
    pair = exchange(key)
    there = pair.load(key, pair.dump(key, data))
    assert type(there) is type(data)
    assert there == data


def test_every_family_has_an_exchange_and_a_list_names_its_rows() -> None:
    # RT-62
    assert {name for name, spec in SPECS.items() if spec.exchange is None} == {"artifacts.content"}
    lists = {row.family for row in QUERIES if "live" in row.modes}
    assert {row.family for row in QUERIES if row.rows} == lists


@pytest.mark.parametrize("text", ["", "=", "~", "={}", "=[", "=null", '={"jobs":[{}],"total":1,"has_more":false}'])
def test_what_no_tab_wrote_is_a_validation_error_which_is_a_value_error(text: str) -> None:
    # RT-62, RT-29
    with pytest.raises(ValidationError):
        exchange(live("jobs")).load(live("jobs"), text)
