"""Jobs: the entity, its pages, its figures and what an action on it answers."""

from typing import Literal, get_args

from pydantic import Field, JsonValue

from .base import Items, Object, Row, Time, WireModel

JobStatus = Literal["pending", "queued", "active", "complete", "failed", "cancelled", "retrying"]
JobType = Literal["task", "cron", "event"]

JOB_STATUSES: tuple[JobStatus, ...] = get_args(JobStatus)
JOB_TYPES: tuple[JobType, ...] = get_args(JobType)
TERMINAL_STATUSES: frozenset[JobStatus] = frozenset({"complete", "failed", "cancelled"})


class JobSource(WireModel):
    """What caused a job. Further fields depend on ``type``."""

    type: str
    schedule: str | None = None
    event_pattern: str | None = None
    event_handler_name: str | None = None


class Job(Row):
    """One job. ``progress`` is 0..1; ``*_ms`` are milliseconds; ``timeout`` is seconds.

    ``message`` stands beside the progress. No answer has it: only ``job.progress`` says it.
    """

    id: str
    job_key: str
    function: str
    function_name: str
    status: JobStatus
    created_at: Time | None = None
    scheduled_at: Time | None = None
    started_at: Time | None = None
    completed_at: Time | None = None
    attempts: int = Field(default=1, ge=1)
    max_retries: int = 0
    timeout: float | None = None
    worker_id: str | None = None
    parent_id: str | None = None
    root_id: str
    progress: float = 0.0
    message: str | None = None
    kwargs: Object = Field(default_factory=dict[str, JsonValue])
    job_type: JobType | None = None
    source: JobSource | None = None
    checkpoint: JsonValue = None
    checkpoint_at: Time | None = None
    queue_wait_ms: float | None = None
    result: JsonValue = None
    error: str | None = None
    duration_ms: float | None = None


class JobsPage(WireModel):
    """``GET /jobs``: one page, newest first. ``total`` counts every job of the filter, not of the page."""

    jobs: Items[Job] = ()
    total: int
    has_more: bool
    next_cursor: str | None = None


class Timeline(JobsPage):
    """``GET /jobs/{id}/timeline``: the root of a job's tree and all its descendants."""


class JobsStats(WireModel):
    """``GET /jobs/stats``. ``success_rate`` is 0..100."""

    total: int
    success_count: int
    failure_count: int
    cancelled_count: int
    success_rate: float
    avg_duration_ms: float | None = None


class JobTrendHour(WireModel):
    """How many jobs of one hour are in which state."""

    hour: Time
    complete: int
    failed: int
    retrying: int
    active: int


class JobTrends(WireModel):
    """``GET /jobs/trends``: one bucket per hour, the current one last."""

    hourly: Items[JobTrendHour] = ()


class CancelAnswer(WireModel):
    """``POST /jobs/{id}/cancel``. On the real server ``cancelled`` may be true and nothing changes."""

    job_id: str
    cancelled: bool
    deleted_stream_entries: int = 0


class RetryAnswer(WireModel):
    """``POST /jobs/{id}/retry``."""

    job_id: str
    retried: bool


class RunAnswer(WireModel):
    """``POST /functions/{key}/run`` of our server: the job that was queued."""

    job_id: str
