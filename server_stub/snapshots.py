"""The streams that send snapshots: what their frame holds and what makes them out of date.

``parse_key`` is the one place that knows how a snapshot key reads. A key's family is what the writer says it touched.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from . import keys
from .encoding import encode_event
from .moments import iso
from .store import apis, fleet, jobs
from .store.writer import APIS_TRENDS, JOBS_TRENDS, position, raise_position


@dataclass(frozen=True, slots=True)
class SnapshotStream:
    """How one key's snapshots are made."""

    key: str
    family: str
    type: str
    field: str
    read: Callable[[sqlite3.Connection, int], dict[str, Any]]

    def event(self, data: dict[str, Any], now: int) -> dict[str, Any]:
        """The event that carries ``data``."""
        return {"type": self.type, "at": iso(now), self.field: data}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot at a position of its stream; ``payload`` is None when the data is what was sent before."""

    sequence: int
    payload: bytes | None
    data: dict[str, Any]


def parse_key(key: str) -> SnapshotStream | None:
    """The snapshot stream of a key; None for a stream of events."""
    path, _, query = key.partition("?")
    params = {name: values[0] for name, values in parse_qs(query).items()}
    hours = int(params.get("hours", keys.DEFAULT_TREND_HOURS))
    if path == keys.WORKERS:
        return SnapshotStream(key, keys.WORKERS, "workers.snapshot", "workers", fleet.workers)
    if path == keys.APIS:
        return SnapshotStream(key, keys.APIS, "apis.snapshot", "apis", apis.page)
    if path == "apis/trends":
        return SnapshotStream(key, APIS_TRENDS, "apis.trends.snapshot", "trends", lambda db, now: apis.trends(db, now, hours))
    if path == "jobs/trends":
        function, job_type = params.get("function"), params.get("type")
        return SnapshotStream(
            *(key, JOBS_TRENDS, "jobs.trends.snapshot", "trends"),
            lambda db, now: jobs.trends(db, now, hours, function, job_type),
        )
    if path.startswith("apis/") and path != keys.API_REQUESTS:
        name = unquote(path.removeprefix("apis/"))
        return SnapshotStream(key, key, "api.snapshot", "api", lambda db, now: apis.one(db, now, name))
    return None


def advance(connection: sqlite3.Connection, stream: SnapshotStream, now: int, previous: dict[str, Any] | None) -> Snapshot:
    """In a write transaction: the data now and the next sequence, unless nothing differs from ``previous``."""
    data = stream.read(connection, now)
    if data == previous:
        return Snapshot(position(connection, stream.key), None, data)
    return Snapshot(raise_position(connection, stream.key), encode_event(stream.event(data, now)), data)


def current(connection: sqlite3.Connection, stream: SnapshotStream, now: int) -> Snapshot:
    """In a read transaction: the data now, at the position it has."""
    data = stream.read(connection, now)
    return Snapshot(position(connection, stream.key), encode_event(stream.event(data, now)), data)
