"""APIs: figures from the per-minute roll-up, percentiles from each endpoint's latest requests, lists from the rows."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from server_stub.moments import DAY, HOUR, MINUTE, iso, iso_or_none

from . import rows

PERCENTILE_SAMPLE = 1_000
"""Percentiles are of an endpoint's latest 1,000 requests."""
ALIVE = 30_000_000
"""An instance whose heartbeat is older (30 s) makes no API active."""
NO_INSTANCE = "__none__"

_FIGURES = (
    "sum(n) AS n, sum(n4) AS n4, sum(n5) AS n5, sum(latency_sum) AS latency_sum, max(last_at) AS last_at,"
    " sum(CASE WHEN minute = :minute THEN n ELSE 0 END) + 0.0 AS this_minute,"
    " sum(CASE WHEN minute = :minute - 1 THEN n ELSE 0 END) + 0.0 AS last_minute"
)


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """The filter of ``GET /apis/events``; times inclusive, in microseconds. ``instance_id`` ``__none__`` means null."""

    api_name: str | None = None
    method: str | None = None
    path: str | None = None
    status: int | None = None
    instance_id: str | None = None
    after: int | None = None
    before: int | None = None

    def where(self) -> tuple[str, list[object]]:
        """The SQL condition and its values."""
        parts = ["1"]
        values: list[object] = []
        for column, operator, value in (
            ("api_name", "=", self.api_name),
            ("method", "=", None if self.method is None else self.method.upper()),
            ("path", "=", self.path),
            ("status", "=", self.status),
            ("at", ">=", self.after),
            ("at", "<=", self.before),
        ):
            if value is not None:
                parts.append(f"{column} {operator} ?")
                values.append(value)
        if self.instance_id == NO_INSTANCE:
            parts.append("instance_id IS NULL")
        elif self.instance_id is not None:
            parts.append("instance_id = ?")
            values.append(self.instance_id)
        return " AND ".join(parts), values


def requests(connection: sqlite3.Connection, filters: RequestFilter, limit: int, offset: int) -> dict[str, Any]:
    """Requests, newest first."""
    condition, values = filters.where()
    total = int(connection.execute(f"SELECT count(*) FROM requests WHERE {condition}", values).fetchone()[0])
    found = connection.execute(
        f"SELECT {rows.REQUEST_COLUMNS} FROM requests WHERE {condition} ORDER BY at DESC, number DESC LIMIT ? OFFSET ?",
        [*values, limit, offset],
    ).fetchall()
    events = [rows.request(row) for row in found]
    return {"events": events, "total": total, "has_more": offset + len(events) < total}


def trends(connection: sqlite3.Connection, now: int, hours: int) -> dict[str, Any]:
    """``hours`` buckets, the current one last."""
    current = now // HOUR
    per_hour = HOUR // MINUTE
    counts = {
        row["hour"]: row
        for row in connection.execute(
            f"SELECT minute / {per_hour} AS hour, sum(n) AS n, sum(n4) AS n4, sum(n5) AS n5 FROM api_minutes"
            " WHERE minute >= ? GROUP BY 1",
            ((current - hours + 1) * per_hour,),
        )
    }
    hourly: list[dict[str, Any]] = []
    for hour in range(current - hours + 1, current + 1):
        row = counts.get(hour)
        n, n4, n5 = (row["n"], row["n4"], row["n5"]) if row is not None else (0, 0, 0)
        hourly.append({"hour": iso(hour * HOUR), "success_2xx": n - n4 - n5, "client_4xx": n4, "server_5xx": n5})
    return {"hourly": hourly}


def _instances(connection: sqlite3.Connection, name: str | None) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    condition = "" if name is None else "WHERE api_name = ?"
    for row in connection.execute(f"SELECT * FROM api_instances {condition} ORDER BY api_name, id", () if name is None else (name,)):
        fields: dict[str, Any] = dict(zip(row.keys(), row, strict=True))
        fields["started_at"], fields["last_heartbeat"] = iso(row["started_at"]), iso(row["last_heartbeat"])
        fields["endpoints"] = json.loads(row["endpoints"])
        fields["alive_until"] = row["last_heartbeat"] + ALIVE
        found.setdefault(row["api_name"], []).append(fields)
    return found


