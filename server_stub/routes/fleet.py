"""``/workers`` and ``/apis``."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from server_stub import keys
from server_stub.answers import snapshot
from server_stub.context import Ctx
from server_stub.moments import from_datetime, now_us
from server_stub.store import apis, fleet
from server_stub.store.apis import RequestFilter

router = APIRouter()


@router.get("/workers")
async def workers(request: Request, context: Ctx) -> Response:
    """Workers and their instances."""
    return await snapshot(request, context, lambda db: fleet.workers(db, now_us()), key=keys.WORKERS)


@router.get("/workers/{instance_id}")
async def instance(request: Request, context: Ctx, instance_id: str) -> Response:
    """One instance."""
    missing = f"Worker {instance_id} not found"
    return await snapshot(request, context, lambda db: fleet.instance(db, instance_id), key=keys.WORKERS, missing=missing)


@router.get("/apis")
async def api_list(request: Request, context: Ctx) -> Response:
    """Every API."""
    return await snapshot(request, context, lambda db: apis.page(db, now_us()), key=keys.APIS)


@router.get("/apis/detail")
async def endpoints(request: Request, context: Ctx) -> Response:
    """The endpoints of every API (the real server's; not in the contract's table)."""
    return await snapshot(request, context, lambda db: apis.endpoints(db, now_us()), key=keys.APIS)


@router.get("/apis/trends")
async def trends(request: Request, context: Ctx, hours: Annotated[int, Query(ge=1, le=168)] = keys.DEFAULT_TREND_HOURS) -> Response:
    """Hourly figures of requests."""
    return await snapshot(request, context, lambda db: apis.trends(db, now_us(), hours), key=keys.apis_trends(hours))


@router.get("/apis/events")
async def requests(
    request: Request,
    context: Ctx,
    api_name: str | None = None,
    method: str | None = None,
    path: str | None = None,
    status: int | None = None,
    instance_id: str | None = None,
    after: datetime | None = None,
    before: datetime | None = None,
    limit: Annotated[int, Query(ge=1, le=2000)] = 200,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """Requests, newest first. The position is that of the stream with the same ``api_name``."""
    filters = RequestFilter(
        *(api_name, method, path, status, instance_id),
        None if after is None else from_datetime(after),
        None if before is None else from_datetime(before),
    )
    key = keys.api_requests(api_name)
    return await snapshot(request, context, lambda db: apis.requests(db, filters, limit, offset), key=key)


@router.get("/apis/{name}")
async def one(request: Request, context: Ctx, name: str) -> Response:
    """One API with its endpoints; an unknown name has zeros."""
    return await snapshot(request, context, lambda db: apis.one(db, now_us(), name), key=keys.api(name))
