"""How a snapshot leaves: encoded in the reader's thread, with its position and an ETag.

``X-Penstock-Position`` is read in the same transaction as the data (RT-7).
"""

import hashlib
import sqlite3
from collections.abc import Callable
from typing import Any

from fastapi import HTTPException, Request
from starlette.responses import JSONResponse, Response

from .context import Context
from .encoding import encode
from .store.writer import position

Query = Callable[[sqlite3.Connection], dict[str, Any] | None]


def not_found(what: str) -> HTTPException:
    """404 with a sentence."""
    return HTTPException(404, what)


def _known(etag: str, given: str) -> bool:
    """Whether ``If-None-Match`` names the tag; a tag is compared weakly, with or without its ``W/``."""
    tags = {tag.strip().removeprefix("W/") for tag in given.split(",")}
    return "*" in tags or etag.removeprefix("W/") in tags


async def snapshot(request: Request, context: Context, query: Query, *, key: str | None = None, missing: str = "Not found") -> Response:
    """Answer with what ``query`` finds; 404 with ``missing`` when it finds nothing; 304 when the client has it."""

    def take(connection: sqlite3.Connection) -> tuple[bytes, int] | None:
        found = query(connection)
        if found is None:
            return None
        return encode(found), position(connection, key) if key is not None else 0

    epoch = context.hub.epoch
    while True:
        taken = await context.database.read(take)
        if context.hub.epoch == epoch:
            break
        epoch = context.hub.epoch  # the position may be one of the epoch before: read again
    if taken is None:
        return JSONResponse({"detail": missing}, 404)
    body, sequence = taken
    if context.settings.contract == "a":
        return Response(body, media_type="application/json")
    etag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if key is not None:
        headers["X-Penstock-Position"] = f"{epoch}:{sequence}"
    if _known(etag, request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
