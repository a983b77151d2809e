"""Every stream of part A, in one table, with part B's framing.

Order matters: ``/jobs/trends/stream`` is not a job called ``trends``, and ``/apis/trends/stream`` no API. ``router`` is
included before any router with a dynamic path, and a test asks for every path of the table.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from pyapp.contract.jobs import JobType
from server_stub import keys
from server_stub.connection import Connection
from server_stub.context import Context, Ctx
from server_stub.frames import Wire, part_a, single
from server_stub.guard import user_of
from server_stub.limits import STREAM_RETRY_S
from server_stub.moments import now_us
from server_stub.sse import EventStream

Hours = Annotated[int, Query(ge=1, le=keys.MAX_TREND_HOURS)]


async def _events() -> str:
    return keys.EVENTS


async def _apis() -> str:
    return keys.APIS


async def _api_requests(api_name: str | None = None) -> str:
    return keys.api_requests(api_name)


async def _apis_trends(hours: Hours = keys.DEFAULT_TREND_HOURS) -> str:
    return keys.apis_trends(hours)


async def _api(name: str) -> str:
    return keys.api(name)


async def _workers() -> str:
    return keys.WORKERS


async def _jobs_trends(
    hours: Hours = keys.DEFAULT_TREND_HOURS,
    function: str | None = None,
    job_type: Annotated[JobType | None, Query(alias="type")] = None,
) -> str:
    return keys.jobs_trends(hours, function, job_type)


async def _artifacts(job_id: str) -> str:
    return keys.artifacts(job_id)


STREAMS: tuple[tuple[str, Callable[..., Awaitable[str]]], ...] = (
    ("/events/stream", _events),
    ("/apis/stream", _apis),
    ("/apis/events/stream", _api_requests),
    ("/apis/trends/stream", _apis_trends),
    ("/apis/{name}/stream", _api),
    ("/workers/stream", _workers),
    ("/jobs/trends/stream", _jobs_trends),
    ("/jobs/{job_id}/artifacts/stream", _artifacts),
)
"""Path below ``/api/v1`` → what makes the stream's key from its parameters;
fixed paths before dynamic ones. They are coroutines because FastAPI runs plain functions in threads."""


class Counted(Response):
    """A connection that leaves the count of its user's when it ends."""

    def __init__(self, context: Context, stream: EventStream, user: str) -> None:
        super().__init__()
        self._context = context
        self._stream = stream
        self._user = user

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        try:
            await self._stream(scope, receive, send)
        finally:
            self._context.streams.leave(self._user)


def asker(request: Request) -> str:
    """Who asks, as limits count."""
    address = request.client
    return user_of(request.headers, None if address is None else (address.host, address.port))


def connection_of(request: Request, wire: Wire) -> Connection:
    """A connection for what the request asks."""
    address = request.client
    client = request.headers.get("x-penstock-client") or (f"{address.host}:{address.port}" if address else "")
    about = {"path": request.url.path, "query": request.url.query, "client": client, "user": asker(request)}
    return Connection(wire, **about, since=now_us())


def answer(context: Context, connection: Connection, begin: Callable[[], None]) -> Response:
    """The stream, or 429 when the user or the server has too many."""
    refused = context.streams.enter(connection.user)
    if refused is not None:
        return JSONResponse({"detail": refused}, 429, {"Retry-After": str(STREAM_RETRY_S)})
    return Counted(
        context, EventStream(context.hub, context.faults, connection, begin, context.settings.times.keep_alive_s), connection.user
    )


def _open(request: Request, context: Context, key: str, last_event_id: str | None) -> Response:
    if context.settings.contract == "a":
        connection = connection_of(request, part_a)
        reader = connection.attach(key)
        return answer(context, connection, lambda: context.hub.begin(reader, None))
    connection = connection_of(request, single)
    reader = connection.attach(key)
    given = last_event_id or request.headers.get("last-event-id")
    return answer(context, connection, lambda: context.hub.begin(reader, given))


def _add(path: str, key_of: Callable[..., Awaitable[str]]) -> None:
    async def stream(
        request: Request, context: Ctx, key: Annotated[str, Depends(key_of)], last_event_id: str | None = None
    ) -> Response:
        return _open(request, context, key, last_event_id)

    router.add_api_route(path, stream, methods=["GET"], name=path, response_model=None)


router = APIRouter()
for _path, _key_of in STREAMS:
    _add(_path, _key_of)
