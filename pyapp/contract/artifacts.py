"""Artifacts: what a job left behind."""

from .base import Items, Time, WireModel


class Artifact(WireModel):
    """One artifact. ``size_bytes`` and ``sha256`` are of its content."""

    id: str
    job_id: str
    name: str
    type: str
    content_type: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    storage_backend: str
    storage_key: str
    status: str
    error: str | None = None
    created_at: Time


class ArtifactsPage(WireModel):
    """``GET /jobs/{id}/artifacts``."""

    artifacts: Items[Artifact] = ()
    total: int


class ArtifactQueuedAnswer(WireModel):
    """202 of ``POST /jobs/{id}/artifacts``: kept until the job is known."""

    status: str
    job_id: str
    pending_id: str


class ArtifactDeletedAnswer(WireModel):
    """``DELETE /artifacts/{id}``."""

    status: str
    id: str
