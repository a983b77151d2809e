"""The simulator's world and the last 24 hours of it, from a seed: the same seed and origin give the same rows."""

import json
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyapp.contract.jobs import JobType
from server_stub.changes import ApiSeen, FunctionSeen, WorkerSeen
from server_stub.moments import DAY, SECOND
from server_stub.store import schema

from . import sim_content

ERRORS = (
    "ConnectionError: connection to 10.2.0.14:5432 timed out after 5 s",
    "ValueError: row 118 has 7 columns, 8 were expected",
    "TimeoutError: no answer within 30 s",
    "HTTPError: 502 Bad Gateway from payments.internal",
)


ARTIFACTS_OF = 60
"""So many of the newest jobs that leave artifacts have theirs: making them all would hold up every start."""


@dataclass(frozen=True, slots=True)
class SimFunction:
    """A function: ``weight`` is how often it runs, ``mean_s`` how long, ``failing`` the share of attempts that fail."""

    name: str
    job_type: JobType
    weight: float
    mean_s: float
    failing: float
    max_retries: int
    children: int = 0
    every_s: int | None = None
    pattern: str | None = None

    @property
    def key(self) -> str:
        """The function's key on the wire."""
        return f"{self.job_type}_{self.name}_{sum(self.name.encode()):08x}"

    def source(self) -> dict[str, Any]:
        """What causes its jobs."""
        if self.job_type == "cron":
            return {"type": "cron", "schedule": f"*/{self.every_s} * * * * *"}
        if self.job_type == "event":
            return {"type": "event", "event_pattern": self.pattern, "event_handler_name": self.name}
        return {"type": "task"}

    def seen(self) -> FunctionSeen:
        """The function as a change."""
        definition: dict[str, Any] = {"timeout": 300.0, "max_retries": self.max_retries, "retry_delay": 1.0}
        if self.every_s is not None:
            definition |= {"schedule": f"*/{self.every_s} * * * * *", "every_s": self.every_s}
            definition["missed_run_policy"] = "latest_only"
        if self.pattern is not None:
            definition["pattern"] = self.pattern
        return FunctionSeen(self.key, self.name, self.job_type, definition)


FUNCTIONS = (
    SimFunction("send_receipt", "task", 30, 0.4, 0.01, 2),
    SimFunction("resize_image", "task", 20, 1.2, 0.02, 1),
    SimFunction("sync_inventory", "cron", 8, 2.5, 0.03, 1, every_s=30),
    SimFunction("settle_payments", "task", 10, 3.0, 0.12, 3),
    SimFunction("order_placed", "event", 18, 0.2, 0.0, 0, pattern="order.placed"),
    SimFunction("nightly_report", "task", 3, 8.0, 0.05, 0, children=3),
    SimFunction("render_section", "task", 0, 2.0, 0.01, 1),
    SimFunction("import_catalog", "task", 4, 12.0, 0.25, 1),
    SimFunction("purge_sessions", "cron", 4, 0.3, 0.0, 0, every_s=60),
)
BY_KEY = {function.key: function for function in FUNCTIONS}
CHILD = next(function for function in FUNCTIONS if function.name == "render_section")
RUNNABLE = tuple(function for function in FUNCTIONS if function.weight > 0)
WORKERS = (("worker_sim_a1", "general"), ("worker_sim_a2", "general"), ("worker_sim_b1", "heavy"))
CONCURRENCY = 8

ENDPOINTS = (
    ("shop-api", "GET", "/products", 20, 12.0, 0.0, 0.0),
    ("shop-api", "GET", "/products/{product_id}", 30, 8.0, 0.06, 0.0),
    ("shop-api", "POST", "/cart/items", 12, 25.0, 0.03, 0.01),
    ("shop-api", "POST", "/orders", 8, 60.0, 0.02, 0.02),
    ("shop-api", "DELETE", "/cart/items/{item_id}", 3, 15.0, 0.05, 0.0),
    ("admin-api", "GET", "/reports", 5, 140.0, 0.0, 0.04),
    ("admin-api", "GET", "/users/{user_id}", 9, 18.0, 0.08, 0.0),
    ("admin-api", "PUT", "/users/{user_id}", 3, 30.0, 0.04, 0.01),
)
"""(API, method, path, weight, mean latency in ms, share of 4xx, share of 5xx)."""
INSTANCES = {"shop-api": "api_sim_shop", "admin-api": "api_sim_admin"}


def job_id(rng: random.Random) -> str:
    """A new id."""
    return f"job_{rng.getrandbits(64):016x}"


def request(rng: random.Random) -> tuple[str, str, str, str, int, float, str]:
    """(id, API, method, path, status, latency in ms, instance) of one request."""
    api, method, path, _, mean_ms, bad, broken = rng.choices(ENDPOINTS, [each[3] for each in ENDPOINTS])[0]
    dice = rng.random()
    status = 500 if dice < broken else 404 if dice < broken + bad else 201 if method == "POST" else 200
    latency_ms = round(rng.lognormvariate(0, 0.5) * mean_ms, 2)
    return f"{rng.getrandbits(128):032x}", api, method, path, status, latency_ms, INSTANCES[api]


