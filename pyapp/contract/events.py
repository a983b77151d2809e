"""Every event of the part-A streams, and the unions by which a stream's frames are read (``type`` tells which)."""

from typing import Annotated, Literal

from pydantic import Field

from .apis import ApiDetail, ApisPage, ApiTrends, RequestEvent
from .artifacts import Artifact
from .base import Time, WireModel
from .jobs import JobTrends
from .workers import WorkersPage


class JobEventBase(WireModel):
    """What every job event carries. A job that never reached a worker has no ``worker_id``."""

    job_id: str
    root_id: str
    worker_id: str | None = None
    parent_id: str | None = None


class JobStarted(JobEventBase):
    """A worker began an attempt; a retried job says it again with the next ``attempt``."""

    type: Literal["job.started"] = "job.started"
    function: str
    function_name: str
    attempt: int
    max_retries: int = 0
    started_at: Time


class JobProgress(JobEventBase):
    """``progress`` is 0..1. The function is not said."""

    type: Literal["job.progress"] = "job.progress"
    progress: float
    message: str | None = None


class JobCompleted(JobEventBase):
    """The job is done. ``duration_ms`` is of the last attempt."""

    type: Literal["job.completed"] = "job.completed"
    function: str
    function_name: str
    attempt: int
    duration_ms: float | None = None
    completed_at: Time


class JobFailed(JobEventBase):
    """The job failed for good; a failure that is tried again is ``job.retrying``."""

    type: Literal["job.failed"] = "job.failed"
    function: str
    function_name: str
    attempt: int
    max_retries: int = 0
    error: str
    failed_at: Time


class JobRetrying(JobEventBase):
    """An attempt failed and another will follow."""

    type: Literal["job.retrying"] = "job.retrying"
    function: str
    function_name: str
    error: str
    current_attempt: int
    next_attempt: int


class JobCancelled(JobEventBase):
    """The job was cancelled, queued or active."""

    type: Literal["job.cancelled"] = "job.cancelled"
    function: str
    function_name: str
    attempt: int
    cancelled_at: Time


class JobCheckpoint(JobEventBase):
    """The job kept a checkpoint; what it holds is in the job."""

    type: Literal["job.checkpoint"] = "job.checkpoint"


class ApisSnapshot(WireModel):
    """The list of APIs."""

    type: Literal["apis.snapshot"] = "apis.snapshot"
    at: Time
    apis: ApisPage


class ApiSnapshot(WireModel):
    """One API with its endpoints."""

    type: Literal["api.snapshot"] = "api.snapshot"
    at: Time
    api: ApiDetail


class ApiRequest(WireModel):
    """One request to an API."""

    type: Literal["api.request"] = "api.request"
    at: Time
    request: RequestEvent


class ApisTrendsSnapshot(WireModel):
    """The hourly figures of API requests."""

    type: Literal["apis.trends.snapshot"] = "apis.trends.snapshot"
    at: Time
    trends: ApiTrends


class WorkersSnapshot(WireModel):
    """The list of workers."""

    type: Literal["workers.snapshot"] = "workers.snapshot"
    at: Time
    workers: WorkersPage


class JobsTrendsSnapshot(WireModel):
    """The hourly figures of jobs."""

    type: Literal["jobs.trends.snapshot"] = "jobs.trends.snapshot"
    at: Time
    trends: JobTrends


class ArtifactEventBase(WireModel):
    """What every artifact event carries."""

    at: Time
    job_id: str
    artifact_id: str | None = None
    pending_id: str | None = None
    artifact: Artifact | None = None


class ArtifactCreated(ArtifactEventBase):
    """An artifact is available."""

    type: Literal["artifact.created"] = "artifact.created"


class ArtifactQueued(ArtifactEventBase):
    """An artifact waits for its job to be known."""

    type: Literal["artifact.queued"] = "artifact.queued"


class ArtifactPromoted(ArtifactEventBase):
    """A waiting artifact became available."""

    type: Literal["artifact.promoted"] = "artifact.promoted"


class ArtifactDeleted(ArtifactEventBase):
    """An artifact is gone."""

    type: Literal["artifact.deleted"] = "artifact.deleted"


_AnyJobEvent = JobStarted | JobProgress | JobCompleted | JobFailed | JobRetrying | JobCancelled | JobCheckpoint
_AnyArtifactEvent = ArtifactCreated | ArtifactQueued | ArtifactPromoted | ArtifactDeleted

JobEvent = Annotated[_AnyJobEvent, Field(discriminator="type")]
"""``/events/stream``."""
ApisEvent = Annotated[ApisSnapshot | ApiSnapshot, Field(discriminator="type")]
"""``/apis/stream``; ``api.snapshot`` comes from older servers."""
ApiRequestEvent = ApiRequest
"""``/apis/events/stream``."""
ApiEvent = ApiSnapshot
"""``/apis/{name}/stream``."""
ApisTrendsEvent = ApisTrendsSnapshot
"""``/apis/trends/stream``."""
WorkersEvent = WorkersSnapshot
"""``/workers/stream``."""
JobsTrendsEvent = JobsTrendsSnapshot
"""``/jobs/trends/stream``."""
ArtifactEvent = Annotated[_AnyArtifactEvent, Field(discriminator="type")]
"""``/jobs/{id}/artifacts/stream``."""
AnyEvent = Annotated[
    _AnyJobEvent
    | ApisSnapshot
    | ApiSnapshot
    | ApiRequest
    | ApisTrendsSnapshot
    | WorkersSnapshot
    | JobsTrendsSnapshot
    | _AnyArtifactEvent,
    Field(discriminator="type"),
]
"""Any event of any part-A stream."""
