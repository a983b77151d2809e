"""``/jobs``: lists, figures, trends, items, trees and what a user does to a job."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from starlette.responses import Response

from pyapp.contract.jobs import JOB_STATUSES, TERMINAL_STATUSES, JobType
from server_stub import keys
from server_stub.answers import not_found, snapshot
from server_stub.context import Context, Ctx
from server_stub.moments import from_datetime, now_us
from server_stub.sources.base import NotPossibleError
from server_stub.store import jobs
from server_stub.store.jobs import JobFilter


def _moment(value: datetime | None) -> int | None:
    return None if value is None else from_datetime(value)


router = APIRouter(prefix="/jobs")


@router.get("")
async def page(
    request: Request,
    context: Ctx,
    function: str | None = None,
    status: Annotated[list[str] | None, Query()] = None,
    worker_id: str | None = None,
    after: datetime | None = None,
    before: datetime | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Response:
    """A page of jobs, newest first."""
    wrong = [each for each in status or () if each not in JOB_STATUSES]
    if wrong:
        raise HTTPException(422, f"Invalid status values: {wrong}. Valid: {sorted(JOB_STATUSES)}")
    filters = JobFilter(function, tuple(status or ()), worker_id, _moment(after), _moment(before))
    try:
        return await snapshot(request, context, lambda db: jobs.page(db, filters, limit, cursor), key=keys.EVENTS)
    except jobs.UnknownCursorError:
        sentence = f"Cursor job {cursor!r} not found. The referenced job may have been deleted."
        raise HTTPException(422, sentence) from None


@router.get("/stats")
async def stats(
    request: Request,
    context: Ctx,
    function: str | None = None,
    after: datetime | None = None,
    before: datetime | None = None,
) -> Response:
    """Figures of jobs."""
    filters = JobFilter(function=function, after=_moment(after), before=_moment(before))
    return await snapshot(request, context, lambda db: jobs.stats(db, filters), key=keys.EVENTS)


@router.get("/trends")
async def trends(
    request: Request,
    context: Ctx,
    hours: Annotated[int, Query(ge=1, le=168)] = keys.DEFAULT_TREND_HOURS,
    function: str | None = None,
    job_type: Annotated[JobType | None, Query(alias="type")] = None,
) -> Response:
    """Hourly figures."""
    key = keys.jobs_trends(hours, function, job_type)
    return await snapshot(request, context, lambda db: jobs.trends(db, now_us(), hours, function, job_type), key=key)


@router.get("/{job_id}")
async def one(request: Request, context: Ctx, job_id: str) -> Response:
    """One job, queued or not."""
    return await snapshot(request, context, lambda db: jobs.one(db, job_id), key=keys.EVENTS, missing="Job not found")


@router.get("/{job_id}/timeline")
async def timeline(request: Request, context: Ctx, job_id: str) -> Response:
    """A job's whole tree."""
    return await snapshot(request, context, lambda db: jobs.timeline(db, job_id), key=keys.EVENTS, missing="Job not found")


async def _find(context: Context, job_id: str) -> dict[str, Any]:
    """A job, or 404."""
    job = await context.database.read(jobs.one, job_id)
    if job is None:
        raise not_found("Job not found")
    return job


@router.post("/{job_id}/cancel")
async def cancel(context: Ctx, job_id: str) -> dict[str, Any]:
    """Cancel a job that is not finished."""
    job = await _find(context, job_id)
    if job["status"] in TERMINAL_STATUSES:
        raise HTTPException(409, f"Job {job_id} is already in terminal status '{job['status']}'")
    try:
        cancelled = await context.source.cancel(job)
    except NotPossibleError as error:
        raise HTTPException(503, str(error)) from None
    return {"job_id": job_id, "cancelled": cancelled, "deleted_stream_entries": int(job["status"] == "queued")}


@router.post("/{job_id}/retry")
async def retry(context: Ctx, job_id: str) -> dict[str, Any]:
    """Queue a failed or cancelled job again."""
    job = await _find(context, job_id)
    if job["status"] not in ("failed", "cancelled"):
        sentence = f"Job {job_id} cannot be retried from status '{job['status']}'. Only failed/cancelled jobs can be retried."
        raise HTTPException(409, sentence)
    try:
        return {"job_id": job_id, "retried": await context.source.retry(job)}
    except NotPossibleError as error:
        raise HTTPException(503, str(error)) from None
