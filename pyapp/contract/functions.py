"""Functions: what workers offer to run, with figures of the last 24 hours. Rates are 0..100."""

from .base import Items, Time, WireModel
from .dashboard import Run
from .jobs import JobStatus, JobType


class DispatchReasons(WireModel):
    """How often a job of the function was not dispatched, by reason."""

    paused: int = 0
    rate_limited: int = 0
    no_capacity: int = 0
    cancelled: int = 0
    retrying: int = 0


class Function(WireModel):
    """One function. ``timeout``, ``retry_delay`` and ``max_catch_up_seconds`` are seconds, ``*_ms`` milliseconds."""

    key: str
    name: str
    type: JobType
    active: bool
    paused: bool
    timeout: float | None = None
    max_retries: int | None = None
    retry_delay: float | None = None
    rate_limit: str | None = None
    max_concurrency: int | None = None
    routing_group: str | None = None
    group_max_concurrency: int | None = None
    schedule: str | None = None
    next_run_at: Time | None = None
    missed_run_policy: str | None = None
    max_catch_up_seconds: float | None = None
    pattern: str | None = None
    workers: Items[str] = ()
    runs_24h: int = 0
    success_rate: float = 0.0
    avg_duration_ms: float = 0.0
    p95_duration_ms: float | None = None
    avg_wait_ms: float | None = None
    p95_wait_ms: float | None = None
    queue_backlog: int = 0
    dispatch_reasons: DispatchReasons = DispatchReasons()
    last_run_at: Time | None = None
    last_run_status: JobStatus | None = None


class FunctionsPage(WireModel):
    """``GET /functions``."""

    functions: Items[Function] = ()
    total: int


class FunctionDetail(Function):
    """``GET /functions/{key}``; an unknown key answers 200 with zeros."""

    recent_runs: Items[Run] = ()


class PauseAnswer(WireModel):
    """``POST /functions/{key}/pause`` and ``/resume``."""

    key: str
    paused: bool