def _per_minute(row: sqlite3.Row, now: int) -> float:
    """Requests of the last 60 seconds: this minute's, and the part of the last one that is still within them."""
    passed = (now % MINUTE) / MINUTE
    return round(row["this_minute"] + row["last_minute"] * (1 - passed), 1)


def _summary(name: str, instances: list[dict[str, Any]], figures: list[sqlite3.Row], now: int, *, detail: bool) -> dict[str, Any]:
    n, n4, n5 = (sum(row[column] for row in figures) for column in ("n", "n4", "n5"))
    latency = sum(row["latency_sum"] for row in figures)
    alive = any(instance["alive_until"] >= now for instance in instances)
    shown = [{key: value for key, value in each.items() if key != "alive_until"} for each in instances]
    summary = {
        "name": name,
        "active": alive,
        "instance_count": len(shown),
        "instances": shown,
        "endpoint_count": len(figures),
        "requests_24h": n,
        "avg_latency_ms": round(latency / n, 2) if n else 0.0,
        "error_rate": rows.percent(n4 + n5, n),
        "requests_per_min": round(sum(_per_minute(row, now) for row in figures), 1),
    }
    if not detail:
        return summary
    rates = {"client_error_rate": rows.percent(n4, n), "server_error_rate": rows.percent(n5, n)}
    return {**summary, "docs_url": None, "success_rate": rows.percent(n - n4 - n5, n) if n else 100.0, **rates}


def _figures(connection: sqlite3.Connection, now: int, name: str | None) -> dict[str, list[sqlite3.Row]]:
    found: dict[str, list[sqlite3.Row]] = {}
    condition = "" if name is None else "AND api_name = :name"
    for row in connection.execute(
        f"SELECT api_name, method, path, {_FIGURES} FROM api_minutes WHERE minute > :since {condition}"
        " GROUP BY api_name, method, path ORDER BY n DESC, method, path",
        {"minute": now // MINUTE, "since": (now - DAY) // MINUTE, "name": name},
    ):
        found.setdefault(row["api_name"], []).append(row)
    return found


def page(connection: sqlite3.Connection, now: int) -> dict[str, Any]:
    """``GET /apis``."""
    instances, figures = _instances(connection, None), _figures(connection, now, None)
    names = sorted({*instances, *figures})
    apis = [_summary(name, instances.get(name, []), figures.get(name, []), now, detail=False) for name in names]
    return {"apis": apis, "total": len(apis)}


def _endpoint(connection: sqlite3.Connection, row: sqlite3.Row, now: int) -> dict[str, Any]:
    latencies = sorted(
        float(each[0])
        for each in connection.execute(
            "SELECT latency_ms FROM requests WHERE api_name = ? AND method = ? AND path = ? ORDER BY number DESC LIMIT ?",
            (row["api_name"], row["method"], row["path"], PERCENTILE_SAMPLE),
        )
    )
    n, n4, n5 = row["n"], row["n4"], row["n5"]
    return {
        "method": row["method"],
        "path": row["path"],
        "requests_24h": n,
        "requests_per_min": _per_minute(row, now),
        "avg_latency_ms": round(row["latency_sum"] / n, 2) if n else 0.0,
        **{f"p{rank}_latency_ms": rows.percentile(latencies, rank) for rank in (50, 95, 99)},
        "error_rate": rows.percent(n4 + n5, n),
        "success_rate": rows.percent(n - n4 - n5, n),
        "client_error_rate": rows.percent(n4, n),
        "server_error_rate": rows.percent(n5, n),
        "status_2xx": n - n4 - n5,
        "status_4xx": n4,
        "status_5xx": n5,
        "last_request_at": iso_or_none(row["last_at"]),
    }


def one(connection: sqlite3.Connection, now: int, name: str) -> dict[str, Any]:
    """``GET /apis/{name}``: an unknown name has zeros."""
    figures = _figures(connection, now, name).get(name, [])
    instances = _instances(connection, name).get(name, [])
    endpoints = [_endpoint(connection, row, now) for row in figures]
    summary = _summary(name, instances, figures, now, detail=True)
    return {"api": summary, "endpoints": endpoints, "total_endpoints": len(endpoints)}


def endpoints(connection: sqlite3.Connection, now: int) -> dict[str, Any]:
    """``GET /apis/detail``: the endpoints of every API."""
    found = [_endpoint(connection, row, now) for each in _figures(connection, now, None).values() for row in each]
    return {"endpoints": found, "total": len(found)}
