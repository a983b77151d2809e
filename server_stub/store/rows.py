"""Rows as the wire's objects."""

import json
import sqlite3
from typing import Any

from server_stub.moments import iso, iso_or_none

JOB_COLUMNS = (
    "id, job_key, function, function_name, status, created_at, scheduled_at, started_at, completed_at, attempts,"
    " max_retries, timeout, worker_id, parent_id, root_id, progress, kwargs, job_type, source, checkpoint,"
    " checkpoint_at, queue_wait_ms, result, error, duration_ms"
)
RUN_COLUMNS = "id, function, function_name, status, started_at, completed_at, duration_ms, error, worker_id, attempts, progress"
REQUEST_COLUMNS = "id, at, api_name, method, path, status, latency_ms, instance_id"

_JOB_TIMES = ("created_at", "scheduled_at", "started_at", "completed_at", "checkpoint_at")
_JOB_JSON = ("kwargs", "source", "checkpoint", "result")


def job(row: sqlite3.Row) -> dict[str, Any]:
    """A row of ``JOB_COLUMNS`` as Job."""
    fields: dict[str, Any] = dict(zip(row.keys(), row, strict=True))
    for name in _JOB_TIMES:
        fields[name] = iso_or_none(fields[name])
    for name in _JOB_JSON:
        fields[name] = None if fields[name] is None else json.loads(fields[name])
    return fields


def run(row: sqlite3.Row) -> dict[str, Any]:
    """A row of ``RUN_COLUMNS`` as Run."""
    fields: dict[str, Any] = dict(zip(row.keys(), row, strict=True))
    fields["started_at"] = iso_or_none(fields["started_at"])
    fields["completed_at"] = iso_or_none(fields["completed_at"])
    return fields


def request(row: sqlite3.Row) -> dict[str, Any]:
    """A row of ``REQUEST_COLUMNS`` as RequestEvent."""
    fields: dict[str, Any] = dict(zip(row.keys(), row, strict=True))
    fields["at"] = iso(fields["at"])
    fields["sampled"] = False
    return fields


def percent(part: float, whole: float) -> float:
    """``part`` of ``whole`` as 0..100; 0 of nothing."""
    return round(100.0 * part / whole, 2) if whole else 0.0


def p95(values: list[float]) -> float | None:
    """The 95th percentile of sorted values, nearest rank."""
    return percentile(values, 95) if values else None


def percentile(values: list[float], rank: int) -> float:
    """A percentile of sorted values, nearest rank; 0 of nothing."""
    if not values:
        return 0.0
    return round(values[min(len(values) - 1, max(0, -(-len(values) * rank // 100) - 1))], 2)
