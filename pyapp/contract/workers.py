"""Workers and their instances. A heartbeat older than 30 s is stale: nobody announces a crashed worker."""

from pydantic import Field

from .base import Items, Names, Time, WireModel


class Instance(WireModel):
    """One process that runs jobs."""

    id: str
    worker_name: str
    started_at: Time
    last_heartbeat: Time
    functions: Items[str] = ()
    function_names: Names = Field(default_factory=dict[str, str])
    concurrency: int
    active_jobs: int
    jobs_processed: int
    jobs_failed: int
    hostname: str | None = None


class Worker(WireModel):
    """All instances of one name."""

    name: str
    active: bool
    instance_count: int
    instances: Items[Instance] = ()
    functions: Items[str] = ()
    function_names: Names = Field(default_factory=dict[str, str])
    concurrency: int


class WorkersPage(WireModel):
    """``GET /workers``."""

    workers: Items[Worker] = ()
    total: int
