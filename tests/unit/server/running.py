"""A real server on a real socket for tests, and a client for its streams. Nothing here sleeps: everything waits for
something, with a deadline."""

import asyncio
import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import httpx
import uvicorn

from server_stub.__main__ import Server, listen
from server_stub.app import build
from server_stub.settings import Limits, Settings, Times

T = TypeVar("T")
DEADLINE_S = 10.0


def until(condition: Callable[[], T | None], what: str, deadline_s: float = DEADLINE_S) -> T:
    """Ask again and again until ``condition`` gives something true."""
    end = time.monotonic() + deadline_s
    pause = threading.Event()
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"not within {deadline_s:g} s: {what}"
        pause.wait(0.01)


@dataclass(frozen=True)
class Frame:
    """One frame of a stream."""

    event: str
    id: str
    data: dict[str, Any]

    @property
    def sequence(self) -> int:
        """The number of the id."""
        return int(self.id.rpartition(":")[2])


class StreamClient:
    """Reads one stream, frame by frame."""

    def __init__(self, port: int, path: str, headers: dict[str, str] | None = None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
        self._connection.request("GET", path, headers=headers or {})
        self._response = self._connection.getresponse()
        self.status = self._response.status
        self.headers = self._response.headers

    def next(self) -> Frame | None:
        """The next frame; None at the end of the stream."""
        event, frame_id, data = "message", "", ""
        while True:
            line = self._response.readline().decode()
            if not line:
                return None
            name, _, value = line.rstrip("\n").partition(": ")
            if not name:
                return Frame(event, frame_id, json.loads(data))
            if name == "event":
                event = value
            elif name == "id":
                frame_id = value
            elif name == "data":
                data = value

    def until(self, condition: Callable[[Frame], bool]) -> list[Frame]:
        """The frames up to and with the first that meets ``condition``."""
        frames: list[Frame] = []
        end = time.monotonic() + DEADLINE_S
        while True:
            frame = self.next()
            assert frame is not None, f"the stream ended after {frames}"
            assert time.monotonic() < end, f"still waiting after {frames[-5:]}"
            frames.append(frame)
            if condition(frame):
                return frames

    def data(self, count: int) -> list[Frame]:
        """The next ``count`` data frames."""
        found: list[Frame] = []
        while len(found) < count:
            found.append(self.until(lambda frame: frame.event == "message")[-1])
        return found

    def close(self) -> None:
        """Leave."""
        with contextlib.suppress(OSError):
            self._response.close()
            self._connection.close()


class _ThreadServer(Server):
    """The server, whose signals a thread cannot have."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class Running:
    """A server in a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        self._listener = listen(settings.host, settings.port)
        self.port: int = self._listener.getsockname()[1]
        self.settings = replace(settings, port=self.port)
        self.base = f"http://127.0.0.1:{self.port}"
        self.api = f"{self.base}/api/v1"
        self.loop = asyncio.new_event_loop()
        app, self.context = build(self.settings)
        config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False, lifespan="on", timeout_graceful_shutdown=1)
        self._server = _ThreadServer(config, self.context, self.base)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        until(lambda: self._server.started or not self._thread.is_alive(), "the server starts")
        assert self._server.started
        self.http = httpx.Client(base_url=self.base, timeout=DEADLINE_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._server.serve(sockets=[self._listener]))
        self.loop.close()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(DEADLINE_S)

    def stream(self, path: str, headers: dict[str, str] | None = None) -> StreamClient:
        """Open a stream below ``/api/v1``."""
        return StreamClient(self.port, f"/api/v1{path}", headers)

    def json(self, path: str) -> Any:
        """A GET below ``/api/v1`` that must succeed."""
        answer = self.http.get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def stop(self) -> float:
        """Stop; return the seconds it took."""
        began = time.monotonic()
        self.http.close()
        self._server.should_exit = True
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()
        self._listener.close()
        return time.monotonic() - began


def sim(data: Path, **changes: Any) -> Settings:
    """Settings of a quiet simulator in the profile ``test``."""
    settings = Settings(
        port=0,
        source="sim",
        rate=0,
        sim_history=400,
        profile="test",
        data=data,
        site=data / "no-site",
        times=Times.of("test"),
        limits=Limits.of("test"),
    )
    return replace(settings, **changes)


@contextlib.contextmanager
def running(settings: Settings) -> Generator[Running]:
    """A server for the length of a block."""
    server = Running(settings)
    try:
        yield server
    finally:
        server.stop()


def plug(port: int, path: str) -> socket.socket:
    """A client that asks for a stream and then reads nothing; its buffers are small."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    client.settimeout(DEADLINE_S)
    return client
