"""What a previous run of the server left behind, and what becomes of it."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server_stub.changes import Failed, JobRef
from server_stub.store import rows

INTERRUPTED = "Interrupted: the server stopped while this job ran."
LOST = "Lost: the queue no longer has this job."


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """Open jobs, paused functions, and workers of a process that is gone."""

    jobs: list[dict[str, Any]]
    paused: list[str]
    workers: list[str]


def left_behind(connection: sqlite3.Connection) -> LeftBehind:
    """Read it from the store."""
    jobs = connection.execute(
        f"SELECT {rows.JOB_COLUMNS} FROM jobs WHERE status IN ('queued', 'active', 'retrying')"
        " OR requeued_at IS NOT NULL ORDER BY created_at, id"
    ).fetchall()
    paused = connection.execute("SELECT key FROM functions WHERE paused").fetchall()
    workers = connection.execute("SELECT id FROM workers").fetchall()
    return LeftBehind([rows.job(row) for row in jobs], [row[0] for row in paused], [row[0] for row in workers])


def waiting_ids(huey: Any) -> set[str]:
    """The jobs that huey still has, to run now or later."""
    return {str(task.id) for task in [*huey.pending(), *huey.scheduled()]}


def ref_of(job: Mapping[str, Any]) -> JobRef:
    """The ``JobRef`` of a job as the wire has it."""
    return JobRef(*(job["id"], job["function"], job["function_name"], job["root_id"], job["parent_id"], job["max_retries"]))


def was_interrupted(job: Mapping[str, Any], waiting: set[str]) -> bool:
    """Whether a job cannot go on: it ran, or its next attempt was lost. One that never began is queued again."""
    if job["status"] == "active":
        return True
    return job["status"] == "retrying" and job["id"] not in waiting


def interrupted(job: Mapping[str, Any], at: int) -> Failed:
    """The honest end of such a job."""
    error = INTERRUPTED if job["status"] == "active" else LOST
    return Failed(ref_of(job), at, job["worker_id"], int(job["attempts"]), error)
