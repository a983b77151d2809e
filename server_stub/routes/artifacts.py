"""Artifacts: of a job, one by one, their content, created and deleted by a user."""

import base64
import binascii
import json
import uuid
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Body, HTTPException, Request
from starlette.responses import JSONResponse, Response

from server_stub import keys
from server_stub.answers import not_found, snapshot
from server_stub.changes import ArtifactAdded, ArtifactRemoved
from server_stub.context import Ctx
from server_stub.moments import now_us
from server_stub.store import artifacts, jobs

SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""A report may look as its job meant it; it runs nothing, asks for nothing and is nobody's origin."""
MAX_BYTES = 10 * 1024 * 1024

router = APIRouter()


def _content(kind: str, data: Any) -> tuple[str, bytes]:
    """(content type, bytes) of what a client sends; text and JSON as they are, other types in base64."""
    if kind == "json":
        return "application/json", json.dumps(data, ensure_ascii=False).encode()
    if kind == "text":
        if not isinstance(data, str):
            raise HTTPException(422, "Artifact type 'text' requires a string payload")
        return "text/plain; charset=utf-8", data.encode()
    try:
        return kind, base64.b64decode(data, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise HTTPException(422, f"Artifact type '{kind}' requires base64 string payload") from None


@router.get("/jobs/{job_id}/artifacts")
async def of_job(request: Request, context: Ctx, job_id: str) -> Response:
    """A job's artifacts, newest first."""
    return await snapshot(request, context, lambda db: artifacts.of_job(db, job_id), key=keys.artifacts(job_id))


@router.post("/jobs/{job_id}/artifacts", response_model=None)
async def create(
    context: Ctx,
    job_id: str,
    name: Annotated[str, Body(min_length=1, max_length=200)],
    kind: Annotated[str, Body(alias="type")] = "json",
    data: Annotated[Any, Body()] = None,
) -> Response | dict[str, Any] | None:
    """Keep ``data`` with a job. This server knows all its jobs, so an unknown one is 404 and never 202."""
    content_type, content = _content(kind, data)
    if len(content) > MAX_BYTES:
        return JSONResponse({"detail": f"An artifact may have {MAX_BYTES} bytes; this has {len(content)}."}, 413)
    if await context.database.read(jobs.one, job_id) is None:
        raise not_found("Job not found")
    artifact_id = str(uuid.uuid4())
    await context.journal.commit(ArtifactAdded(artifact_id, job_id, now_us(), name, kind, content_type, content))
    return await context.database.read(artifacts.one, artifact_id)


@router.get("/artifacts")
async def by_job(request: Request, context: Ctx, job_id: str) -> Response:
    """As ``/jobs/{job_id}/artifacts``: the real server has both."""
    return await of_job(request, context, job_id)


@router.get("/artifacts/{artifact_id}")
async def one(request: Request, context: Ctx, artifact_id: str) -> Response:
    """One artifact without its content."""
    return await snapshot(request, context, lambda db: artifacts.one(db, artifact_id), missing="Artifact not found")


@router.get("/artifacts/{artifact_id}/content")
async def content(context: Ctx, artifact_id: str, download: bool = False) -> Response:
    """The content, sandboxed: it is somebody's output and never runs here."""
    found = await context.database.read(artifacts.content, artifact_id)
    if found is None:
        raise not_found("Artifact not found")
    name, content_type, body = found
    headers = {"Content-Security-Policy": SANDBOX, "Content-Type": content_type}
    if download:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Response(body, headers=headers)


@router.delete("/artifacts/{artifact_id}")
async def delete(context: Ctx, artifact_id: str) -> dict[str, str]:
    """Delete an artifact and its content."""
    found = await context.database.read(artifacts.one, artifact_id)
    if found is None:
        raise not_found("Artifact not found")
    await context.journal.commit(ArtifactRemoved(artifact_id, found["job_id"], now_us()))
    return {"status": "deleted", "id": artifact_id}
