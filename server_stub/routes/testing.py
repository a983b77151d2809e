"""What tests ask the server (only with ``--faults``): which streams are open, and faults."""

import time
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from server_stub import keys
from server_stub.context import Context, Ctx
from server_stub.faults import Fault, FaultKind, Form
from server_stub.frames import ERROR, multiplexed
from server_stub.moments import iso

router = APIRouter()


class FaultRequest(BaseModel):
    """Part of ``POST /__faults__``; see ``faults`` for what the kinds do. ``prefix`` is of the whole path."""

    model_config = ConfigDict(extra="forbid")

    fault: FaultKind | Literal["clear", "503"]
    prefix: str | None = None
    stream: str | None = None
    count: Annotated[int | None, Field(ge=1)] = None
    seconds: Annotated[float | None, Field(gt=0, le=86_400)] = None
    ms: Annotated[int | None, Field(ge=1, le=600_000)] = None
    form: Form = "json"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """What belongs together. Each sentence says what would be right."""
        if self.fault == "delay" and self.ms is None:
            raise ValueError("delay needs ms, the milliseconds by which things are late")
        if self.fault != "delay" and self.ms is not None:
            raise ValueError("ms belongs to delay only")
        if self.prefix is not None and self.stream is not None:
            raise ValueError("give a prefix of paths or a stream's key, not both")
        if self.stream is not None:
            try:
                self.stream = keys.canonical(self.stream)
            except (keys.UnknownStreamError, keys.ParameterError) as error:
                raise ValueError(str(error)) from None
        return self


@router.get("/__streams__")
async def streams(context: Ctx) -> dict[str, Any]:
    """The streams that are open now, and the multiplexed connections that carry some of them."""
    found = [
        {
            "key": reader.key,
            "path": reader.path,
            "query": reader.connection.query,
            "connection": reader.connection.id,
            "since": iso(reader.connection.since),
            "sent": reader.sent,
            "pending": reader.pending,
            "resets": reader.resets,
            "client": reader.connection.client,
        }
        for reader in context.hub.readers()
    ]
    many = [
        {
            "id": connection.id,
            "keys": sorted(connection.readers),
            "since": iso(connection.since),
            "sent": connection.sent,
            "pending": connection.pending,
            "resets": connection.resets,
            "client": connection.client,
        }
        for connection in context.hub.connections()
        if connection.wire is multiplexed
    ]
    return {"streams": found, "total": len(found), "connections": many, "sockets": context.hub.connection_count}


@router.get("/__faults__")
async def in_force(context: Ctx) -> dict[str, Any]:
    """The faults in force and how often each was met."""
    now = time.monotonic()
    found = [
        {
            "fault": fault.kind,
            **({"prefix": fault.prefix} if fault.stream is None else {"stream": fault.stream}),
            "count": fault.count,
            "seconds": None if fault.until is None else round(fault.until - now, 3),
            "hits": fault.hits,
        }
        for fault in context.faults.in_force()
    ]
    return {"faults": found, "total": len(found)}


@router.post("/__faults__")
async def faults(context: Ctx, request: Request) -> dict[str, Any]:
    """Put a fault in force, or end all of them."""
    try:
        wanted = FaultRequest.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = first["loc"][0] if first["loc"] else ""
        said = first["msg"].removeprefix("Value error, ").removesuffix(".")
        raise HTTPException(422, f"No fault is changed: {f'{where}: ' if where else ''}{said}.") from None
    if wanted.fault == "clear":
        context.faults.clear()
        context.hub.wake()
        return {"fault": "clear", "dropped": 0}
    kind: FaultKind = "unavailable" if wanted.fault == "503" else wanted.fault
    if kind == "restart":
        return {"fault": kind, "dropped": await context.journal.renew()}
    until = None if wanted.seconds is None else time.monotonic() + wanted.seconds
    prefix = wanted.prefix or "/api/v1/"
    fault = Fault(kind, prefix, wanted.count, until, wanted.stream, wanted.ms or 0, wanted.form)
    context.faults.add(fault)
    context.hub.wake()
    dropped = 0
    if kind == "drop":
        dropped = context.hub.cut(lambda connection, key: fault.concerns(connection.path, key))
    elif kind == "store":
        dropped = _lose_store(context, fault)
    return {"fault": kind, "dropped": dropped}


def _lose_store(context: Context, fault: Fault) -> int:
    """End what is open and concerned: with ``error``, or with ``refused`` for a stream of a multiplexed connection."""
    if fault.stream is None:
        return context.hub.cut(lambda connection, key: fault.concerns(connection.path, key), ERROR)
    concerned = [reader for reader in context.hub.readers() if reader.key == fault.stream]
    for reader in concerned:
        connection = reader.connection
        if connection.wire is multiplexed:
            context.hub.close(reader)
            connection.refuse(reader.name, {"status": 503, "detail": "A fault is in force: store.", "retry_after_s": 1})
        else:
            connection.close(ERROR)
    return len(concerned)
