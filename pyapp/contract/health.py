"""``/health``, ``/ready``, ``/auth/*`` and ``/metrics/queue``."""

from collections.abc import Mapping

from pydantic import JsonValue

from .base import Items, Time, WireModel


class Readiness(WireModel):
    """One thing the server needs: ``ok``, ``error`` or ``skipped``, and why."""

    status: str
    detail: str | None = None


class HealthQueue(WireModel):
    """The queue in short."""

    running: int = 0
    waiting: int = 0
    claimed: int = 0
    backlog: int = 0
    capacity: int = 0


class HealthAlerts(WireModel):
    """What the server's own alerting did."""

    attempted: int = 0
    sent: int = 0
    failures: int = 0
    skipped_cooldown: int = 0
    last_attempt_at: Time | None = None
    last_sent_at: Time | None = None
    last_error: str | None = None


class HealthEvents(WireModel):
    """Events the server could not read, by reason."""

    invalid_envelope: int = 0
    invalid_payload: int = 0
    unsupported_type: int = 0


class HealthMetrics(WireModel):
    """The figures inside a health answer."""

    alerts: HealthAlerts = HealthAlerts()
    readiness: Mapping[str, Readiness] = {}
    queue: HealthQueue = HealthQueue()
    events: HealthEvents = HealthEvents()


class Health(WireModel):
    """``GET /health`` and ``/ready``: ``status`` is ``ok`` or ``degraded``."""

    status: str
    version: str
    features: Items[str] = ()
    metrics: HealthMetrics = HealthMetrics()


class AuthStatus(WireModel):
    """``GET /auth/status``."""

    auth_enabled: bool
    runtime_mode: str | None = None
    default_session_available: bool | None = None


class AuthVerify(WireModel):
    """``POST /auth/verify``; what is known of the user differs between builds."""

    ok: bool
    user: JsonValue = None
    scope: JsonValue = None


class FunctionQueue(WireModel):
    """The queue of one function: backlog = waiting + claimed."""

    function: str
    waiting: int
    claimed: int
    backlog: int


class QueueMetrics(WireModel):
    """``GET /metrics/queue``."""

    functions: Items[FunctionQueue] = ()
    totals: HealthQueue
