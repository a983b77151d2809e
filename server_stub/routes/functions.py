"""``/functions``: what can run, its figures, pause and resume, and (ours, part B) run on request."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException, Query, Request
from starlette.responses import Response

from pyapp.contract.jobs import JobType
from server_stub.answers import not_found, snapshot
from server_stub.context import Context, Ctx
from server_stub.moments import now_us
from server_stub.sources.base import NotPossibleError, UnknownFunctionError
from server_stub.store import fleet

router = APIRouter(prefix="/functions")


@router.get("")
async def page(request: Request, context: Ctx, job_type: Annotated[JobType | None, Query(alias="type")] = None) -> Response:
    """Every function, the busiest of the last day first."""
    return await snapshot(request, context, lambda db: fleet.functions(db, now_us(), job_type))


@router.get("/{key}")
async def one(request: Request, context: Ctx, key: str) -> Response:
    """One function; an unknown key has zeros."""
    return await snapshot(request, context, lambda db: fleet.function(db, now_us(), key))


async def _set_paused(context: Context, key: str, paused: bool) -> dict[str, Any]:
    before = await context.database.read(fleet.paused, key)
    if before is None:
        raise not_found(f"Function '{key}' not found")
    if before == paused:
        raise HTTPException(409, f"Function '{key}' is already {'paused' if paused else 'running'}")
    try:
        await context.source.set_paused(key, paused)
    except NotPossibleError as error:
        raise HTTPException(503, str(error)) from None
    return {"key": key, "paused": paused}


@router.post("/{key}/pause")
async def pause(context: Ctx, key: str) -> dict[str, Any]:
    """Queue the function's jobs without dispatching them."""
    return await _set_paused(context, key, True)


@router.post("/{key}/resume")
async def resume(context: Ctx, key: str) -> dict[str, Any]:
    """Dispatch the function's jobs again."""
    return await _set_paused(context, key, False)


@router.post("/{key}/run", status_code=202)
async def run(context: Ctx, key: str, kwargs: Annotated[dict[str, Any] | None, Body(embed=True)] = None) -> dict[str, str]:
    """Queue a job: ``{"kwargs": {…}}`` → 202 ``{"job_id"}``. An extension of ours, for people, tests and demos."""
    try:
        return {"job_id": await context.source.run(key, kwargs or {})}
    except UnknownFunctionError:
        raise not_found(f"Function '{key}' not found") from None
    except NotPossibleError as error:
        raise HTTPException(503, str(error)) from None
