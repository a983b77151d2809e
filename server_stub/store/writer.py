"""Applies changes: rows, positions and events in one transaction.

Every event is encoded here, once. A filtered stream (``apis/events?api_name=…``) has its own sequence, so its frame has
its own id line round the same bytes.
"""

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from server_stub import changes as c
from server_stub import keys
from server_stub.encoding import encode_event
from server_stub.moments import iso

from . import artifacts

JOBS_TRENDS = "jobs/trends"
APIS_TRENDS = "apis/trends"


@dataclass(slots=True)
class Written:
    """What a batch did: events by stream key with their sequences, and the snapshot families that changed."""

    events: list[tuple[str, int, bytes]] = field(default_factory=list[tuple[str, int, bytes]])
    touched: set[str] = field(default_factory=set[str])


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _event(kind: str, job: c.JobRef, worker_id: str | None, *, named: bool = True, **more: Any) -> dict[str, Any]:
    """A job event: flat, absent rather than null, in the real server's order."""
    event: dict[str, Any] = {"type": kind, "job_id": job.id}
    if worker_id is not None:
        event["worker_id"] = worker_id
    if named:
        event |= {"function": job.function, "function_name": job.function_name}
    if job.parent_id is not None:
        event["parent_id"] = job.parent_id
    event["root_id"] = job.root_id
    event.update((name, value) for name, value in more.items() if value is not None)
    return event


