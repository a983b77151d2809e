"""Recorded answers and streams as rows and changes.

Answers are history: shifted so that their newest moment is now. Frames are played as new: shifted so that the first is
now, with ids of their own (``…-again``), because the answers already hold how the recorded jobs ended.
"""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pyapp.contract import events as e
from pyapp.contract.apis import ApisPage, RequestsPage
from pyapp.contract.artifacts import ArtifactsPage
from pyapp.contract.base import WireModel
from pyapp.contract.functions import Function, FunctionsPage
from pyapp.contract.jobs import Job, JobsPage
from pyapp.contract.workers import WorkersPage
from server_stub import changes as c
from server_stub.moments import from_datetime, from_iso

_TIME = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^"]*)"')
_EVENT: TypeAdapter[e.JobEvent | e.ApiRequest] = TypeAdapter(e.JobEvent | e.ApiRequest)
_DEFINITION = {"timeout", "max_retries", "retry_delay", "schedule", "missed_run_policy", "pattern"}


def _moment(value: datetime | None, shift: int) -> int | None:
    return None if value is None else from_datetime(value) + shift


class Recording:
    """One folder of recordings."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest(self) -> int:
        """The newest moment of any answer; 0 when none has one."""
        newest = 0
        for path in self._folder.glob("*.json"):
            if path.stem != "openapi":
                newest = max([newest, *(from_iso(text) for text in _TIME.findall(path.read_text())[:2000])])
        return newest

    def _pages(self, pattern: str, model: type[WireModel]) -> Iterator[Any]:
        for path in sorted(self._folder.glob(pattern)):
            try:
                yield model.model_validate_json(path.read_bytes())
            except ValidationError:
                continue  # the recorded errors have names like the answers'

    def jobs(self) -> dict[str, Job]:
        """Every job of every answer; of the same job the one that got furthest."""
        found: dict[str, Job] = {}
        pages = [*self._pages("jobs.list*.json", JobsPage), *self._pages("job.timeline.json", JobsPage)]
        singles = list(self._pages("job_*.json", Job))
        for job in [*(job for page in pages for job in page.jobs), *singles]:
            before = found.get(job.id)
            if before is None or (job.attempts, job.completed_at is not None) > (
                before.attempts,
                before.completed_at is not None,
            ):
                found[job.id] = job
        return found

    def world(self, shift: int, now: int) -> list[c.Change]:
        """Functions, workers, APIs and requests. Workers and APIs live: their heartbeat is ``now``."""
        changes: list[c.Change] = []
        for page in self._pages("functions.list*.json", FunctionsPage):
            changes += [_function(each) for each in page.functions]
        for page in self._pages("workers.list.json", WorkersPage):
            for worker in page.workers:
                changes += [
                    c.WorkerSeen(
                        *(each.id, each.worker_name, from_datetime(each.started_at) + shift, now),
                        *(dict(each.function_names), each.concurrency, 0, each.jobs_processed, each.jobs_failed),
                        each.hostname,
                    )
                    for each in worker.instances
                ]
        for page in self._pages("apis.list.json", ApisPage):
            for api in page.apis:
                changes += [
                    c.ApiSeen(
                        *(each.id, api.name, from_datetime(each.started_at) + shift, now),
                        *(each.host or "", each.port or 0, each.endpoints, each.hostname),
                    )
                    for each in api.instances
                ]
        return changes

    def past(self, shift: int) -> list[c.Change]:
        """Recorded requests and artifacts."""
        requests = {each.id: each for page in self._pages("apis.events*.json", RequestsPage) for each in page.events}
        changes: list[c.Change] = [
            _request(e.ApiRequest(at=each.at, request=each), from_datetime(each.at) + shift)
            for each in sorted(requests.values(), key=lambda each: each.at)
        ]
        for page in self._pages("artifacts.list.json", ArtifactsPage):
            for each in page.artifacts:
                files = sorted(self._folder.glob(f"artifact.{each.name}.content.*"))
                content = files[0].read_bytes() if files else b""
                changes.append(
                    c.ArtifactAdded(
                        *(each.id, each.job_id, from_datetime(each.created_at) + shift, each.name, each.type),
                        *(each.content_type or "application/octet-stream", content),
                    )
                )
        return changes

    def frames(self, jobs: dict[str, Job]) -> list[tuple[int, list[c.Change]]]:
        """(recorded moment, changes) of every frame of the job and request streams, in order."""
        played: list[tuple[int, list[c.Change]]] = []
        for name in ("events.stream.sse", "apis.events.stream.sse"):
            known: dict[str, c.JobRef] = {}
            at = 0
            for event in _events(self._folder / name):
                at = max(at, _time_of(event) or at)
                changes = _played(event, at, known, jobs)
                if at and changes:
                    played.append((at, changes))
        return sorted(played, key=lambda each: each[0])


def insert_jobs(connection: sqlite3.Connection, jobs: list[Job], shift: int) -> None:
    """Write recorded jobs as they are, with their times shifted."""
    for job in jobs:
        fields: dict[str, Any] = job.model_dump(exclude={"source", "kwargs", "result", "checkpoint", "message"})
        for name, value in fields.items():
            if isinstance(value, datetime):
                fields[name] = _moment(value, shift)
        fields["created_at"] = fields["created_at"] or shift
        fields["kwargs"], fields["result"], fields["checkpoint"] = (
            None if value is None else json.dumps(value) for value in (job.kwargs, job.result, job.checkpoint)
        )
        fields["source"] = "{}" if job.source is None else job.source.model_dump_json(exclude_none=True)
        columns = ", ".join(fields)
        marks = ", ".join(f":{name}" for name in fields)
        connection.execute(f"INSERT OR REPLACE INTO jobs ({columns}) VALUES ({marks})", fields)


def moved(change: c.Change, shift: int) -> c.Change:
    """A change with its time shifted."""
    at: int | None = getattr(change, "at", None)
    return change if at is None else replace(change, at=at + shift)  # pyright: ignore[reportCallIssue, reportArgumentType]


def _function(function: Function) -> c.FunctionSeen:
    definition = function.model_dump(mode="json", include=_DEFINITION)
    return c.FunctionSeen(function.key, function.name, function.type, definition)


def _request(event: e.ApiRequest, at: int, suffix: str = "") -> c.Requested:
    each = event.request
    return c.Requested(*(each.id + suffix, at, each.api_name, each.method, each.path, each.status, each.latency_ms, each.instance_id))


def _events(path: Path) -> Iterator[e.JobEvent | e.ApiRequest]:
    if not path.is_file():
        return
    for line in path.read_text().splitlines():
        if line.startswith("data: {"):
            try:
                yield _EVENT.validate_json(line[6:])
            except ValidationError:
                continue  # ``event: error`` and its like


def _time_of(event: e.JobEvent | e.ApiRequest) -> int | None:
    """The event's own moment; progress, checkpoint and retrying have none and happen when the one before them did."""
    for name in ("started_at", "completed_at", "failed_at", "cancelled_at", "at"):
        value: datetime | None = getattr(event, name, None)
        if value is not None:
            return from_datetime(value)
    return None


