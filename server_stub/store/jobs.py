"""Jobs: lists, pages, figures, trends and trees.

Lists show a job from its first start on, as the real server does: no event announces a queued job, so a list that held
one would differ from what a stream's reader can know. Asked for by ``status=queued`` they are listed, and an item and a
timeline always show them.
"""

import sqlite3
from dataclasses import dataclass
from typing import Any

from server_stub.moments import HOUR, iso

from . import rows

TREND_STATUSES = ("complete", "failed", "retrying", "active")


class UnknownCursorError(LookupError):
    """The cursor names no job."""


@dataclass(frozen=True, slots=True)
class JobFilter:
    """The filter of ``GET /jobs``; ``after`` and ``before`` are inclusive, on ``created_at``, in microseconds."""

    function: str | None = None
    statuses: tuple[str, ...] = ()
    worker_id: str | None = None
    after: int | None = None
    before: int | None = None

    def where(self) -> tuple[str, list[object]]:
        """The SQL condition and its values."""
        parts: list[str] = []
        values: list[object] = []
        if self.statuses:
            parts.append(f"status IN ({','.join('?' * len(self.statuses))})")
            values += self.statuses
        else:
            parts.append("status NOT IN ('queued', 'pending')")
        for column, operator, value in (
            ("function", "=", self.function),
            ("worker_id", "=", self.worker_id),
            ("created_at", ">=", self.after),
            ("created_at", "<=", self.before),
        ):
            if value is not None:
                parts.append(f"{column} {operator} ?")
                values.append(value)
        return " AND ".join(parts), values


def page(connection: sqlite3.Connection, filters: JobFilter, limit: int, cursor: str | None) -> dict[str, Any]:
    """One page, newest first. Raises ``UnknownCursorError``."""
    condition, values = filters.where()
    total = int(connection.execute(f"SELECT count(*) FROM jobs WHERE {condition}", values).fetchone()[0])
    if cursor is not None:
        last = connection.execute("SELECT created_at, id FROM jobs WHERE id = ?", (cursor,)).fetchone()
        if last is None:
            raise UnknownCursorError(cursor)
        condition += " AND (created_at, id) < (?, ?)"
        values += [last["created_at"], last["id"]]
    found = connection.execute(
        f"SELECT {rows.JOB_COLUMNS} FROM jobs WHERE {condition} ORDER BY created_at DESC, id DESC LIMIT ?",
        [*values, limit + 1],
    ).fetchall()
    jobs = [rows.job(row) for row in found[:limit]]
    has_more = len(found) > limit
    return {"jobs": jobs, "total": total, "has_more": has_more, "next_cursor": jobs[-1]["id"] if has_more else None}


def one(connection: sqlite3.Connection, job_id: str) -> dict[str, Any] | None:
    """A job, queued or not."""
    row = connection.execute(f"SELECT {rows.JOB_COLUMNS} FROM jobs WHERE id = ?", (job_id,)).fetchone()
    return None if row is None else rows.job(row)


def timeline(connection: sqlite3.Connection, job_id: str) -> dict[str, Any] | None:
    """The root of a job's tree and all its descendants, oldest first; None for an unknown job."""
    row = connection.execute("SELECT root_id FROM jobs WHERE id = ?", (job_id,)).fetchone()
    if row is None:
        return None
    found = connection.execute(
        f"SELECT {rows.JOB_COLUMNS} FROM jobs WHERE root_id = ? ORDER BY created_at, id", (row["root_id"],)
    ).fetchall()
    return {"jobs": [rows.job(each) for each in found], "total": len(found), "has_more": False, "next_cursor": None}


def stats(connection: sqlite3.Connection, filters: JobFilter) -> dict[str, Any]:
    """``GET /jobs/stats``; the rate is of finished jobs, as the real server counts it of all."""
    condition, values = filters.where()
    row = connection.execute(
        "SELECT count(*) AS total, coalesce(sum(status = 'complete'), 0) AS success_count,"
        " coalesce(sum(status = 'failed'), 0) AS failure_count,"
        " coalesce(sum(status = 'cancelled'), 0) AS cancelled_count, round(avg(duration_ms), 2) AS avg_duration_ms"
        f" FROM jobs WHERE {condition}",
        values,
    ).fetchone()
    fields: dict[str, Any] = dict(zip(row.keys(), row, strict=True))
    return {**fields, "success_rate": rows.percent(fields["success_count"], fields["total"])}


def trends(connection: sqlite3.Connection, now: int, hours: int, function: str | None, job_type: str | None) -> dict[str, Any]:
    """``hours`` buckets by the hour of ``created_at``, the current one last."""
    current = now // HOUR
    condition, values = "hour > ?", [current - hours]
    parameters: list[object] = [*values]
    if function is not None:
        condition += " AND function = ?"
        parameters.append(function)
    if job_type is not None:
        condition += " AND job_type = ?"
        parameters.append(job_type)
    counts = {
        (row["hour"], row["status"]): row["n"]
        for row in connection.execute(
            f"SELECT hour, status, sum(n) AS n FROM job_hours WHERE {condition} GROUP BY hour, status", parameters
        )
    }
    return {
        "hourly": [
            {"hour": iso(hour * HOUR), **{status: counts.get((hour, status), 0) for status in TREND_STATUSES}}
            for hour in range(current - hours + 1, current + 1)
        ]
    }
