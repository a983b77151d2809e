"""This server's own requests, measured: the API ``penstock`` of the local source.

What carries ``X-Penstock-Client`` is the console's own and is left out, so that watching causes nothing to watch
(RT-42); so are streams, which never end, and everything that is not the API.
"""

import os
import time
import uuid
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .changes import Requested
from .moments import now_us

API_NAME = "penstock"
INSTANCE_ID = f"api_{os.getpid():x}"
_CLIENT_HEADER = b"x-penstock-client"


class Figures:
    """ASGI middleware that tells ``record`` of every request it counts."""

    def __init__(self, app: ASGIApp, record: Callable[[Requested], None]) -> None:
        self._app = app
        self._record = record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; measure from here to the end of the answer."""
        if scope["type"] != "http" or not self._counts(scope):
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            latency_ms = round((time.perf_counter() - began) * 1000, 3)
            self._record(
                Requested(
                    id=uuid.uuid4().hex,
                    at=now_us(),
                    api_name=API_NAME,
                    method=scope["method"],
                    path=_template(scope),
                    status=status,
                    latency_ms=latency_ms,
                    instance_id=INSTANCE_ID,
                )
            )

    @staticmethod
    def _counts(scope: Scope) -> bool:
        path: str = scope["path"]
        if not path.startswith("/api/") or path.endswith("/stream") or path.startswith("/api/v1/streams"):
            return False
        return not any(name == _CLIENT_HEADER for name, _ in scope["headers"])


def _template(scope: Scope) -> str:
    """The route's path with its parameters' names; requests that matched no route are one endpoint."""
    route: Any = scope.get("route")
    path = getattr(route, "path", None)
    if not isinstance(path, str):
        return "(unknown)"
    return path if path.startswith("/api/") else f"/api/v1{path}"
