"""Every stream of the server: its path, what it says, what it writes, and how often it speaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyapp.contract import events
from pyapp.core.streams.decode import Decoder
from pyapp.core.streams.spec import StreamSpec

TREND_HOURS = 24


@dataclass(frozen=True, slots=True)
class StreamRow:
    """One stream of the server.

    Attributes:
        name: as in stream keys.
        path: below `/api/v1/`; names in braces come from the key.
        query: parameters that it understands besides those.
        event: the model, or union of models, of its events.
        types: their `type`s.
        priority: which go first where connections are few (RT-64); lower is earlier.
        replaceable: types of which only the last of an entity matters (RT-40).
        entity: what an event is about.
        writes: families that it writes directly (RT-8).
        cadence: how often it speaks.
        on_reconnect: what to expect then.
    """

    name: str
    path: str
    query: tuple[str, ...]
    event: Any
    types: tuple[str, ...]
    priority: int
    replaceable: frozenset[str]
    entity: Callable[[Any], str | None]
    writes: tuple[str, ...]
    cadence: str
    on_reconnect: str


def _whole(event: Any) -> None:
    return None


def _job_of(event: Any) -> str:
    return event.job_id


_SNAPSHOT_AGAIN = "a fresh snapshot as its first data frame"
_RESUMED = "events after `last_event_id` from a ring of 1,000 (part B); else a gap and a snapshot by request"

STREAMS: tuple[StreamRow, ...] = (
    StreamRow(
        "events",
        "events/stream",
        (),
        events.JobEvent,
        ("job.started", "job.progress", "job.completed", "job.failed", "job.retrying", "job.cancelled", "job.checkpoint"),
        1,
        frozenset({"job.progress", "job.checkpoint"}),
        _job_of,
        ("jobs", "timeline"),
        "one event per change of a job; none at rest",
        _RESUMED,
    ),
    StreamRow(
        "requests",
        "apis/events/stream",
        ("api_name",),
        events.ApiRequestEvent,
        ("api.request",),
        2,
        frozenset(),
        _whole,
        ("requests",),
        "one event per request to an API; none at rest, and with a filter not even comments",
        _RESUMED,
    ),
    StreamRow(
        "workers",
        "workers/stream",
        (),
        events.WorkersEvent,
        ("workers.snapshot",),
        3,
        frozenset({"workers.snapshot"}),
        _whole,
        ("workers",),
        "a snapshot per heartbeat or change; at most two a second from our server, unthrottled from a part-A server",
        _SNAPSHOT_AGAIN,
    ),
    StreamRow(
        "jobs.trends",
        "jobs/trends/stream",
        ("hours", "function", "type"),
        events.JobsTrendsEvent,
        ("jobs.trends.snapshot",),
        4,
        frozenset({"jobs.trends.snapshot"}),
        _whole,
        ("jobs.trends",),
        "a snapshot per change, which may lag the server by one event (RT-44)",
        _SNAPSHOT_AGAIN,
    ),
    StreamRow(
        "apis.trends",
        "apis/trends/stream",
        ("hours",),
        events.ApisTrendsEvent,
        ("apis.trends.snapshot",),
        5,
        frozenset({"apis.trends.snapshot"}),
        _whole,
        ("apis.trends",),
        "a snapshot per change",
        _SNAPSHOT_AGAIN,
    ),
    StreamRow(
        "apis",
        "apis/stream",
        (),
        events.ApisEvent,
        ("apis.snapshot", "api.snapshot"),
        6,
        frozenset({"apis.snapshot"}),
        _whole,
        ("apis",),
        "a snapshot per change",
        _SNAPSHOT_AGAIN,
    ),
    StreamRow(
        "api",
        "apis/{name}/stream",
        (),
        events.ApiEvent,
        ("api.snapshot",),
        7,
        frozenset({"api.snapshot"}),
        _whole,
        ("apis",),
        "a snapshot per change of that API",
        _SNAPSHOT_AGAIN,
    ),
    StreamRow(
        "artifacts",
        "jobs/{id}/artifacts/stream",
        (),
        events.ArtifactEvent,
        ("artifact.created", "artifact.queued", "artifact.promoted", "artifact.deleted"),
        8,
        frozenset(),
        _whole,
        ("artifacts",),
        "one event per change of an artifact of that job",
        _RESUMED,
    ),
)


def stream_specs() -> dict[str, StreamSpec]:
    """What the stream manager needs, by name."""
    return {
        row.name: StreamSpec(
            row.name,
            row.path,
            Decoder(row.event),
            row.priority,
            row.replaceable,
            row.entity,
            defaults=(("hours", TREND_HOURS),) if "hours" in row.query else (),
            whole=row.on_reconnect == _SNAPSHOT_AGAIN,
        )
        for row in STREAMS
    }