class Batch:
    """One write transaction's worth of changes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._pending: list[tuple[tuple[str, ...], bytes]] = []
        self.touched: set[str] = set()

    def finish(self) -> Written:
        """Number the events and raise the positions of their keys, in this transaction."""
        counts: defaultdict[str, int] = defaultdict(int)
        for stream_keys, _ in self._pending:
            for key in stream_keys:
                counts[key] += 1
        sequences = {key: raise_position(self._db, key, by) - by for key, by in counts.items()}
        written = Written(touched=self.touched)
        for stream_keys, payload in self._pending:
            for key in stream_keys:
                sequences[key] += 1
                written.events.append((key, sequences[key], payload))
        return written

    def _tell(self, event: dict[str, Any], *stream_keys: str) -> None:
        self._pending.append((stream_keys, encode_event(event)))

    def _moved(self) -> None:
        """A job changed its status: the trends and the workers' figures did too."""
        self.touched |= {JOBS_TRENDS}

    def queued(self, change: c.Queued) -> None:
        job = change.job
        self._db.execute(
            "INSERT INTO jobs (id, job_key, function, function_name, status, created_at, scheduled_at, max_retries,"
            " timeout, parent_id, root_id, kwargs, job_type, source) VALUES (?,?,?,?,'queued',?,?,?,?,?,?,?,?,?)",
            (
                *(job.id, change.job_key or job.id, job.function, job.function_name, change.at, change.at),
                *(job.max_retries, change.timeout_s, job.parent_id, job.root_id),
                *(_json(dict(change.kwargs)), change.job_type, _json(dict(change.source))),
            ),
        )

    def started(self, change: c.Started) -> None:
        # Like the real server's, a job's created_at is its first start: so the events alone order a list.
        self._db.execute(
            "UPDATE jobs SET status = 'active', started_at = ?2, worker_id = ?3, attempts = ?4, progress = 0,"
            " completed_at = NULL, error = NULL, duration_ms = NULL, requeued_at = NULL,"
            " queue_wait_ms = (?2 - coalesce(requeued_at, scheduled_at)) / 1000.0,"
            " created_at = CASE WHEN status = 'queued' THEN ?2 ELSE created_at END WHERE id = ?1",
            (change.job.id, change.at, change.worker_id, change.attempt),
        )
        self._tell(
            _event(
                "job.started",
                change.job,
                change.worker_id,
                attempt=change.attempt,
                max_retries=change.job.max_retries,
                started_at=iso(change.at),
            ),
            keys.EVENTS,
        )
        self._moved()

    def progressed(self, change: c.Progressed) -> None:
        self._db.execute("UPDATE jobs SET progress = ? WHERE id = ?", (change.progress, change.job.id))
        more: dict[str, Any] = {"progress": change.progress, "message": change.message}
        self._tell(_event("job.progress", change.job, change.worker_id, named=False, **more), keys.EVENTS)

    def checkpointed(self, change: c.Checkpointed) -> None:
        self._db.execute(
            "UPDATE jobs SET checkpoint = ?, checkpoint_at = ? WHERE id = ?",
            (_json(change.value), change.at, change.job.id),
        )
        self._tell(_event("job.checkpoint", change.job, change.worker_id, named=False), keys.EVENTS)

    def completed(self, change: c.Completed) -> None:
        self._db.execute(
            "UPDATE jobs SET status = 'complete', completed_at = ?, duration_ms = ?, result = ?, progress = 1 WHERE id = ?",
            (change.at, change.duration_ms, _json(change.result), change.job.id),
        )
        more: dict[str, Any] = {
            "attempt": change.attempt,
            "duration_ms": change.duration_ms,
            "completed_at": iso(change.at),
        }
        self._tell(_event("job.completed", change.job, change.worker_id, **more), keys.EVENTS)
        self._moved()

    def failed(self, change: c.Failed) -> None:
        self._db.execute(
            "UPDATE jobs SET status = 'failed', completed_at = ?, duration_ms = ?, error = ?, attempts = ? WHERE id = ?",
            (change.at, change.duration_ms, change.error, change.attempt, change.job.id),
        )
        self._tell(
            _event(
                "job.failed",
                change.job,
                change.worker_id,
                attempt=change.attempt,
                max_retries=change.job.max_retries,
                error=change.error,
                failed_at=iso(change.at),
            ),
            keys.EVENTS,
        )
        self._moved()

    def retrying(self, change: c.Retrying) -> None:
        self._db.execute(
            "UPDATE jobs SET status = 'retrying', scheduled_at = ?, error = ? WHERE id = ?",
            (change.next_at, change.error, change.job.id),
        )
        more: dict[str, Any] = {
            "error": change.error,
            "current_attempt": change.attempt,
            "next_attempt": change.attempt + 1,
        }
        self._tell(_event("job.retrying", change.job, change.worker_id, **more), keys.EVENTS)
        self._count_reason(change.job.function, "retrying")
        self._moved()

    def requeued(self, change: c.Requeued) -> None:
        self._db.execute("UPDATE jobs SET requeued_at = ? WHERE id = ?", (change.at, change.job.id))

    def cancelled(self, change: c.Cancelled) -> None:
        self._db.execute(
            "UPDATE jobs SET status = 'cancelled', completed_at = ?2, error = 'Cancelled via API', requeued_at = NULL,"
            # A job cancelled before it ran enters the lists now, so now is when it was created there.
            " created_at = CASE WHEN status = 'queued' THEN ?2 ELSE created_at END WHERE id = ?1",
            (change.job.id, change.at),
        )
        more: dict[str, Any] = {"attempt": change.attempt, "cancelled_at": iso(change.at)}
        self._tell(_event("job.cancelled", change.job, change.worker_id, **more), keys.EVENTS)
        self._count_reason(change.job.function, "cancelled")
        self._moved()

    def function_seen(self, change: c.FunctionSeen) -> None:
        self._db.execute(
            "INSERT INTO functions (key, name, job_type, definition) VALUES (?,?,?,?) ON CONFLICT DO UPDATE SET"
            " name = excluded.name, job_type = excluded.job_type, definition = excluded.definition",
            (change.key, change.name, change.job_type, _json(dict(change.definition))),
        )

    def function_paused(self, change: c.FunctionPaused) -> None:
        self._db.execute("UPDATE functions SET paused = ? WHERE key = ?", (change.paused, change.key))

    def not_dispatched(self, change: c.NotDispatched) -> None:
        self._count_reason(change.key, change.reason)

    def _count_reason(self, key: str, reason: str) -> None:
        self._db.execute("INSERT INTO dispatch_reasons VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1", (key, reason))

    def worker_seen(self, change: c.WorkerSeen) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO workers VALUES (?,?,?,?,?,?,?,?,?,?)",
            (
                *(change.id, change.worker_name, change.started_at, change.at, _json(dict(change.functions))),
                *(change.concurrency, change.active_jobs, change.jobs_processed, change.jobs_failed, change.hostname),
            ),
        )
        self.touched.add(keys.WORKERS)

    def worker_gone(self, change: c.WorkerGone) -> None:
        self._db.execute("DELETE FROM workers WHERE id = ?", (change.id,))
        self.touched.add(keys.WORKERS)

    def api_seen(self, change: c.ApiSeen) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO api_instances VALUES (?,?,?,?,?,?,?,?)",
            (
                *(change.id, change.api_name, change.started_at, change.at, change.host, change.port),
                *(_json(list(change.endpoints)), change.hostname),
            ),
        )
        self.touched |= {keys.APIS, keys.api(change.api_name)}

    def requested(self, change: c.Requested) -> None:
        self._db.execute(
            "INSERT INTO requests (id, at, api_name, method, path, status, latency_ms, instance_id) VALUES (?,?,?,?,?,?,?,?)",
            (
                *(change.id, change.at, change.api_name, change.method, change.path, change.status),
                *(change.latency_ms, change.instance_id),
            ),
        )
        at = iso(change.at)
        request = {
            "id": change.id,
            "at": at,
            "api_name": change.api_name,
            "method": change.method,
            "path": change.path,
            "status": change.status,
            "latency_ms": change.latency_ms,
            "instance_id": change.instance_id,
            "sampled": False,
        }
        event = {"type": "api.request", "at": at, "request": request}
        self._tell(event, keys.API_REQUESTS, keys.api_requests(change.api_name))
        self.touched |= {keys.APIS, APIS_TRENDS, keys.api(change.api_name)}

    def artifact_added(self, change: c.ArtifactAdded) -> None:
        digest = hashlib.sha256(change.content).hexdigest()
        self._db.execute(
            "INSERT INTO artifacts VALUES (?,?,?,?,?,?,?,?,?)",
            (
                *(change.id, change.job_id, change.name, change.type, change.content_type),
                *(len(change.content), digest, change.at, change.content),
            ),
        )
        self._artifact_event("artifact.created", change.id, change.job_id, change.at)

    def artifact_removed(self, change: c.ArtifactRemoved) -> None:
        self._artifact_event("artifact.deleted", change.id, change.job_id, change.at)
        self._db.execute("DELETE FROM artifacts WHERE id = ?", (change.id,))

    def _artifact_event(self, kind: str, artifact_id: str, job_id: str, at: int) -> None:
        event = {
            "type": kind,
            "at": iso(at),
            "job_id": job_id,
            "artifact_id": artifact_id,
            "pending_id": None,
            "artifact": artifacts.one(self._db, artifact_id),
        }
        self._tell(event, keys.artifacts(job_id))


