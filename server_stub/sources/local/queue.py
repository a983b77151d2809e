"""The queue: huey over its own SQLite file. One huey task runs every function, so a job is one huey task with its id."""

import os
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from huey import SqliteHuey  # pyright: ignore[reportMissingTypeStubs]

from . import functions as _functions
from .job import CancelledError, Channel, Job
from .registry import FUNCTIONS

assert _functions  # imported for what it registers

_current: dict[str, Channel] = {}
"""The worker process's channel, by the name ``channel`` (empty in the server)."""


def make_queue(path: Path) -> tuple[Any, Any]:
    """The huey and its task wrapper, the same in the server (which enqueues) and in the workers (which run)."""
    huey: Any = SqliteHuey("penstock", filename=str(path), results=False, fsync=False)
    perform: Any = huey.task(context=True, name="perform")(_perform)
    return huey, perform


def connect(port: int, secret: str, heartbeat_s: float) -> None:
    """In a worker process: open the channel and begin the heartbeats."""
    channel = Channel(port, secret, f"local_{os.getpid()}")
    _current["channel"] = channel

    def beat() -> None:
        while True:
            channel.tell("heartbeat")
            time.sleep(heartbeat_s)

    threading.Thread(target=beat, daemon=True).start()


def _perform(name: str, job_id: str, first_attempt: int, max_retries: int, kwargs: dict[str, Any], task: Any) -> None:
    """Run one attempt and tell the server. A failure is raised again: huey schedules what is left of the retries."""
    channel = _current["channel"]
    function = FUNCTIONS[name]
    attempt = first_attempt + max_retries - int(task.retries)
    channel.tell("started", job=job_id, attempt=attempt)
    began = time.perf_counter()

    def end(kind: str, **fields: Any) -> None:
        duration_ms = round((time.perf_counter() - began) * 1000, 3)
        channel.tell(kind, job=job_id, attempt=attempt, duration_ms=duration_ms, **fields)

    try:
        result = function.body(Job(channel, job_id, attempt), kwargs)
    except CancelledError:
        channel.cancelled.discard(job_id)
        end("cancelled")
    except Exception as error:
        again = int(task.retries) > 0
        message = _told(error)
        end("retrying" if again else "failed", error=message, delay_s=function.retry_delay_s)
        raise
    else:
        end("completed", result=result)


def _told(error: Exception) -> str:
    """What happened in one line, and below it where: the function's own part of the traceback."""
    frames = [
        traceback.FrameSummary(Path(frame.filename).name, frame.lineno, frame.name, line=frame.line)
        for frame in traceback.extract_tb(error.__traceback__)[1:]
    ]
    if not frames:
        return f"{type(error).__name__}: {error}"
    where = "".join(traceback.format_list(frames)).rstrip()
    return f"{type(error).__name__}: {error}\nTraceback (most recent call last):\n{where}"
