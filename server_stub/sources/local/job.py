"""A job as its function sees it, and the worker's end of the channel.

Messages are JSON lines. Worker → server: ``hello`` (with the secret), ``heartbeat``, ``started``, ``progress``,
``checkpoint``, ``artifact``, ``spawn``, ``completed``, ``failed``, ``retrying``, ``cancelled``. Server → worker:
``cancel`` (a job) and ``ended`` (a child, with its result). A worker looks at what the server said whenever its job
reports progress or waits, so a job can be cancelled within its own step.
"""

import base64
import json
import select
import socket
import threading
import time
import uuid
from collections.abc import Mapping
from typing import Any


class CancelledError(Exception):
    """Somebody cancelled the job; raised out of ``progress``, ``pause`` and ``collect``."""


class ChildFailedError(Exception):
    """A child job did not complete."""


class Channel:
    """The worker's socket to the server. Sending is safe from any thread; reading belongs to the job's thread."""

    def __init__(self, port: int, secret: str, worker_id: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self._socket.settimeout(None)
        self._lock = threading.Lock()
        self._buffer = b""
        self.cancelled: set[str] = set()
        self.ended: dict[str, dict[str, Any]] = {}
        self.tell("hello", secret=secret, worker_id=worker_id)

    def tell(self, kind: str, **fields: Any) -> None:
        """Send one message. A server that is gone ends its workers itself, so an error is not ours to raise."""
        line = json.dumps({"kind": kind, "at": time.time_ns() // 1000, **fields}).encode() + b"\n"
        try:
            with self._lock:
                self._socket.sendall(line)
        except OSError:
            return

    def look(self, wait_s: float = 0.0) -> None:
        """Take in what the server said, waiting for up to ``wait_s`` seconds."""
        while select.select([self._socket], [], [], wait_s)[0]:
            data = self._socket.recv(65_536)
            if not data:
                raise SystemExit(0)
            *lines, self._buffer = (self._buffer + data).split(b"\n")
            for line in lines:
                message: dict[str, Any] = json.loads(line)
                if message["kind"] == "cancel":
                    self.cancelled.add(message["job"])
                else:
                    self.ended[message["job"]] = message
            wait_s = 0.0


class Job:
    """What a function may do besides its work."""

    def __init__(self, channel: Channel, job_id: str, attempt: int) -> None:
        self._channel = channel
        self.id = job_id
        self.attempt = attempt

    def progress(self, part: float, message: str | None = None) -> None:
        """Report progress, 0..1. Raises ``CancelledError`` when the job was cancelled."""
        self._channel.tell("progress", job=self.id, progress=round(part, 4), message=message)
        self._check()

    def checkpoint(self, value: Any) -> None:
        """Keep a value with the job."""
        self._channel.tell("checkpoint", job=self.id, value=value)

    def artifact(self, name: str, kind: str, content_type: str, content: bytes) -> None:
        """Leave something behind with the job."""
        encoded = base64.b64encode(content).decode()
        self._channel.tell("artifact", job=self.id, name=name, type=kind, content_type=content_type, content=encoded)

    def pause(self, seconds: float) -> None:
        """Wait, and still be cancelled at once."""
        self._check(seconds)

    def spawn(self, name: str, kwargs: Mapping[str, Any]) -> str:
        """Queue a child job of function ``name``; return its id."""
        child = f"job_{uuid.uuid4().hex[:16]}"
        self._channel.tell("spawn", job=self.id, child=child, function=name, kwargs=dict(kwargs))
        return child

    def collect(self, child: str, timeout_s: float = 60.0) -> Any:
        """Wait for a child's result. Raises ``ChildFailedError`` when it did not complete."""
        deadline = time.monotonic() + timeout_s
        while child not in self._channel.ended:
            if time.monotonic() > deadline:
                raise ChildFailedError(f"{child} did not end within {timeout_s:g} s")
            self._check(0.2)
        ended = self._channel.ended.pop(child)
        if ended["status"] != "complete":
            raise ChildFailedError(f"{child} is {ended['status']}: {ended['error']}")
        return ended["result"]

    def _check(self, wait_s: float = 0.0) -> None:
        deadline = time.monotonic() + wait_s
        while True:
            self._channel.look(max(0.0, deadline - time.monotonic()))
            if self.id in self._channel.cancelled:
                raise CancelledError
            if time.monotonic() >= deadline:
                return
