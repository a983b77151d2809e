"""APIs, their endpoints and requests. Rates are 0..100, ``*_ms`` milliseconds."""

from .base import Items, Time, WireModel


class ApiInstance(WireModel):
    """One process that serves an API."""

    id: str
    api_name: str
    started_at: Time
    last_heartbeat: Time
    host: str | None = None
    port: int | None = None
    endpoints: Items[str] = ()
    hostname: str | None = None


class Api(WireModel):
    """One API in the list; the last four figures are known in its detail only."""

    name: str
    active: bool
    instance_count: int
    instances: Items[ApiInstance] = ()
    endpoint_count: int
    requests_24h: int
    avg_latency_ms: float
    error_rate: float
    requests_per_min: float
    docs_url: str | None = None
    success_rate: float | None = None
    client_error_rate: float | None = None
    server_error_rate: float | None = None


class ApisPage(WireModel):
    """``GET /apis``."""

    apis: Items[Api] = ()
    total: int


class Endpoint(WireModel):
    """Figures of one method and path over 24 hours."""

    method: str
    path: str
    requests_24h: int
    requests_per_min: float
    avg_latency_ms: float
    p50_latency_ms: float
    p95_latency_ms: float
    p99_latency_ms: float
    error_rate: float
    success_rate: float
    client_error_rate: float
    server_error_rate: float
    status_2xx: int
    status_4xx: int
    status_5xx: int
    last_request_at: Time | None = None


class EndpointsPage(WireModel):
    """``GET /apis/detail`` of the real server: the endpoints of every API."""

    endpoints: Items[Endpoint] = ()
    total: int


class ApiDetail(WireModel):
    """``GET /apis/{name}``; an unknown name answers 200 with zeros."""

    api: Api
    endpoints: Items[Endpoint] = ()
    total_endpoints: int


class ApiTrendHour(WireModel):
    """Requests of one hour by the class of their status."""

    hour: Time
    success_2xx: int
    client_4xx: int
    server_5xx: int


class ApiTrends(WireModel):
    """``GET /apis/trends``: one bucket per hour, the current one last."""

    hourly: Items[ApiTrendHour] = ()


class RequestEvent(WireModel):
    """One request to an API."""

    id: str
    at: Time
    api_name: str
    method: str
    path: str
    status: int
    latency_ms: float
    instance_id: str | None = None
    sampled: bool = False


class RequestsPage(WireModel):
    """``GET /apis/events``: newest first. ``total`` counts every request of the filter."""

    events: Items[RequestEvent] = ()
    total: int
    has_more: bool
