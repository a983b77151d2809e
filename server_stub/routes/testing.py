"""What tests ask the server (only with ``--faults``): which streams are open, and faults."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from server_stub.context import Ctx
from server_stub.faults import FaultKind
from server_stub.frames import multiplexed
from server_stub.moments import iso

router = APIRouter()


class FaultRequest(BaseModel):
    """Part of ``POST /__faults__``; see ``faults`` for what the kinds do. ``prefix`` is of the whole path."""

    model_config = ConfigDict(extra="forbid")

    fault: FaultKind | Literal["clear"]
    prefix: str = "/api/v1/"
    count: Annotated[int | None, Field(ge=1)] = None
    seconds: Annotated[float | None, Field(gt=0)] = None


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


@router.post("/__faults__")
async def faults(context: Ctx, wanted: FaultRequest) -> dict[str, Any]:
    """Put a fault in force, or end all of them."""
    if wanted.fault == "clear":
        context.faults.clear()
        return {"fault": "clear", "dropped": 0}
    context.faults.add(wanted.fault, wanted.prefix, wanted.count, wanted.seconds)
    dropped = context.hub.drop(wanted.prefix) if wanted.fault == "drop" else 0
    return {"fault": wanted.fault, "dropped": dropped}
