"""What of a live list its stream must have right, by row: compared with a snapshot at the same place of the stream (RT-35).

Only what events tell: a job that waits says so by no event, and what a backfill brings later is not the stream's to know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pyapp.contract.apis import RequestEvent
from pyapp.contract.jobs import Job
from pyapp.core.cache.lists import LiveList

_WAITING = frozenset({"pending", "queued", "retrying"})


def _job(job: Job) -> object:
    return None if job.status in _WAITING else (job.status, job.attempts)


def job_rows(data: LiveList[Job] | Job) -> Mapping[str, object]:
    """The state of each job of a list, or of the one job."""
    rows = data.rows if isinstance(data, LiveList) else (data,)
    return {job.id: _job(job) for job in rows}


def request_rows(data: LiveList[RequestEvent]) -> Mapping[str, object]:
    """A request never changes."""
    return {row.id: (row.method, row.path, row.status) for row in data.rows}


COMPARED: Mapping[str, Callable[[Any], Mapping[str, object]]] = {"jobs": job_rows, "requests": request_rows}
"""By family."""
