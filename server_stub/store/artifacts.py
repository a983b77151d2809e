"""Artifacts of jobs."""

import sqlite3
from typing import Any

from server_stub.moments import iso

_COLUMNS = "id, job_id, name, type, content_type, size_bytes, sha256, created_at"


def _artifact(row: sqlite3.Row) -> dict[str, Any]:
    fields: dict[str, Any] = dict(zip(row.keys(), row, strict=True))
    fields["created_at"] = iso(fields["created_at"])
    key = f"jobs/{fields['job_id']}/{fields['id']}"
    return {**fields, "storage_backend": "database", "storage_key": key, "status": "available", "error": None}


def one(connection: sqlite3.Connection, artifact_id: str) -> dict[str, Any] | None:
    """An artifact without its content."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM artifacts WHERE id = ?", (artifact_id,)).fetchone()
    return None if row is None else _artifact(row)


def of_job(connection: sqlite3.Connection, job_id: str) -> dict[str, Any]:
    """``{artifacts, total}`` of a job, newest first; of an unknown job: none."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM artifacts WHERE job_id = ? ORDER BY created_at DESC, id DESC", (job_id,)
    ).fetchall()
    return {"artifacts": [_artifact(row) for row in rows], "total": len(rows)}


def content(connection: sqlite3.Connection, artifact_id: str) -> tuple[str, str, bytes] | None:
    """(name, content type, bytes) of an artifact."""
    row = connection.execute("SELECT name, content_type, content FROM artifacts WHERE id = ?", (artifact_id,)).fetchone()
    return None if row is None else (row["name"], row["content_type"], row["content"])
