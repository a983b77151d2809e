"""The local source: dispatches jobs to the workers, records what they say, keeps the schedule.

| a job is | and goes to | when |
|---|---|---|
| held | queued | its function is resumed, or has a free place (``max_concurrency``) |
| queued | active | a worker says ``started`` |
| active | retrying, ended | the worker says so; a worker that is gone ends it as failed |
| retrying | active | huey's delay is over |
| any of these | ended | it is cancelled: at once before it runs, by its next progress call while it runs |
"""

import asyncio
import base64
import socket
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from server_stub import changes as c
from server_stub.figures import API_NAME, INSTANCE_ID
from server_stub.journal import Journal
from server_stub.moments import SECOND, now_us
from server_stub.settings import Settings
from server_stub.sources.base import UnknownFunctionError
from server_stub.store.database import Database

from . import recovery
from .channel import Message, WorkerChannels
from .processes import ConsumerProcess
from .queue import make_queue
from .registry import Function, by_key

WORKERS = 4
WORKER_NAME = "local"
LOST_WORKER = "The worker process ended while this job ran (killed or crashed)."


@dataclass(slots=True)
class OpenJob:
    """A job that has not ended."""

    ref: c.JobRef
    function: Function
    kwargs: dict[str, Any]
    attempt: int = 1
    retries: int = 0
    worker_id: str | None = None
    dispatched: bool = False


@dataclass(slots=True)
class WorkerState:
    """What is known of a worker process."""

    started_at: int
    processed: int = 0
    failed: int = 0
    active: set[str] = field(default_factory=set[str])


