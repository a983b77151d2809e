"""The outermost layer: who may ask (Host, Origin, CSRF header, rate), under which id, and which fault is in force.

- A ``Host`` the server was not told of is refused (DNS rebinding): loopback names, ``--host`` and ``--allow-host``.
- Cross-origin: only the origins of ``--allow-origin``, with credentials.
- A request that changes something needs the ``X-Penstock-CSRF`` header (any value): a form or an image of another site
  cannot send it. A request without ``Origin`` is let through without it: every browser sends Origin with a request
  that changes something, so one without it comes from a script, which no other site's page can forge.
"""

import math
import uuid
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .faulted import MANY, Garbler, faulted
from .faults import ANSWERED, Faults, stream_of
from .limits import RequestLimiter
from .settings import Settings

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]", "testserver"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
EXPOSED = "ETag, Retry-After, Date, X-Request-ID, X-Penstock-Position"
ALLOWED_HEADERS = "Content-Type, X-Penstock-Client, X-Penstock-CSRF, Last-Event-ID, If-None-Match, X-Request-ID"
ALLOWED_METHODS = "GET, POST, DELETE, OPTIONS"
MAX_REQUEST_ID = 64


def host_name(host: str) -> str:
    """The name of a ``Host`` header, without its port, in lower case."""
    name = host.strip().lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]


def user_of(headers: Headers, client: tuple[str, int] | None) -> str:
    """Who is asking: the guest's cookie, else the address."""
    try:
        guest = SimpleCookie(headers.get("cookie", "")).get("penstock_guest")
    except CookieError:
        guest = None
    if guest is not None and guest.value:
        return f"guest:{guest.value}"
    return f"address:{client[0] if client else 'local'}"


class Guard:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, settings: Settings, faults: Faults) -> None:
        self._app = app
        self._faults = faults
        self._open = settings.contract == "a"
        """Part A: any site may ask and change anything; no credentials are wanted."""
        self._origins = frozenset(settings.allowed_origins)
        self._hosts = LOOPBACK | {host_name(name) for name in (settings.host, *settings.allowed_hosts)}
        self._limiter = RequestLimiter(settings.limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with the headers that every answer carries."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = headers.get("x-request-id", "")
        if not (0 < len(request_id) <= MAX_REQUEST_ID and request_id.isascii() and request_id.isprintable()):
            request_id = uuid.uuid4().hex
        origin = headers.get("origin")

        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                answer["X-Request-ID"] = request_id
                answer["X-Content-Type-Options"] = "nosniff"
                if self._open:
                    answer["Access-Control-Allow-Origin"] = "*"
                elif origin is not None and origin in self._origins:
                    answer["Access-Control-Allow-Origin"] = origin
                    answer["Access-Control-Allow-Credentials"] = "true"
                    answer["Access-Control-Expose-Headers"] = EXPOSED
                if self._origins:
                    answer.add_vary_header("Origin")
            await send(message)

        answer = self._refusal(scope, headers, origin)
        if self._faults and not scope["path"].startswith("/__"):
            await self._faulty(answer)(scope, receive, send_more)
        else:
            await (answer or self._app)(scope, receive, send_more)

    def _faulty(self, refusal: Response | None) -> ASGIApp:
        """The application, or a refusal, with the faults in force."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            path: str = scope["path"]
            key = stream_of(path, scope["query_string"].decode("latin-1"))
            if key is None:
                await self._faults.late(path, None)
            fault = self._faults.find(ANSWERED, path, key)
            if refusal is None and fault is not None:
                await faulted(fault.hit(), is_stream=key is not None or path == MANY)(scope, receive, send)
                return
            garble = self._faults.find(("garble",), path) if key is None and path != MANY else None
            if garble is not None:
                send = Garbler(garble.hit(), send).send
            await (refusal or self._app)(scope, receive, send)

        return answer

    def _refusal(self, scope: Scope, headers: Headers, origin: str | None) -> Response | None:
        """The answer to a request that is not let in; None for one that is."""
        host, path, method = headers.get("host", ""), scope["path"], scope["method"]
        if host_name(host) not in self._hosts:
            return _error(421, f"This server was not told of the host {host!r}; allow it with --allow-host.")
        if method == "OPTIONS" and origin is not None and "access-control-request-method" in headers:
            return self._preflight(origin, headers)
        if method not in SAFE_METHODS and origin is not None and not self._open:
            if origin not in self._origins and not _same_origin(origin, host):
                return _error(403, f"The origin {origin!r} may not change anything here.")
            if not headers.get("x-penstock-csrf"):
                return _error(403, "A request that changes something needs the X-Penstock-CSRF header.")
        if path.startswith("/api/"):
            wait_s = self._limiter.refuse(user_of(headers, scope.get("client")))
            if wait_s is not None:
                return _error(429, "Too many requests.", {"Retry-After": str(math.ceil(wait_s))})
        return None

    def _preflight(self, origin: str, headers: Headers) -> Response:
        if self._open:
            asked = headers.get("access-control-request-headers")
            allowed = {"Access-Control-Allow-Headers": asked} if asked else {}
            methods = {"Access-Control-Allow-Methods": "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT", "Access-Control-Max-Age": "600"}
            return Response("OK", headers=methods | allowed)
        if origin not in self._origins:
            return _error(403, f"The origin {origin!r} is not allowed.")
        granted = {
            "Access-Control-Allow-Methods": ALLOWED_METHODS,
            "Access-Control-Allow-Headers": ALLOWED_HEADERS,
            "Access-Control-Max-Age": "600",
        }
        return Response(status_code=204, headers=granted)


def _same_origin(origin: str, host: str) -> bool:
    return origin.lower() in {f"http://{host.lower()}", f"https://{host.lower()}"}


def _error(status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"detail": sentence}, status, headers)