def workers(at: int, started_at: int, active: list[int], done: list[int], failed: list[int]) -> list[WorkerSeen]:
    """Every worker instance with its figures."""
    names = {function.key: function.name for function in FUNCTIONS}
    return [
        WorkerSeen(
            *(worker_id, name, started_at, at, names, CONCURRENCY, active[number], done[number], failed[number]),
            hostname=f"host-{worker_id[-2:]}",
        )
        for number, (worker_id, name) in enumerate(WORKERS)
    ]


def apis(at: int, started_at: int) -> list[ApiSeen]:
    """Every API instance."""
    return [
        ApiSeen(
            *(instance, name, started_at, at, "10.2.0.7", 8000 + number),
            tuple(f"{method}:{path}" for api, method, path, *_ in ENDPOINTS if api == name),
            hostname=f"host-{name}",
        )
        for number, (name, instance) in enumerate(INSTANCES.items())
    ]


def _job_rows(rng: random.Random, origin: int, rows: int) -> Iterator[tuple[object, ...]]:
    """Finished jobs, spread over the day before ``origin``."""
    weights = [function.weight for function in RUNNABLE]
    made = 0
    while made < rows:
        function = rng.choices(RUNNABLE, weights)[0]
        # Up to the origin: whatever is newer comes from the timeline.
        at = origin - int(rng.random() * DAY) - 60 * SECOND
        root = job_id(rng)
        yield _job_row(rng, function, root, root, None, at)
        made += 1
        for _ in range(function.children):
            yield _job_row(rng, CHILD, job_id(rng), root, root, at + int(rng.random() * SECOND))
            made += 1


def _job_row(rng: random.Random, function: SimFunction, own_id: str, root: str, parent: str | None, at: int) -> tuple[object, ...]:
    wait_us = int(rng.expovariate(1 / 40_000))
    duration_ms = round(rng.lognormvariate(-0.1, 0.45) * function.mean_s * 1000, 3)
    attempts = 1
    while rng.random() < function.failing and attempts <= function.max_retries + 1:
        attempts += 1
    failed = attempts > function.max_retries + 1
    attempts = min(attempts, function.max_retries + 1)
    status = "failed" if failed else "cancelled" if rng.random() < 0.004 else "complete"
    worker = rng.choice(WORKERS)[0]
    started = at + (attempts - 1) * 2 * SECOND
    source = function.source()
    error = "Cancelled via API" if status == "cancelled" else None
    if failed:
        error = sim_content.traceback(function.name, own_id, rng.choice(ERRORS))
    kept = sim_content.checkpoint(own_id)
    ended = started + int(duration_ms * 1000)
    result = json.dumps({"items": rng.randrange(1, 500)}) if status == "complete" else None
    progress = 1.0 if status == "complete" else round(rng.random(), 2)
    return (
        *(own_id, own_id, function.key, function.name, status, at, at - wait_us, started),
        *(ended, attempts, function.max_retries, 300.0, worker, parent, root, progress),
        *(json.dumps(sim_content.arguments(function.name, own_id, rng.randrange(1000))), function.job_type, json.dumps(source)),
        *(wait_us / 1000, result, error, duration_ms),
        *((None, None) if kept is None else (json.dumps(kept), ended - int(duration_ms * 200))),
    )


def write(connection: sqlite3.Connection, seed: int, origin: int, rows: int) -> None:
    """Fill an empty store with ``rows`` jobs and requests of the day before ``origin``. Roll-ups are made once, at the end."""
    rng = random.Random(f"history {seed}")
    for trigger in ("job_added", "job_moved", "request_added"):
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.executemany(
        "INSERT INTO jobs (id, job_key, function, function_name, status, created_at, scheduled_at, started_at,"
        " completed_at, attempts, max_retries, timeout, worker_id, parent_id, root_id, progress, kwargs, job_type,"
        " source, queue_wait_ms, result, error, duration_ms, checkpoint, checkpoint_at) VALUES (" + ",".join("?" * 25) + ")",
        _job_rows(rng, origin, rows),
    )
    left = connection.execute(
        "SELECT function_name, id, completed_at FROM jobs WHERE status = 'complete' AND function_name IN (?, ?)"
        " ORDER BY created_at DESC, id LIMIT ?",
        (*sim_content.LEAVING, ARTIFACTS_OF),
    ).fetchall()
    connection.executemany(
        "INSERT INTO artifacts (id, job_id, name, type, content_type, size_bytes, sha256, created_at, content)"
        " VALUES (?,?,?,?,?,?,?,?,?)",
        (row for name, job, at in left for row in sim_content.rows(name, job, at)),
    )
    moments = sorted(origin - int(rng.random() * DAY) - SECOND for _ in range(rows))
    requests = (request(rng) for _ in moments)
    connection.executemany(
        "INSERT INTO requests (id, at, api_name, method, path, status, latency_ms, instance_id) VALUES (?,?,?,?,?,?,?,?)",
        ((each[0], at, *each[1:]) for at, each in zip(moments, requests, strict=True)),
    )
    for statement in schema.ROLL_UP_ALL.split(";"):
        connection.execute(statement)
    for statement in schema.TRIGGERS.split("END;"):
        if statement.strip():
            connection.execute(statement + "END")