class LocalSource:
    """A source of real work."""

    def __init__(self, settings: Settings, database: Database, journal: Journal) -> None:
        self._settings = settings
        self._database = database
        self._journal = journal
        self._functions = by_key()
        self._by_name = {each.name: each for each in self._functions.values()}
        self._queue_path = settings.data / "queue.sqlite3"
        self._pool = ThreadPoolExecutor(1, "queue")
        self._huey: Any = None
        self._perform: Any = None
        self._jobs: dict[str, OpenJob] = {}
        self._cancelled: set[str] = set()
        self._paused: set[str] = set()
        self._workers: dict[str, WorkerState] = {}
        self._channels = WorkerChannels(self._hello, self._message, self._gone)
        self._consumer: ConsumerProcess | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._started_at = now_us()
        self._handlers = {
            "heartbeat": self._heartbeat,
            "started": self._started,
            "progress": self._progress,
            "checkpoint": self._checkpoint,
            "artifact": self._artifact,
            "spawn": self._spawn,
            "completed": self._completed,
            "failed": self._failed,
            "retrying": self._retrying,
            "cancelled": self._cancelled_by_worker,
        }

    async def start(self) -> None:
        """Take up what a previous run left, start the workers, begin the schedule."""
        loop = asyncio.get_running_loop()
        self._huey, self._perform = await loop.run_in_executor(self._pool, make_queue, self._queue_path)
        await self._journal.commit(*(each.seen() for each in self._functions.values()), self._api_seen())
        await self._recover()
        await self._channels.start()
        settings = self._settings
        host = settings.host if settings.host not in ("0.0.0.0", "::") else "127.0.0.1"
        self._consumer = ConsumerProcess(
            {
                "PENSTOCK_QUEUE": str(self._queue_path),
                "PENSTOCK_CHANNEL": str(self._channels.port),
                "PENSTOCK_SECRET": self._channels.secret,
                "PENSTOCK_HEARTBEAT_S": str(settings.times.worker_heartbeat_s),
                "PENSTOCK_WORKERS": str(WORKERS),
                "PENSTOCK_URL": f"http://{host}:{settings.port}",
                "PENSTOCK_DATA": str(settings.data),
            }
        )
        await loop.run_in_executor(None, self._consumer.start)
        self._go(self._beat())
        if settings.schedule:
            for function in self._functions.values():
                if function.every_s is not None:
                    self._go(self._keep_schedule(function, function.every_s))

    async def stop(self) -> None:
        """End the schedule and the workers. What was running is told as interrupted at the next start."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._channels.stop()
        if self._consumer is not None:
            await self._consumer.stop()
        self._journal.record(*(c.WorkerGone(worker_id) for worker_id in self._workers))
        self._pool.shutdown(wait=True)

    async def run(self, key: str, kwargs: Mapping[str, Any]) -> str:
        """Queue a job on request."""
        function = self._functions.get(key)
        if function is None:
            raise UnknownFunctionError(key)
        return await self._queue(function, dict(kwargs), f"job_{uuid.uuid4().hex[:16]}", {"type": "task"})

    async def cancel(self, job: Mapping[str, Any]) -> bool:
        """Cancel before it runs, or ask its worker to; a tree's open children go with it."""
        open_job = self._jobs.get(job["id"])
        if open_job is None:
            return False
        for child in [each for each in self._jobs.values() if each.ref.parent_id == open_job.ref.id]:
            await self._cancel(child)
        await self._cancel(open_job)
        return True

    async def retry(self, job: Mapping[str, Any]) -> bool:
        """Queue one more attempt of an ended job."""
        function = self._functions.get(job["function"])
        if function is None or job["id"] in self._jobs:
            return False
        ref = recovery.ref_of(job)
        self._cancelled.discard(ref.id)
        open_job = OpenJob(ref, function, dict(job["kwargs"]), int(job["attempts"]) + 1)
        self._jobs[ref.id] = open_job
        await self._journal.commit(c.Requeued(ref, now_us()))
        await self._dispatch(open_job)
        return True

    async def set_paused(self, key: str, paused: bool) -> None:
        """Hold back, or let go, what is not dispatched yet. What huey has already been given still runs."""
        await self._journal.commit(c.FunctionPaused(key, paused))
        if paused:
            self._paused.add(key)
        else:
            self._paused.discard(key)
            await self._dispatch_held(key)

    def _go(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _recover(self) -> None:
        """End what was interrupted, and take up what still waits."""
        loop = asyncio.get_running_loop()
        waiting = await loop.run_in_executor(self._pool, recovery.waiting_ids, self._huey)
        left = await self._database.read(recovery.left_behind)
        self._paused = set(left.paused)
        for job in left.jobs:
            function = self._functions.get(job["function"])
            if function is None or recovery.was_interrupted(job, waiting):
                await self._journal.commit(recovery.interrupted(job, now_us()))
                continue
            open_job = OpenJob(recovery.ref_of(job), function, dict(job["kwargs"]), int(job["attempts"]))
            open_job.dispatched = job["id"] in waiting
            open_job.retries = function.max_retries
            self._jobs[open_job.ref.id] = open_job
        await self._journal.commit(*(c.WorkerGone(worker_id) for worker_id in left.workers))
        for open_job in list(self._jobs.values()):
            if not open_job.dispatched:
                await self._dispatch(open_job)

    async def _queue(
        self, function: Function, kwargs: dict[str, Any], job_id: str, source: dict[str, Any], parent: OpenJob | None = None
    ) -> str:
        root, parent_id = (job_id, None) if parent is None else (parent.ref.root_id, parent.ref.id)
        ref = c.JobRef(job_id, function.key, function.name, root, parent_id, function.max_retries)
        open_job = OpenJob(ref, function, kwargs, retries=function.max_retries)
        self._jobs[job_id] = open_job
        job_type = "cron" if source["type"] == "cron" else "task"
        await self._journal.commit(c.Queued(ref, now_us(), kwargs, job_type, source))
        await self._dispatch(open_job)
        return job_id

    async def _dispatch(self, job: OpenJob) -> None:
        """Give a job to huey, unless its function is paused or full."""
        function = job.function
        if function.key in self._paused:
            await self._journal.commit(c.NotDispatched(function.key, "paused"))
            return
        limit = function.max_concurrency
        running = sum(1 for each in self._jobs.values() if each.dispatched and each.function is function)
        if limit is not None and running >= limit:
            await self._journal.commit(c.NotDispatched(function.key, "no_capacity"))
            return
        job.dispatched = True
        task: Any = self._perform.s(function.name, job.ref.id, job.attempt, job.retries, job.kwargs)
        task.id, task.retries, task.retry_delay = job.ref.id, job.retries, function.retry_delay_s
        await self._in_queue(self._huey.enqueue, task)

    async def _in_queue(self, action: Any, *arguments: Any) -> None:
        await asyncio.get_running_loop().run_in_executor(self._pool, action, *arguments)

    async def _dispatch_held(self, key: str) -> None:
        for job in [each for each in self._jobs.values() if each.function.key == key and not each.dispatched]:
            await self._dispatch(job)

    async def _cancel(self, job: OpenJob) -> None:
        if job.worker_id is not None and self._channels.tell(job.worker_id, "cancel", job=job.ref.id):
            return  # the worker says when it is done
        self._cancelled.add(job.ref.id)
        if job.dispatched:
            await self._in_queue(self._huey.revoke_by_id, job.ref.id, None, True)
        await self._journal.commit(c.Cancelled(job.ref, now_us(), None, job.attempt))
        self._end(job, "cancelled", None, "Cancelled via API")

    def _end(self, job: OpenJob, status: str, result: Any, error: str | None) -> None:
        """A job has ended: tell its parent, give its place to the next."""
        self._jobs.pop(job.ref.id, None)
        parent = self._jobs.get(job.ref.parent_id or "")
        if parent is not None and parent.worker_id is not None:
            self._channels.tell(parent.worker_id, "ended", job=job.ref.id, status=status, result=result, error=error)
        if not self._stopping:
            self._go(self._dispatch_held(job.function.key))

    def _hello(self, worker_id: str) -> None:
        self._workers[worker_id] = WorkerState(now_us())
        self._journal.record(self._worker_seen(worker_id, now_us()))

    def _gone(self, worker_id: str) -> None:
        state = self._workers.get(worker_id)
        if self._stopping or state is None:
            return
        for job_id in list(state.active):
            job = self._jobs.get(job_id)
            if job is not None:
                self._journal.record(c.Failed(job.ref, now_us(), worker_id, job.attempt, LOST_WORKER))
                self._end(job, "failed", None, LOST_WORKER)
        del self._workers[worker_id]

    def _message(self, worker_id: str, message: Message) -> None:
        kind = message["kind"]
        if kind == "heartbeat":
            self._heartbeat(worker_id, message)
            return
        job = self._jobs.get(message["job"])
        if job is None:
            if message["job"] in self._cancelled and kind == "started":
                self._channels.tell(worker_id, "cancel", job=message["job"])  # it was faster than the cancellation
            return
        self._handlers[kind](worker_id, message, job)

    def _heartbeat(self, worker_id: str, message: Message, job: OpenJob | None = None) -> None:
        self._journal.record(self._worker_seen(worker_id, message["at"]))

    def _worker_seen(self, worker_id: str, at: int) -> c.WorkerSeen:
        state = self._workers[worker_id]
        names = {each.key: each.name for each in self._functions.values()}
        return c.WorkerSeen(
            *(worker_id, WORKER_NAME, state.started_at, at, names, 1, len(state.active)),
            *(state.processed, state.failed, socket.gethostname()),
        )

    def _api_seen(self) -> c.ApiSeen:
        settings = self._settings
        return c.ApiSeen(
            *(INSTANCE_ID, API_NAME, self._started_at, now_us(), settings.host, settings.port, ()),
            hostname=socket.gethostname(),
        )

    def _started(self, worker_id: str, message: Message, job: OpenJob) -> None:
        job.worker_id, job.attempt = worker_id, message["attempt"]
        self._workers[worker_id].active.add(job.ref.id)
        self._journal.record(c.Started(job.ref, message["at"], worker_id, job.attempt), self._worker_seen(worker_id, message["at"]))

    def _progress(self, worker_id: str, message: Message, job: OpenJob) -> None:
        self._journal.record(c.Progressed(job.ref, message["at"], worker_id, message["progress"], message["message"]))

    def _checkpoint(self, worker_id: str, message: Message, job: OpenJob) -> None:
        self._journal.record(c.Checkpointed(job.ref, message["at"], worker_id, message["value"]))

    def _artifact(self, worker_id: str, message: Message, job: OpenJob) -> None:
        content = base64.b64decode(message["content"])
        self._journal.record(
            c.ArtifactAdded(
                *(str(uuid.uuid4()), job.ref.id, message["at"], message["name"], message["type"]),
                *(message["content_type"], content),
            )
        )

    def _spawn(self, worker_id: str, message: Message, job: OpenJob) -> None:
        function = self._by_name[message["function"]]
        self._go(self._spawned(function, message["kwargs"], message["child"], job))

    async def _spawned(self, function: Function, kwargs: dict[str, Any], child: str, parent: OpenJob) -> None:
        await self._queue(function, kwargs, child, {"type": "task"}, parent)

    def _over(self, worker_id: str, job: OpenJob, *, failed: bool) -> c.WorkerSeen:
        state = self._workers[worker_id]
        state.active.discard(job.ref.id)
        state.processed += not failed
        state.failed += failed
        job.worker_id = None
        return self._worker_seen(worker_id, now_us())

    def _completed(self, worker_id: str, message: Message, job: OpenJob) -> None:
        result = message["result"]
        done = c.Completed(job.ref, message["at"], worker_id, job.attempt, message["duration_ms"], result)
        self._journal.record(done, self._over(worker_id, job, failed=False))
        self._end(job, "complete", result, None)

    def _failed(self, worker_id: str, message: Message, job: OpenJob) -> None:
        error = message["error"]
        failed = c.Failed(job.ref, message["at"], worker_id, job.attempt, error, message["duration_ms"])
        self._journal.record(failed, self._over(worker_id, job, failed=True))
        self._end(job, "failed", None, error)

    def _retrying(self, worker_id: str, message: Message, job: OpenJob) -> None:
        next_at = message["at"] + int(message["delay_s"] * SECOND)
        retrying = c.Retrying(job.ref, message["at"], worker_id, job.attempt, message["error"], next_at)
        self._workers[worker_id].active.discard(job.ref.id)
        job.worker_id = None
        self._journal.record(retrying, self._worker_seen(worker_id, message["at"]))

    def _cancelled_by_worker(self, worker_id: str, message: Message, job: OpenJob) -> None:
        self._journal.record(c.Cancelled(job.ref, message["at"], worker_id, job.attempt), self._over(worker_id, job, failed=False))
        self._end(job, "cancelled", None, "Cancelled via API")

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._settings.times.worker_heartbeat_s)
            self._journal.record(self._api_seen())

    async def _keep_schedule(self, function: Function, every_s: int) -> None:
        """Run at every multiple of ``every_s`` of the clock; a run that is still going or paused is skipped."""
        while True:
            now = now_us()
            due = (now // (every_s * SECOND) + 1) * every_s * SECOND
            await asyncio.sleep((due - now) / SECOND)
            if function.key in self._paused:
                self._journal.record(c.NotDispatched(function.key, "paused"))
            elif not any(job.function is function for job in self._jobs.values()):
                source = {"type": "cron", "schedule": function.schedule}
                await self._queue(function, {}, f"job_{uuid.uuid4().hex[:16]}", source)