_ACTIONS: dict[type[Any], Callable[[Batch, Any], None]] = {
    c.Queued: Batch.queued,
    c.Started: Batch.started,
    c.Progressed: Batch.progressed,
    c.Checkpointed: Batch.checkpointed,
    c.Completed: Batch.completed,
    c.Failed: Batch.failed,
    c.Retrying: Batch.retrying,
    c.Requeued: Batch.requeued,
    c.Cancelled: Batch.cancelled,
    c.FunctionSeen: Batch.function_seen,
    c.FunctionPaused: Batch.function_paused,
    c.NotDispatched: Batch.not_dispatched,
    c.WorkerSeen: Batch.worker_seen,
    c.WorkerGone: Batch.worker_gone,
    c.ApiSeen: Batch.api_seen,
    c.Requested: Batch.requested,
    c.ArtifactAdded: Batch.artifact_added,
    c.ArtifactRemoved: Batch.artifact_removed,
}


def position(connection: sqlite3.Connection, key: str) -> int:
    """The last sequence of a stream key; 0 before its first event."""
    row = connection.execute("SELECT sequence FROM positions WHERE key = ?", (key,)).fetchone()
    return 0 if row is None else int(row[0])


def raise_position(connection: sqlite3.Connection, key: str, by: int = 1) -> int:
    """Raise a key's sequence and return the new one."""
    row = connection.execute(
        "INSERT INTO positions VALUES (?, ?) ON CONFLICT DO UPDATE SET sequence = sequence + excluded.sequence RETURNING sequence",
        (key, by),
    ).fetchone()
    return int(row[0])


def forget_positions(connection: sqlite3.Connection) -> None:
    """Every sequence begins anew: a new epoch."""
    connection.execute("DELETE FROM positions")


def apply(connection: sqlite3.Connection, batch: Iterable[c.Change]) -> Written:
    """Apply changes in order. Any error leaves nothing of the batch."""
    work = Batch(connection)
    for change in batch:
        _ACTIONS[type(change)](work, change)
    return work.finish()
