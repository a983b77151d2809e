"""How a job event changes a job, and a list of jobs (RT-6, RT-7, RT-9).

Order within one job: attempt, then rank (queued < active < retrying < complete, failed, cancelled), then time. An event that is not
newer than what is known changes nothing; a terminal status is left only by a higher attempt.

What an event does not say is not made up: a job that entered a list by its `job.started` has no creation time, arguments or waiting
time until the backfill that it causes (RT-42) brings them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pyapp.contract.events import (
    JobCancelled,
    JobCheckpoint,
    JobCompleted,
    JobEventBase,
    JobFailed,
    JobProgress,
    JobRetrying,
    JobStarted,
)
from pyapp.contract.jobs import Job
from pyapp.core.cache.keys import LIVE_LIST_LIMIT, WritableKey
from pyapp.core.cache.lists import LiveList
from pyapp.core.cache.spec import Reduction

RANK = {"pending": 0, "queued": 0, "active": 1, "retrying": 2, "complete": 3, "failed": 3, "cancelled": 3}
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def _newer(job: Job, attempt: int, rank: int) -> bool:
    return attempt > job.attempts or (attempt == job.attempts and rank > RANK[job.status])


def apply_event(job: Job, event: JobEventBase) -> Job:
    """The job after an event; the very same object where the event tells nothing new (RT-7)."""
    match event:
        case JobStarted():
            if not _newer(job, event.attempt, RANK["active"]):
                return job
            change: dict[str, Any] = {
                "status": "active",
                "attempts": event.attempt,
                "max_retries": event.max_retries,
                "started_at": event.started_at,
                "completed_at": None,
                "worker_id": event.worker_id or job.worker_id,
                "progress": 0.0,
                "message": None,
                "error": None,
                "duration_ms": None,
            }
        case JobProgress():
            if job.status != "active" or (event.progress, event.message) == (job.progress, job.message):
                return job
            change = {"progress": event.progress, "message": event.message}
        case JobCompleted():
            if not _newer(job, event.attempt, RANK["complete"]):
                return job
            change = {
                "status": "complete",
                "attempts": event.attempt,
                "completed_at": event.completed_at,
                "duration_ms": event.duration_ms,
                "progress": 1.0,
                "error": None,
            }
        case JobFailed():
            if not _newer(job, event.attempt, RANK["failed"]):
                return job
            change = {"status": "failed", "attempts": event.attempt, "completed_at": event.failed_at, "error": event.error}
        case JobRetrying():
            if not _newer(job, event.current_attempt, RANK["retrying"]):
                return job
            change = {"status": "retrying", "attempts": event.current_attempt, "error": event.error}
        case JobCancelled():
            if not _newer(job, event.attempt, RANK["cancelled"]):
                return job
            change = {"status": "cancelled", "attempts": event.attempt, "completed_at": event.cancelled_at}
        case _:
            return job
    return job.model_copy(update=change)


def born(event: JobStarted) -> Job:
    """The part of a job that its first start tells."""
    return Job(
        id=event.job_id,
        job_key=event.job_id,
        function=event.function,
        function_name=event.function_name,
        status="active",
        started_at=event.started_at,
        attempts=event.attempt,
        max_retries=event.max_retries,
        worker_id=event.worker_id,
        parent_id=event.parent_id,
        root_id=event.root_id,
        job_type=None,
    )


def _matches(key: WritableKey, job: Job) -> bool:
    statuses = key.get_all("status")
    return (
        (not statuses or job.status in statuses)
        and key.get("function") in (None, job.function)
        and key.get("worker_id") in (None, job.worker_id)
    )


def _moment(job: Job) -> datetime:
    """Where a job stands in a list, newest first: by its creation, or by the earliest that is known of it."""
    return job.created_at or job.scheduled_at or job.started_at or _LONG_AGO


def reduce_item(job: Job, events: Sequence[JobEventBase], entity: str) -> Reduction[Job]:
    """One job after a batch. Its end and its checkpoint say less than the job holds (result, arguments): it is asked for again."""
    after, refetch = job, False
    for event in events:
        if event.job_id != entity:
            continue
        after = apply_event(after, event)
        refetch = refetch or isinstance(event, JobCheckpoint | JobCompleted | JobFailed | JobCancelled)
    return Reduction(after, refetch)


def reduce_list(key: WritableKey, data: LiveList[Job], events: Sequence[JobEventBase]) -> Reduction[LiveList[Job]]:
    """A live list after a batch of events: its own filters and its cap are obeyed (RT-6)."""
    at = {job.id: index for index, job in enumerate(data.rows)}
    rows: list[Job] = list(data.rows)
    total = data.total
    changed = arrived = left = refetch = False
    for event in events:
        index = at.get(event.job_id)
        if index is not None:
            after = apply_event(rows[index], event)
            if after is not rows[index]:
                rows[index] = after
                changed = True
                # The end of a job that failed or was cancelled comes without its duration.
                refetch = refetch or isinstance(event, JobFailed | JobCancelled)
        elif isinstance(event, JobStarted):
            job = born(event)
            if not _matches(key, job):
                continue
            refetch = True
            if event.attempt > 1:
                continue  # created some time ago: where it stands among the others only the server knows
            at[job.id] = len(rows)
            rows.append(job)
            arrived = changed = True
            total = None if total is None else total + 1
        elif isinstance(event, JobCompleted | JobFailed | JobRetrying | JobCancelled) and key.get("function") in (None, event.function):
            # It may match now, and was not here before: only the server can place it. Without a filter of states that is one that was
            # cancelled before it ever started, of which nothing else is ever said.
            words = _words(key)
            refetch = refetch or (event.type.removeprefix("job.") in words if words else isinstance(event, JobCancelled))
    if not changed:
        return Reduction(data, refetch)
    kept = [job for job in rows if _matches(key, job)]
    left = len(kept) < len(rows)
    if left and total is not None:
        total = max(0, total - (len(rows) - len(kept)))
    if arrived:
        kept.sort(key=_moment, reverse=True)
    had_more = data.total is None or data.total > len(data.rows)
    result = LiveList(tuple(kept[:LIVE_LIST_LIMIT]), total, data.approximate or arrived or left)
    return Reduction(result, refetch or (left and had_more))


def _words(key: WritableKey) -> set[str]:
    words = {"complete": "completed"}
    return {words.get(str(status), str(status)) for status in key.get_all("status")}


def reduce_jobs(key: WritableKey, data: Any, events: Sequence[Any]) -> Reduction[Any]:
    """The reducer of the family `jobs`."""
    if key.mode == "item":
        return reduce_item(data, events, str(key.get("id")))
    return reduce_list(key, data, events)
