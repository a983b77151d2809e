"""``GET /dashboard/stats``: the figures and short lists of the first page. Rates are 0..100."""

from typing import Literal

from .base import Items, Time, WireModel
from .jobs import JobStatus


class RunTotals(WireModel):
    """Jobs of the window."""

    total: int
    success_rate: float
    window_minutes: int
    jobs_per_min: float


class QueueTotals(WireModel):
    """Jobs now: backlog = waiting + claimed + scheduled_due; total = running + backlog + scheduled_future."""

    running: int
    waiting: int
    claimed: int
    scheduled_due: int
    scheduled_future: int
    backlog: int
    capacity: int
    total: int


class WorkerTotals(WireModel):
    """Worker instances that live."""

    total: int


class ApiTotals(WireModel):
    """API requests of the window."""

    requests: int
    avg_latency_ms: float
    error_rate: float
    window_minutes: int
    requests_per_min: float


class Run(WireModel):
    """A job in short. ``progress`` is 0..1."""

    id: str
    function: str
    function_name: str
    status: JobStatus
    started_at: Time | None = None
    completed_at: Time | None = None
    duration_ms: float | None = None
    error: str | None = None
    worker_id: str | None = None
    attempts: int = 1
    progress: float = 0.0


class FailingFunction(WireModel):
    """A function whose jobs fail."""

    key: str
    name: str
    runs: int
    failures: int
    failure_rate: float
    last_run_at: Time | None = None


class QueuedJob(WireModel):
    """A job that waits."""

    id: str
    function: str
    function_name: str
    queued_at: Time
    age_seconds: float
    source: Literal["stream", "scheduled"]


class StuckJob(WireModel):
    """A job that is active for more than 900 s."""

    id: str
    function: str
    function_name: str
    worker_id: str | None = None
    started_at: Time
    age_seconds: float


class DashboardStats(WireModel):
    """The whole answer; lists hold at most 10 entries, ``top_failing_functions`` at most 5."""

    runs: RunTotals
    queue: QueueTotals
    workers: WorkerTotals
    apis: ApiTotals
    recent_runs: Items[Run] = ()
    recent_failures: Items[Run] = ()
    top_failing_functions: Items[FailingFunction] = ()
    oldest_queued_jobs: Items[QueuedJob] = ()
    stuck_active_jobs: Items[StuckJob] = ()
