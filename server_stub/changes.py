"""What a source says has happened. The store applies these in order; some of them are events of the wire too.

Times are microseconds since 1970 (``moments``), durations milliseconds. A change of a job carries the job's
``JobRef``, so that the writer need not read a row to write the event.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pyapp.contract.jobs import JobType

Json = Any
"""Any JSON value."""


@dataclass(frozen=True, slots=True)
class JobRef:
    """What every event of a job says about it."""

    id: str
    function: str
    function_name: str
    root_id: str
    parent_id: str | None = None
    max_retries: int = 0


@dataclass(frozen=True, slots=True)
class Queued:
    """A job waits. No event: like the real server, lists show a job from its first start on."""

    job: JobRef
    at: int
    kwargs: Mapping[str, Json]
    job_type: JobType = "task"
    source: Mapping[str, Json] = field(default_factory=lambda: {"type": "task"})
    timeout_s: float | None = None
    job_key: str | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """A worker began an attempt."""

    job: JobRef
    at: int
    worker_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Progressed:
    """``progress`` is 0..1."""

    job: JobRef
    at: int
    worker_id: str
    progress: float
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Checkpointed:
    """The job kept a checkpoint."""

    job: JobRef
    at: int
    worker_id: str
    value: Json


@dataclass(frozen=True, slots=True)
class Completed:
    """The job is done."""

    job: JobRef
    at: int
    worker_id: str
    attempt: int
    duration_ms: float
    result: Json = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The job failed for good."""

    job: JobRef
    at: int
    worker_id: str | None
    attempt: int
    error: str
    duration_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Retrying:
    """An attempt failed; the next is due at ``next_at``."""

    job: JobRef
    at: int
    worker_id: str
    attempt: int
    error: str
    next_at: int


@dataclass(frozen=True, slots=True)
class Requeued:
    """Somebody asked to retry a failed or cancelled job: it waits again. No event; its row says so when it starts."""

    job: JobRef
    at: int


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The job was cancelled, before or while it ran."""

    job: JobRef
    at: int
    worker_id: str | None
    attempt: int


@dataclass(frozen=True, slots=True)
class FunctionSeen:
    """A function exists; ``definition`` holds the contract's fields that do not change (timeout, schedule, …)."""

    key: str
    name: str
    job_type: JobType
    definition: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True)
class FunctionPaused:
    """A function was paused or resumed."""

    key: str
    paused: bool


@dataclass(frozen=True, slots=True)
class NotDispatched:
    """A job of the function was not dispatched; ``reason`` is one of the contract's ``dispatch_reasons``."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """A worker instance lives: its start or its heartbeat."""

    id: str
    worker_name: str
    started_at: int
    at: int
    functions: Mapping[str, str]
    concurrency: int
    active_jobs: int
    jobs_processed: int
    jobs_failed: int
    hostname: str | None = None


@dataclass(frozen=True, slots=True)
class WorkerGone:
    """A worker instance ended on purpose. A crashed one is never announced: its heartbeat grows old."""

    id: str


@dataclass(frozen=True, slots=True)
class ApiSeen:
    """An API instance lives."""

    id: str
    api_name: str
    started_at: int
    at: int
    host: str
    port: int
    endpoints: tuple[str, ...]
    hostname: str | None = None


@dataclass(frozen=True, slots=True)
class Requested:
    """A request to an API was answered."""

    id: str
    at: int
    api_name: str
    method: str
    path: str
    status: int
    latency_ms: float
    instance_id: str | None = None


@dataclass(frozen=True, slots=True)
class ArtifactAdded:
    """A job left something behind."""

    id: str
    job_id: str
    at: int
    name: str
    type: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ArtifactRemoved:
    """An artifact was deleted."""

    id: str
    job_id: str
    at: int


Change = (
    Queued
    | Started
    | Progressed
    | Checkpointed
    | Completed
    | Failed
    | Retrying
    | Requeued
    | Cancelled
    | FunctionSeen
    | FunctionPaused
    | NotDispatched
    | WorkerSeen
    | WorkerGone
    | ApiSeen
    | Requested
    | ArtifactAdded
    | ArtifactRemoved
)
