"""What a request is answered while a fault concerns it (``faults``)."""

from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from .faults import STATUSES, Fault
from .frames import ERROR, OPENED
from .shaping import garbled

MANY = "/api/v1/streams"
"""The path of a multiplexed connection."""
PAGE = "<!doctype html><title>Welcome</title><p>This is not the API."


class Cut(Response):
    """Headers and then the end of the connection: uvicorn closes one whose answer was not completed."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})


def faulted(fault: Fault, *, is_stream: bool) -> Response:
    """The answer of a kind of ``ANSWERED``."""
    match fault.kind:
        case "drop":
            return Cut()
        case "html":
            return HTMLResponse(PAGE)
        case "store" if is_stream:
            return Response(OPENED + ERROR.single(), media_type="text/event-stream", headers={"Cache-Control": "no-cache"})
        case "store":
            return PlainTextResponse("Internal Server Error", 500)
        case _:
            retry = {"Retry-After": "1"} if fault.kind in ("unavailable", "429") else {}
            sentence = f"A fault is in force: {fault.kind}."
            return JSONResponse({"detail": sentence}, STATUSES[fault.kind], retry)


class Garbler:
    """Passes an answer on with its JSON garbled; anything else, and an answer without a body, as it is."""

    def __init__(self, fault: Fault, send: Send) -> None:
        self._fault = fault
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        """Collect the answer, then pass it on."""
        if message["type"] == "http.response.start":
            if dict(message["headers"]).get(b"content-type", b"").startswith(b"application/json"):
                self._start = message
            else:
                await self._send(message)
            return
        if self._start is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if message.get("more_body", False):
            return
        body = garbled(self._body, self._fault.form)
        headers = [(name, value) for name, value in self._start["headers"] if name not in (b"content-length", b"etag")]
        await self._send({**self._start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})
