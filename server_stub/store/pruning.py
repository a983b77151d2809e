"""Old rows go, in small steps and with a bound, so that a busy server's file stays bounded (trends are roll-ups)."""

import sqlite3

from server_stub.moments import DAY, HOUR, MINUTE

MAX_JOBS = 200_000
MAX_REQUESTS = 200_000
MAX_AGE = 8 * DAY
STEP = 5_000
"""Rows per table and step: a step stays under some 50 ms, so that a writer behind it hardly waits."""


def step(connection: sqlite3.Connection, now: int) -> int:
    """Delete at most ``STEP`` rows of each table; return how many went. Jobs that are not finished stay."""
    gone = 0
    jobs = int(connection.execute("SELECT count(*) FROM jobs").fetchone()[0])
    if jobs:
        over = min(STEP, max(0, jobs - MAX_JOBS))
        gone += connection.execute(
            "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE status IN ('complete', 'failed', 'cancelled')"
            " AND requeued_at IS NULL ORDER BY created_at LIMIT ?)",
            (over,),
        ).rowcount
        gone += connection.execute(
            "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE created_at < ? AND"
            " status IN ('complete', 'failed', 'cancelled') ORDER BY created_at LIMIT ?)",
            (now - MAX_AGE, STEP),
        ).rowcount
    last = connection.execute("SELECT max(number) FROM requests").fetchone()[0]
    if last is not None:
        gone += connection.execute(
            "DELETE FROM requests WHERE number IN (SELECT number FROM requests WHERE number <= ? OR at < ? ORDER BY number LIMIT ?)",
            (last - MAX_REQUESTS, now - MAX_AGE, STEP),
        ).rowcount
    connection.execute("DELETE FROM job_hours WHERE hour < ?", ((now - MAX_AGE) // HOUR,))
    connection.execute("DELETE FROM api_minutes WHERE minute < ?", ((now - MAX_AGE) // MINUTE,))
    if gone:
        connection.execute("DELETE FROM artifacts WHERE job_id NOT IN (SELECT id FROM jobs)")
    return gone
