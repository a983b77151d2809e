"""The server about itself: dashboard figures, health, queue, sign-in state and configuration."""

import json
import sqlite3
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from pyapp.contract.config import Flag
from server_stub import VERSION
from server_stub.answers import snapshot
from server_stub.context import Ctx
from server_stub.moments import now_us
from server_stub.store import dashboard

WINDOWS = (1, 5, 15, 60, 1440)
FLAGS: dict[str, dict[str, Any]] = {
    "enable_sse_streaming": {"enabled": True},
    "tab_sharing": {"enabled": True},
    "verify_streams": {"enabled": True},
    "presence": {"enabled": True},
    "request_coordination": {"enabled": True},
}
"""What this server says of flags by itself. Not of `bypass_all`: a server's `off` always wins, and nobody could turn it on."""
_FLAGS_FILE: TypeAdapter[dict[str, Flag]] = TypeAdapter(dict[str, Flag])

router = APIRouter()
outside = APIRouter()
"""``/health`` and ``/ready`` lie outside the prefix."""


@router.get("/dashboard/stats")
async def stats(
    request: Request,
    context: Ctx,
    window_minutes: Annotated[int, Query(ge=1, le=1440)] = 1440,
    failing_min_rate: Annotated[float, Query(ge=0, le=100)] = 0.0,
) -> Response:
    """The first page's figures."""
    if window_minutes not in WINDOWS:
        allowed = ", ".join(str(each) for each in WINDOWS)
        raise HTTPException(422, f"window_minutes must be one of: {allowed}. Received {window_minutes}.")
    return await snapshot(request, context, lambda db: dashboard.stats(db, now_us(), window_minutes, failing_min_rate))


@router.get("/metrics/queue")
async def queue(request: Request, context: Ctx) -> Response:
    """The queue, by function and in all."""
    return await snapshot(request, context, lambda db: dashboard.queue_metrics(db, now_us()))


@router.get("/auth/status")
async def auth_status() -> dict[str, bool]:
    """Nobody signs in here yet."""
    return {"auth_enabled": False}


@router.post("/auth/verify")
async def auth_verify() -> dict[str, Any]:
    """Without sign-in every request is fine."""
    return {"ok": True, "user": None}


@router.get("/config")
async def config(context: Ctx) -> dict[str, Any]:
    """Profile, flags, intervals and who answers. Flags of ``<data>/flags.json`` replace the defaults by name."""
    settings, times = context.settings, context.settings.times
    if settings.contract == "a":
        raise HTTPException(404, "Not Found")
    return {
        "profile": settings.profile,
        "flags": FLAGS | _flags_file(settings.data / "flags.json"),
        "metrics_interval_ms": times.metrics_interval_ms,
        "live_refresh_interval_ms": times.live_refresh_interval_ms,
        "server": {"name": "penstock", "version": VERSION, "epoch": context.hub.epoch, "contract": ["a", "b"]},
    }


def _flags_file(path: Path) -> dict[str, dict[str, Any]]:
    """The flags of a file; none when it is absent or cannot be read as flags (``off`` is never made up)."""
    try:
        flags = _FLAGS_FILE.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return {}
    return {name: json.loads(flag.model_dump_json(exclude_none=True)) for name, flag in flags.items()}


async def _health(context: Ctx) -> dict[str, Any]:
    def look(connection: sqlite3.Connection) -> dict[str, int]:
        return dashboard.queue(connection, now_us())

    now = await context.database.read(look)
    ok = {"status": "ok", "detail": None}
    alerts = {"attempted": 0, "sent": 0, "failures": 0, "skipped_cooldown": 0}
    return {
        "status": "ok",
        "version": VERSION,
        "features": [],
        "metrics": {
            "alerts": {**alerts, "last_attempt_at": None, "last_sent_at": None, "last_error": None},
            "readiness": {"database": ok},
            "queue": {name: now[name] for name in ("running", "waiting", "claimed", "backlog", "capacity")},
            "events": {"invalid_envelope": 0, "invalid_payload": 0, "unsupported_type": 0},
        },
    }


outside.add_api_route("/health", _health)
outside.add_api_route("/ready", _health)
