"""Workers and functions."""

import json
import sqlite3
from typing import Any

from server_stub.moments import DAY, iso, iso_or_none

from . import rows

ALIVE = 30_000_000
"""An instance whose heartbeat is older (30 s) is stale."""
GONE = 3_600_000_000
"""An instance silent for an hour is listed no longer."""
DEFINITION = (
    *("timeout", "max_retries", "retry_delay", "rate_limit", "max_concurrency", "routing_group"),
    *("group_max_concurrency", "schedule", "missed_run_policy", "max_catch_up_seconds", "pattern"),
)
REASONS = ("paused", "rate_limited", "no_capacity", "cancelled", "retrying")


def _instance(row: sqlite3.Row) -> dict[str, Any]:
    fields: dict[str, Any] = dict(zip(row.keys(), row, strict=True))
    names: dict[str, str] = json.loads(row["functions"])
    fields |= {"functions": list(names), "function_names": names}
    return fields | {"started_at": iso(row["started_at"]), "last_heartbeat": iso(row["last_heartbeat"])}


def workers(connection: sqlite3.Connection, now: int) -> dict[str, Any]:
    """``GET /workers``."""
    groups: dict[str, list[sqlite3.Row]] = {}
    for row in connection.execute("SELECT * FROM workers WHERE last_heartbeat > ? ORDER BY worker_name, id", (now - GONE,)):
        groups.setdefault(row["worker_name"], []).append(row)
    found: list[dict[str, Any]] = []
    for name, members in groups.items():
        instances = [_instance(row) for row in members]
        names = {key: label for each in instances for key, label in each["function_names"].items()}
        alive = [row for row in members if row["last_heartbeat"] >= now - ALIVE]
        found.append(
            {
                "name": name,
                "active": bool(alive),
                "instance_count": len(instances),
                "instances": instances,
                "functions": list(names),
                "function_names": names,
                "concurrency": sum(row["concurrency"] for row in alive),
            }
        )
    return {"workers": found, "total": len(found)}


def instance(connection: sqlite3.Connection, instance_id: str) -> dict[str, Any] | None:
    """``GET /workers/{instance_id}``."""
    row = connection.execute("SELECT * FROM workers WHERE id = ?", (instance_id,)).fetchone()
    return None if row is None else _instance(row)


def capacity(connection: sqlite3.Connection, now: int) -> tuple[int, int]:
    """(living instances, the sum of their concurrency)."""
    row = connection.execute(
        "SELECT count(*), coalesce(sum(concurrency), 0) FROM workers WHERE last_heartbeat >= ?", (now - ALIVE,)
    ).fetchone()
    return int(row[0]), int(row[1])


def paused(connection: sqlite3.Connection, key: str) -> bool | None:
    """Whether a function is paused; None when there is no such function."""
    row = connection.execute("SELECT paused FROM functions WHERE key = ?", (key,)).fetchone()
    return None if row is None else bool(row["paused"])


def _offered(connection: sqlite3.Connection, now: int) -> dict[str, list[str]]:
    """The names of the living workers that offer each function."""
    offered: dict[str, set[str]] = {}
    for row in connection.execute("SELECT worker_name, functions FROM workers WHERE last_heartbeat >= ?", (now - ALIVE,)):
        for key in json.loads(row["functions"]):
            offered.setdefault(key, set()).add(row["worker_name"])
    return {key: sorted(names) for key, names in offered.items()}


def _figures(connection: sqlite3.Connection, now: int, key: str | None) -> dict[str, sqlite3.Row]:
    condition = "" if key is None else "AND function = ?"
    found = connection.execute(
        "SELECT function, count(*) AS runs, sum(status = 'complete') AS good, avg(duration_ms) AS duration,"
        " avg(queue_wait_ms) AS wait, max(coalesce(completed_at, started_at)) AS last_run_at FROM jobs"
        f" WHERE created_at >= ? AND status NOT IN ('queued', 'pending') {condition} GROUP BY function",
        (now - DAY,) if key is None else (now - DAY, key),
    )
    return {row["function"]: row for row in found}


