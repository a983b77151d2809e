"""``/streams``: every stream that a page needs on one connection.

``GET /streams?want=[{"stream": key, "last_event_id"?: id}, …]`` answers with ``event: hello`` and then envelopes
(``frames``); what cannot be had is an envelope ``refused`` with ``{"status", "detail", "retry_after_s"?}``, and the other
streams flow. ``POST /streams/{connection}`` changes the set: removes first, then adds; what is there already begins anew.
The connection counts as one of its user's streams and belongs to that user; another's is as unknown as none (404).
A key may be spelled in any way (``keys.canonical``) and its frames are named as it was spelled.
"""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator
from starlette.responses import Response

from server_stub import keys
from server_stub.answers import not_found
from server_stub.connection import MAX_REFUSALS, Connection
from server_stub.context import Context, Ctx
from server_stub.faults import ANSWERED, STATUSES
from server_stub.frames import multiplexed
from server_stub.limits import STREAM_RETRY_S

from .streams import answer, asker, connection_of

MAX_STREAMS = 64
"""Streams of one connection."""
MAX_KEY = 1_000
"""Characters of a key."""

router = APIRouter(prefix="/streams")


def _writable(text: str) -> str:
    """A key that can be said back: half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("a key must be text that UTF-8 can write") from None
    return text


class Wanted(BaseModel):
    """One stream of a list."""

    model_config = ConfigDict(extra="ignore")

    stream: Annotated[str, Field(min_length=1, max_length=MAX_KEY)]
    last_event_id: Annotated[str, Field(max_length=MAX_KEY)] | None = None

    @field_validator("stream")
    @classmethod
    def _says(cls, value: str) -> str:
        return _writable(value)


class Change(BaseModel):
    """Part of ``POST /streams/{connection}``."""

    model_config = ConfigDict(extra="forbid")

    add: Annotated[list[Wanted], Field(max_length=MAX_REFUSALS)] = []
    remove: Annotated[list[str], Field(max_length=MAX_REFUSALS)] = []


_WANT = TypeAdapter(Annotated[list[Wanted], Field(max_length=MAX_REFUSALS)])


@router.get("", response_model=None)
async def open_many(request: Request, context: Ctx, want: str = "[]") -> Response:
    """The connection, with the streams it begins with."""
    try:
        wanted = _WANT.validate_json(want)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise HTTPException(422, f"want must be a JSON list of streams: {where + ': ' if where else ''}{first['msg']}.") from None
    connection = connection_of(request, multiplexed)
    return answer(context, connection, lambda: _add(context, connection, wanted))


@router.post("/{connection_id}")
async def change(request: Request, context: Ctx, connection_id: str, wanted: Change) -> dict[str, Any]:
    """Change the set; ``{"streams": [keys now]}``."""
    connection = context.hub.connection(connection_id)
    if connection is None or connection.user != asker(request):
        raise not_found("There is no such connection; open a new one with the whole list.")
    for name in wanted.remove:
        reader = connection.readers.get(name)
        if reader is not None:
            context.hub.close(reader)
    _add(context, connection, wanted.add)
    return {"streams": sorted(connection.readers)}


def _add(context: Context, connection: Connection, wanted: list[Wanted]) -> None:
    for each in wanted:
        there = connection.readers.get(each.stream)
        if there is not None:
            context.hub.close(there)
        try:
            key = keys.canonical(each.stream)
        except keys.UnknownStreamError as error:
            connection.refuse(each.stream, {"status": 404, "detail": str(error)})
            continue
        except keys.ParameterError as error:
            connection.refuse(each.stream, {"status": 422, "detail": str(error)})
            continue
        fault = context.faults.find_for_stream(ANSWERED, key)
        if fault is not None:
            if fault.hit().kind == "drop":
                connection.abort()
                return
            retry = {"retry_after_s": 1} if fault.kind in ("unavailable", "429", "store") else {}
            refusal = {"status": STATUSES[fault.kind], "detail": f"A fault is in force: {fault.kind}.", **retry}
            connection.refuse(each.stream, refusal)
            continue
        if len(connection.readers) >= MAX_STREAMS:
            detail = f"This connection has {MAX_STREAMS} streams, the most that one may have."
            connection.refuse(each.stream, {"status": 429, "detail": detail, "retry_after_s": STREAM_RETRY_S})
            continue
        context.hub.begin(connection.attach(key, each.stream), each.last_event_id)
