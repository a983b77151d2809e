"""The parts of a running server, as routes need them."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from .faults import Faults
from .hub import Hub
from .journal import Journal
from .limits import StreamLimiter
from .settings import Settings
from .sources.base import Source
from .store.database import Database


@dataclass(frozen=True, slots=True)
class Context:
    """Made once by ``app.build``."""

    settings: Settings
    database: Database
    hub: Hub
    journal: Journal
    faults: Faults
    streams: StreamLimiter
    source: Source


async def of_request(request: Request) -> Context:
    """The context of the application that got the request. A coroutine: FastAPI runs plain functions in threads."""
    return cast(Context, request.app.state.context)


Ctx = Annotated[Context, Depends(of_request)]
"""The parameter by which a route gets the context."""