def _high(connection: sqlite3.Connection, key: str, since: int, column: str) -> float | None:
    values = [
        float(row[0])
        for row in connection.execute(
            f"SELECT {column} FROM jobs WHERE function = ? AND created_at >= ? AND {column} IS NOT NULL"
            " ORDER BY created_at DESC LIMIT 1000",
            (key, since),
        )
    ]
    return rows.p95(sorted(values))


def _function(
    connection: sqlite3.Connection, row: sqlite3.Row, figures: sqlite3.Row | None, workers_of: list[str], now: int
) -> dict[str, Any]:
    key = row["key"]
    definition: dict[str, Any] = json.loads(row["definition"])
    every_s = definition.get("every_s")
    reasons = {each["reason"]: each["n"] for each in connection.execute("SELECT reason, n FROM dispatch_reasons WHERE key = ?", (key,))}
    last = connection.execute(
        "SELECT status FROM jobs WHERE function = ? AND status NOT IN ('queued', 'pending') ORDER BY created_at DESC, id DESC LIMIT 1",
        (key,),
    ).fetchone()
    backlog = connection.execute("SELECT count(*) FROM jobs WHERE function = ? AND status IN ('queued', 'pending')", (key,)).fetchone()[
        0
    ]
    next_run = None if not every_s else (now // (every_s * 1_000_000) + 1) * every_s * 1_000_000
    runs = 0 if figures is None else figures["runs"]
    wait = None if figures is None or figures["wait"] is None else round(figures["wait"], 2)
    return {
        "key": key,
        "name": row["name"],
        "type": row["job_type"],
        "active": bool(workers_of),
        "paused": bool(row["paused"]),
        **{name: definition.get(name) for name in DEFINITION},
        "next_run_at": iso_or_none(next_run),
        "workers": workers_of,
        "runs_24h": runs,
        "success_rate": 0.0 if figures is None else rows.percent(figures["good"], runs),
        "avg_duration_ms": 0.0 if figures is None else round(figures["duration"] or 0.0, 2),
        "p95_duration_ms": _high(connection, key, now - DAY, "duration_ms"),
        "avg_wait_ms": wait,
        "p95_wait_ms": _high(connection, key, now - DAY, "queue_wait_ms"),
        "queue_backlog": backlog,
        "dispatch_reasons": {reason: reasons.get(reason, 0) for reason in REASONS},
        "last_run_at": None if figures is None else iso_or_none(figures["last_run_at"]),
        "last_run_status": None if last is None else last["status"],
    }


def functions(connection: sqlite3.Connection, now: int, job_type: str | None) -> dict[str, Any]:
    """``GET /functions``, the busiest of the last day first."""
    condition, values = ("WHERE job_type = ?", (job_type,)) if job_type else ("", ())
    figures, offered = _figures(connection, now, None), _offered(connection, now)
    found = [
        _function(connection, row, figures.get(row["key"]), offered.get(row["key"], []), now)
        for row in connection.execute(f"SELECT * FROM functions {condition} ORDER BY key", values)
    ]
    return {"functions": sorted(found, key=lambda each: (-each["runs_24h"], each["key"])), "total": len(found)}


_UNKNOWN = "SELECT ? AS key, ? AS name, 'task' AS job_type, 0 AS paused, '{}' AS definition"


def function(connection: sqlite3.Connection, now: int, key: str) -> dict[str, Any]:
    """``GET /functions/{key}``: an unknown key has zeros."""
    row = connection.execute("SELECT * FROM functions WHERE key = ?", (key,)).fetchone()
    if row is None:
        row = connection.execute(_UNKNOWN, (key, key)).fetchone()
    figures, offered = _figures(connection, now, key), _offered(connection, now)
    recent = connection.execute(
        f"SELECT {rows.RUN_COLUMNS} FROM jobs WHERE function = ? AND status NOT IN ('queued', 'pending')"
        " ORDER BY created_at DESC, id DESC LIMIT 20",
        (key,),
    ).fetchall()
    detail = _function(connection, row, figures.get(key), offered.get(key, []), now)
    return {**detail, "recent_runs": [rows.run(each) for each in recent]}
