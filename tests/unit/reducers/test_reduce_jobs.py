"""How job events change a job and a live list of jobs (RT-6, RT-7, RT-9)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyapp.contract.events import JobCancelled, JobCheckpoint, JobCompleted, JobFailed, JobProgress, JobRetrying, JobStarted
from pyapp.contract.jobs import Job
from pyapp.core.cache.keys import LIVE_LIST_LIMIT, item, live
from pyapp.core.cache.lists import LiveList
from pyapp.reducers import REDUCERS
from pyapp.reducers.jobs import RANK, apply_event

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
reduce_jobs = REDUCERS["jobs"]
TERMINAL = ("complete", "failed", "cancelled")


def job(name: str, status: str = "active", age: int = 0, attempts: int = 1, function: str = "f", **more: Any) -> Job:
    return Job.model_validate(
        {
            "id": name,
            "job_key": name,
            "function": function,
            "function_name": function,
            "status": status,
            "created_at": NOW - timedelta(seconds=age),
            "attempts": attempts,
            "root_id": name,
            **more,
        }
    )


def event(kind: str, name: str, attempt: int = 1, function: str = "f", at: int = 0, progress: float = 0.5) -> Any:
    when = NOW + timedelta(seconds=at)
    base: dict[str, Any] = {"job_id": name, "root_id": name, "worker_id": "w"}
    named: dict[str, Any] = {**base, "function": function, "function_name": function}
    match kind:
        case "started":
            return JobStarted(**named, attempt=attempt, started_at=when)
        case "progress":
            return JobProgress(**base, progress=progress)
        case "completed":
            return JobCompleted(**named, attempt=attempt, duration_ms=5.0, completed_at=when)
        case "failed":
            return JobFailed(**named, attempt=attempt, error="boom", failed_at=when)
        case "retrying":
            return JobRetrying(**named, error="boom", current_attempt=attempt, next_attempt=attempt + 1)
        case "cancelled":
            return JobCancelled(**named, attempt=attempt, cancelled_at=when)
        case _:
            return JobCheckpoint(**base)


def names(data: Any) -> list[str]:
    return [row.id for row in data.rows]


def test_a_job_goes_through_its_life_and_each_step_is_shown() -> None:
    # RT-7
    known = job("a", "queued")
    seen: list[tuple[str, int, float]] = []
    life = ("started", "progress", "retrying", "started", "progress", "completed")
    for kind, attempt in zip(life, (1, 1, 1, 2, 2, 2), strict=True):
        known = apply_event(known, event(kind, "a", attempt))
        seen.append((known.status, known.attempts, known.progress))
    assert seen == [
        ("active", 1, 0.0),
        ("active", 1, 0.5),
        ("retrying", 1, 0.5),
        ("active", 2, 0.0),
        ("active", 2, 0.5),
        ("complete", 2, 1.0),
    ]
    assert (known.error, known.duration_ms, known.worker_id) == (None, 5.0, "w")


KINDS = st.sampled_from(["started", "progress", "completed", "failed", "retrying", "cancelled", "checkpoint"])
EVENTS = st.lists(
    st.builds(event, KINDS, st.sampled_from("abcdef"), st.integers(1, 3), st.sampled_from("fg"), st.just(0), st.floats(0, 1)),
    max_size=15,
)
JOBS = st.builds(
    job, st.sampled_from("abcd"), st.sampled_from(list(RANK)), st.integers(0, 100), st.integers(1, 3), st.sampled_from("fg")
)


def _key(status: list[str], function: str | None, worker: str | None) -> Any:
    return live("jobs", status=status, function=function, worker_id=worker)


KEYS = st.builds(
    _key,
    st.lists(st.sampled_from(["active", "failed", "complete", "retrying", "queued"]), max_size=2),
    st.sampled_from([None, "f"]),
    st.sampled_from([None, "w"]),
)


@given(JOBS, EVENTS)
def test_a_job_never_goes_back_and_a_terminal_one_is_left_only_by_a_higher_attempt(known: Job, events: list[Any]) -> None:
    # RT-7
    for one in events:
        after = apply_event(known, one)
        assert (after.attempts, RANK[after.status]) >= (known.attempts, RANK[known.status])
        if known.status in TERMINAL and after is not known:
            assert after.attempts > known.attempts
        if isinstance(one, JobProgress) and known.status != "active":
            assert after is known
        assert apply_event(after, one) is after, "the same event twice is once"
        known = after


@settings(max_examples=250, deadline=None)
@given(KEYS, st.lists(JOBS, max_size=4, unique_by=lambda one: one.id), EVENTS)
def test_a_live_list_keeps_its_filters_its_order_and_one_row_per_job(key: Any, rows: list[Job], events: list[Any]) -> None:
    # RT-6
    statuses, function, worker = key.get_all("status"), key.get("function"), key.get("worker_id")
    matching = [
        one
        for one in rows
        if (not statuses or one.status in statuses) and function in (None, one.function) and worker in (None, one.worker_id)
    ]
    data = LiveList(tuple(sorted(matching, key=lambda one: one.created_at or NOW, reverse=True)), len(matching))
    result = reduce_jobs(key, data, events).data
    assert len(set(names(result))) == len(result.rows) <= LIVE_LIST_LIMIT
    for row in result.rows:
        assert not statuses or row.status in statuses
        assert function in (None, row.function)
        assert worker in (None, row.worker_id)
    moments = [row.created_at or row.started_at for row in result.rows]
    assert moments == sorted(moments, reverse=True)
    twice = [one for one in events for _ in range(2)]
    assert reduce_jobs(key, data, twice).data.rows == result.rows, "the same event twice is once"
    if result.total != data.total:
        assert result.approximate


def test_a_list_never_holds_more_than_fifty_and_asks_for_what_it_lost() -> None:
    # RT-6
    rows = tuple(job(f"j{n}", age=n) for n in range(50))
    key = live("jobs", status=["active"])
    arrived = reduce_jobs(key, LiveList(rows, 400), [event("started", f"n{n}", at=n + 1) for n in range(3)])
    assert names(arrived.data) == ["n2", "n1", "n0", *(f"j{n}" for n in range(47))]
    assert (arrived.data.total, arrived.data.approximate, arrived.refetch) == (403, True, True)
    left = reduce_jobs(key, arrived.data, [event("completed", "j0")])
    assert (len(left.data.rows), left.data.total, left.refetch) == (49, 402, True)
    # The list that holds all there is loses a row and nothing can take its place.
    small = reduce_jobs(key, LiveList((job("a"), job("b", age=1)), 2), [event("completed", "a")])
    assert (names(small.data), small.data.total, small.refetch) == (["b"], 1, False)


def test_a_total_that_the_server_did_not_say_is_not_made_up() -> None:
    # RT-6
    assert reduce_jobs(live("jobs"), LiveList((), None), [event("started", "a")]).data.total is None


def test_what_tells_nothing_new_leaves_the_very_same_object() -> None:
    # RT-10
    data = LiveList((job("a", "complete"),), 1)
    reduction = reduce_jobs(
        live("jobs"), data, [event("started", "a"), event("progress", "a"), event("progress", "zz"), event("checkpoint", "a")]
    )
    assert reduction.data is data
    assert not reduction.refetch


@pytest.mark.parametrize(
    ("key", "one", "asked"),
    [
        (live("jobs", status=["failed"]), event("failed", "zz"), True),
        (live("jobs", status=["failed"]), event("completed", "zz"), False),
        (live("jobs", status=["complete"]), event("completed", "zz"), True),
        (live("jobs", status=["failed"], function="other"), event("failed", "zz"), False),
        (live("jobs"), event("completed", "zz"), False),
        (live("jobs"), event("cancelled", "zz"), True),
        (live("jobs"), event("started", "zz", attempt=2), True),
        (live("jobs", function="other"), event("started", "zz", attempt=2), False),
        (live("jobs"), event("failed", "a"), True),
    ],
)
def test_what_it_cannot_place_it_asks_the_server_for_and_never_guesses(key: Any, one: Any, asked: bool) -> None:
    # RT-6
    data = LiveList((job("a"),) if not key.params else (), 400)
    reduction = reduce_jobs(key, data, [one])
    assert reduction.refetch is asked
    assert "zz" not in names(reduction.data)


def test_an_item_follows_its_own_events_and_asks_for_what_events_do_not_tell() -> None:
    # RT-9
    key, known = item("jobs", "a"), job("a")
    other = reduce_jobs(key, known, [event("completed", "b")])
    assert (other.data is known, other.refetch) == (True, False)
    seen = [
        (r.data.status, r.refetch) for r in (reduce_jobs(key, known, [event(k, "a")]) for k in ("progress", "checkpoint", "completed"))
    ]
    assert seen == [("active", False), ("active", True), ("complete", True)]