def _played(event: e.JobEvent | e.ApiRequest, at: int, known: dict[str, c.JobRef], jobs: dict[str, Job]) -> list[c.Change]:
    """The changes of a frame; none for a job that was running before the recording began."""
    if isinstance(event, e.ApiRequest):
        return [_request(event, at, "-again")]
    worker = event.worker_id or "worker"
    changes: list[c.Change] = []
    if isinstance(event, e.JobStarted) and event.job_id not in known:
        parent = None if event.parent_id is None else f"{event.parent_id}-again"
        ref = c.JobRef(
            *(f"{event.job_id}-again", event.function, event.function_name, f"{event.root_id}-again", parent),
            event.max_retries,
        )
        known[event.job_id] = ref
        recorded = jobs.get(event.job_id)
        kwargs = {} if recorded is None else recorded.kwargs
        changes.append(c.Queued(ref, at, kwargs, (recorded.job_type if recorded is not None else None) or "task"))
    ref = known.get(event.job_id)
    if ref is None:
        return []
    make = _MAKERS.get(type(event))
    if make is not None:
        changes.append(make(event, ref, at, worker))
    return changes


_MAKERS: dict[type[Any], Callable[[Any, c.JobRef, int, str], c.Change]] = {
    e.JobStarted: lambda event, ref, at, worker: c.Started(ref, at, worker, event.attempt),
    e.JobProgress: lambda event, ref, at, worker: c.Progressed(ref, at, worker, event.progress, event.message),
    e.JobCheckpoint: lambda _, ref, at, worker: c.Checkpointed(ref, at, worker, None),
    e.JobCompleted: lambda event, ref, at, worker: c.Completed(ref, at, worker, event.attempt, event.duration_ms or 0.0),
    e.JobFailed: lambda event, ref, at, worker: c.Failed(ref, at, worker, event.attempt, event.error),
    e.JobRetrying: lambda event, ref, at, worker: c.Retrying(ref, at, worker, event.current_attempt, event.error, at),
    e.JobCancelled: lambda event, ref, at, worker: c.Cancelled(ref, at, worker, event.attempt),
}
