"""``/dashboard/stats``, ``/metrics/queue`` and the queue part of ``/health``."""

import sqlite3
from typing import Any

from server_stub.moments import HOUR, MINUTE, SECOND, iso, iso_or_none

from . import fleet, rows

STUCK = 900 * SECOND
_WAITING = "(status IN ('queued', 'pending') OR requeued_at IS NOT NULL)"


def queue(connection: sqlite3.Connection, now: int) -> dict[str, int]:
    """The queue now. A claimed job is one that a worker has taken and not begun: here taking and beginning are one."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM jobs WHERE status = 'active'),"
        " (SELECT count(*) FROM jobs WHERE status IN ('queued', 'pending'))"
        " + (SELECT count(*) FROM jobs WHERE requeued_at IS NOT NULL),"
        " (SELECT count(*) FROM jobs WHERE status = 'retrying' AND scheduled_at <= :now),"
        " (SELECT count(*) FROM jobs WHERE status = 'retrying' AND scheduled_at > :now)",
        {"now": now},
    ).fetchone()
    running, waiting, due, future = (int(each) for each in row)
    backlog = waiting + due
    return {
        "running": running,
        "waiting": waiting,
        "claimed": 0,
        "scheduled_due": due,
        "scheduled_future": future,
        "backlog": backlog,
        "capacity": fleet.capacity(connection, now)[1],
        "total": running + backlog + future,
    }


def queue_metrics(connection: sqlite3.Connection, now: int) -> dict[str, Any]:
    """``GET /metrics/queue``."""
    waiting = {
        row["function"]: row["n"]
        for row in connection.execute(
            "SELECT function, count(*) AS n FROM jobs WHERE status IN ('queued', 'pending')"
            " OR (status = 'retrying' AND scheduled_at <= ?) GROUP BY function",
            (now,),
        )
    }
    found = connection.execute("SELECT key FROM functions ORDER BY key").fetchall()
    counts = [(row["key"], waiting.get(row["key"], 0)) for row in found]
    now_queue = queue(connection, now)
    return {
        "functions": [{"function": key, "waiting": n, "claimed": 0, "backlog": n} for key, n in counts],
        "totals": {name: now_queue[name] for name in ("running", "waiting", "claimed", "backlog", "capacity")},
    }


def _runs(connection: sqlite3.Connection, since: int, window: int) -> dict[str, Any]:
    row = connection.execute(
        "SELECT coalesce(sum(n), 0) AS n, coalesce(sum(good), 0) AS good FROM (SELECT count(*) AS n,"
        " sum(status = 'complete') AS good FROM jobs WHERE created_at >= ? AND status NOT IN ('queued', 'pending'))",
        (since,),
    ).fetchone()
    return {
        "total": row["n"],
        "success_rate": rows.percent(row["good"], row["n"]),
        "window_minutes": window,
        "jobs_per_min": round(row["n"] / window, 2),
    }


def _apis(connection: sqlite3.Connection, since: int, window: int) -> dict[str, Any]:
    if window * MINUTE >= HOUR:  # whole minutes are exact enough here, and the roll-up outlives pruned rows
        sql = "SELECT sum(n), sum(n4 + n5), sum(latency_sum) FROM api_minutes WHERE minute > ?"
        row = connection.execute(sql, (since // MINUTE,)).fetchone()
    else:
        sql = "SELECT count(*), sum(status >= 400), sum(latency_ms) FROM requests WHERE at >= ?"
        row = connection.execute(sql, (since,)).fetchone()
    n, errors, latency = row[0] or 0, row[1] or 0, row[2] or 0.0
    return {
        "requests": n,
        "avg_latency_ms": round(latency / n, 2) if n else 0.0,
        "error_rate": rows.percent(errors, n),
        "window_minutes": window,
        "requests_per_min": round(n / window, 2),
    }


def _failing(connection: sqlite3.Connection, since: int, min_rate: float) -> list[dict[str, Any]]:
    found = connection.execute(
        "SELECT function AS key, max(function_name) AS name, count(*) AS runs, sum(status = 'failed') AS failures,"
        " max(coalesce(completed_at, started_at)) AS last_run_at FROM jobs"
        " WHERE created_at >= ? AND status NOT IN ('queued', 'pending') GROUP BY function HAVING failures > 0",
        (since,),
    )
    functions: list[dict[str, Any]] = [
        {
            "key": row["key"],
            "name": row["name"],
            "runs": row["runs"],
            "failures": row["failures"],
            "failure_rate": rows.percent(row["failures"], row["runs"]),
            "last_run_at": iso_or_none(row["last_run_at"]),
        }
        for row in found
    ]
    worst = [each for each in functions if each["failure_rate"] >= min_rate]
    return sorted(worst, key=lambda each: (-each["failure_rate"], -each["failures"], each["key"]))[:5]


def _queued(connection: sqlite3.Connection, now: int) -> list[dict[str, Any]]:
    found = connection.execute(
        "SELECT id, function, function_name, coalesce(requeued_at, scheduled_at, created_at) AS queued_at,"
        f" CASE status WHEN 'retrying' THEN 'scheduled' ELSE 'stream' END AS source FROM jobs WHERE {_WAITING}"
        " OR status = 'retrying' ORDER BY queued_at, id LIMIT 10"
    ).fetchall()
    return [
        {
            "id": row["id"],
            "function": row["function"],
            "function_name": row["function_name"],
            "queued_at": iso(row["queued_at"]),
            "age_seconds": round(max(0, now - row["queued_at"]) / SECOND, 2),
            "source": row["source"],
        }
        for row in found
    ]


def _stuck(connection: sqlite3.Connection, now: int) -> list[dict[str, Any]]:
    found = connection.execute(
        "SELECT id, function, function_name, worker_id, started_at FROM jobs WHERE status = 'active'"
        " AND started_at < ? ORDER BY started_at LIMIT 10",
        (now - STUCK,),
    ).fetchall()
    return [
        {
            "id": row["id"],
            "function": row["function"],
            "function_name": row["function_name"],
            "worker_id": row["worker_id"],
            "started_at": iso(row["started_at"]),
            "age_seconds": round((now - row["started_at"]) / SECOND, 2),
        }
        for row in found
    ]


def _recent(connection: sqlite3.Connection, condition: str) -> list[dict[str, Any]]:
    found = connection.execute(
        f"SELECT {rows.RUN_COLUMNS} FROM jobs WHERE {condition} ORDER BY created_at DESC, id DESC LIMIT 10"
    ).fetchall()
    return [rows.run(row) for row in found]


def stats(connection: sqlite3.Connection, now: int, window: int, min_rate: float) -> dict[str, Any]:
    """``GET /dashboard/stats`` for a window in minutes."""
    since = now - window * MINUTE
    return {
        "runs": _runs(connection, since, window),
        "queue": queue(connection, now),
        "workers": {"total": fleet.capacity(connection, now)[0]},
        "apis": _apis(connection, since, window),
        "recent_runs": _recent(connection, "status NOT IN ('queued', 'pending')"),
        "recent_failures": _recent(connection, "status = 'failed'"),
        "top_failing_functions": _failing(connection, since, min_rate),
        "oldest_queued_jobs": _queued(connection, now),
        "stuck_active_jobs": _stuck(connection, now),
    }
