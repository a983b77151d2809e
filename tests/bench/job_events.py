"""The events of the benchmarks and what they make of the jobs; no package besides the standard library, so that Pyodide reads it too.

A job is started, makes progress three times and ends; about 40 are under way at any moment, one in 25 fails.
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

LIMIT = 50
UNDER_WAY = 40
STEPS = (0.25, 0.5, 0.75)
HEARTBEAT_S = 5.0
EPOCH = "bench"
FUNCTIONS = ("orders.capture_payment", "mail.send_receipt", "search.reindex", "media.make_thumbnail", "reports.build_daily")


@dataclass(slots=True)
class Job:
    """One job as its events left it."""

    id: str
    function: str
    worker_id: str
    started_at: str
    status: str = "active"
    progress: float = 0.0
    duration_ms: float | None = None
    error: str | None = None
    completed_at: str | None = None

    def wire(self) -> dict[str, Any]:
        """As `GET /jobs` says it."""
        name = self.function.rpartition(".")[2]
        rest = {"job_key": self.id, "function_name": name, "created_at": self.started_at, "root_id": self.id, "attempts": 1}
        return {**asdict(self), **rest, "max_retries": 3, "kwargs": {}, "job_type": "task"}


def make_events(count: int, rate: float = 2_000) -> list[dict[str, Any]]:
    """`count` events of ever new jobs, in their order, their times as if `rate` came in a second."""
    dice = random.Random(7)
    began = datetime.now(UTC)
    running: list[tuple[dict[str, Any], int]] = []  # what names the job, and how many steps it has made
    events: list[dict[str, Any]] = []
    made = 0
    while len(events) < count:
        at = (began + timedelta(seconds=len(events) / rate)).isoformat(timespec="microseconds").replace("+00:00", "Z")
        if len(running) < UNDER_WAY:
            made += 1
            function = dice.choice(FUNCTIONS)
            job = {"job_id": f"job-{made:06d}", "root_id": f"job-{made:06d}", "worker_id": f"worker-{dice.randint(1, 6)}"}
            named = {"function": function, "function_name": function.rpartition(".")[2]}
            running.append(({**job, **named}, 0))
            events.append({"type": "job.started", **job, **named, "attempt": 1, "max_retries": 3, "started_at": at})
            continue
        index = dice.randrange(len(running))
        job, done = running[index]
        if done < len(STEPS):
            running[index] = (job, done + 1)
            plain = {name: job[name] for name in ("job_id", "root_id", "worker_id")}
            events.append({"type": "job.progress", **plain, "progress": STEPS[done], "message": f"step {done + 1} of 4"})
        else:
            running.pop(index)
            if dice.random() < 0.04:
                end = {"type": "job.failed", **job, "attempt": 1, "max_retries": 3, "error": "Timed out after 30 s", "failed_at": at}
            else:
                took = round(dice.uniform(20, 4_000), 1)
                end = {"type": "job.completed", **job, "attempt": 1, "duration_ms": took, "completed_at": at}
            events.append(end)
    return events


class Jobs:
    """What the events did, worked out here without any code of the application, to be compared with what a page shows."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def apply(self, event: dict[str, Any]) -> None:
        """One more event."""
        match event["type"]:
            case "job.started":
                self._jobs[event["job_id"]] = Job(event["job_id"], event["function"], event["worker_id"], event["started_at"])
            case "job.progress":
                self._jobs[event["job_id"]].progress = event["progress"]
            case "job.completed":
                job = self._jobs[event["job_id"]]
                job.status, job.duration_ms, job.progress = "complete", event["duration_ms"], 1.0
                job.completed_at = event["completed_at"]
            case _:
                job = self._jobs[event["job_id"]]
                job.status, job.error, job.completed_at = "failed", event["error"], event["failed_at"]

    def newest(self) -> list[Job]:
        """The rows of the table."""
        return list(self._jobs.values())[: -LIMIT - 1 : -1]

    def every(self) -> list[Job]:
        """All of them, the oldest first."""
        return list(self._jobs.values())

    def __len__(self) -> int:
        return len(self._jobs)
