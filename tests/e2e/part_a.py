"""A part-A server made of recordings: what a real one answered, and said, in good and in broken states.

``with PartA("redis-stop", factor=20) as server:`` listens at ``server.url`` (127.0.0.1, a free port) in a thread of its own
and ends with the block, and by itself after ``lifetime_s``. ``server.change("no-redis")`` changes its state: open streams are
cut, as by a server that went away and came back. ``server.requests`` lists what it was asked, as ``"GET /api/v1/jobs"``.

| state | answers | streams |
|---|---|---|
| ``healthy`` | as recorded | the recorded 20 s, byte for byte and at once, then open and silent |
| ``idle`` | as recorded | of a server at rest, with comments every 15 s, then open and silent |
| ``redis-stop`` | as recorded | flowing until its store stopped: ``event: error`` and the end, each time |
| ``redis-down`` | mostly 500 in plain text | 200, ``open``, ``error``, end; ``/events/stream`` is 500 |
| ``no-redis`` | empty pages, some 500 and 503 | 503 |
| ``auth`` | 401 without ``Authorization: Bearer demo-secret-1`` (``KEY``) | the same; with it ``open`` and silence |

Status, content type and body are verbatim; so are a stream's headers and chunks, whose recorded times are divided by
``factor``. Three things are not: ``Date`` is now (an old one would be another fault), ``Access-Control-Allow-Origin: *`` is said where
a page of another site asks, as the recorded server did, and where a recording of chunks was cut for length its place is
taken by whole frames of the same type from the ``.sse`` recording of the same stream, in their order. A query that was never
recorded gets the first good answer of its path. Nothing that was recorded in part stands in for an answer: those paths
are answered as in ``healthy``.

Recordings are those of ``PENSTOCK_RECORDINGS``, else ``../shared/recordings`` beside the repository; ``recordings()`` is None without
them, and a test then skips with ``MISSING`` as its reason.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import json
import os
import re
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from itertools import cycle
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import parse_qs

ROOT = Path(__file__).resolve().parents[2]
MISSING = "the recordings of a real server are not here (PENSTOCK_RECORDINGS)"
KEY = "demo-secret-1"
PREFIX = "/api/v1"
DEADLINE_S = 10.0
LIFETIME_S = 600.0
MAX_HEAD = 65_536
ERROR = b'event: error\ndata: {"error": "stream disconnected"}\n\n'
OPEN = b"event: open\ndata: connected\n\n"

State = Literal["healthy", "idle", "redis-stop", "redis-down", "no-redis", "auth"]
STATES: tuple[State, ...] = get_args(State)


def recordings() -> Path | None:
    """The folder of recordings, if there is one."""
    folder = Path(os.environ.get("PENSTOCK_RECORDINGS", ROOT.parent / "shared" / "recordings"))
    return folder if (folder / "_index.tsv").is_file() else None


@dataclass(frozen=True)
class Answer:
    """A recorded answer."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True)
class Script:
    """A recorded stream: what it said (after how many seconds), and whether it ended then."""

    chunks: tuple[tuple[float, bytes], ...]
    ends: bool


class Recordings:
    """Everything that was recorded, by state and path."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._answers: dict[str, Answer] = {}
        self._by_path: dict[str, Answer] = {}
        for line in (folder / "_index.tsv").read_text(encoding="utf-8").splitlines():
            name, method, path, status, content_type, *_ = line.split("\t")
            found = next((folder / f"{name}{end}" for end in (".json", ".bin") if (folder / f"{name}{end}").is_file()), None)
            if found is None:
                continue
            answer = Answer(int(status), content_type, found.read_bytes())
            self._answers[f"{method} {path}"] = answer
            if answer.status == 200:
                self._by_path.setdefault(f"{method} {path.partition('?')[0]}", answer)
        self._broken: dict[State, dict[str, Answer]] = {
            "no-redis": self._summary(folder / "no-redis" / "summary.txt", "", PREFIX),
            "redis-down": self._summary(folder / "failure" / "redis-down-gets.txt", "redis-down ", ""),
        }

    def answer(self, state: State, method: str, target: str, authorization: str) -> Answer:
        """What is said to a request that is not for a stream that flows."""
        path = target.partition("?")[0]
        if state == "auth" and path.startswith(PREFIX) and path != f"{PREFIX}/auth/status" and authorization != f"Bearer {KEY}":
            wrong = "Invalid API key" if authorization.startswith("Bearer ") else "Missing or invalid Authorization header"
            return Answer(401, "application/json", json.dumps({"detail": wrong}, separators=(",", ":")).encode())
        if state == "auth" and path == f"{PREFIX}/auth/status":
            return Answer(200, "application/json", b'{"auth_enabled":true}')
        broken = self._broken.get(state, {})
        if method == "GET":
            # `/apis/x` stands for any name, but `/apis/events` for itself.
            found = broken.get(path) or next((answer for known, answer in broken.items() if _like(known, path)), None)
            if found is not None:
                return found
        if state == "no-redis" and method == "POST":
            return broken[f"{PREFIX}/workers/x"]
        exact = self._answers.get(f"{method} {target}") or self._by_path.get(f"{method} {path}")
        return exact or Answer(404, "application/json", b'{"detail":"Not Found"}')

    def stream(self, state: State, target: str, authorization: str) -> Script | None:
        """What a stream says; None where it is refused."""
        path, _, query = target.removeprefix(PREFIX).partition("?")
        name = _stream_name(path, query)
        if name is None or state == "no-redis" or (state == "redis-down" and name == "events"):
            return None
        if state == "auth":
            return Script(((0.0, OPEN), (0.0, b": keep-alive\n\n")), ends=False) if authorization == f"Bearer {KEY}" else None
        if state == "redis-down":
            return Script(((0.0, OPEN), (0.0, ERROR)), ends=True)
        if state == "redis-stop":
            timed = self._folder / "failure" / f"redis-stop.{name}.txt"
            # Of some streams no failure was recorded; all failed in the same way.
            return self._timed(timed, name) if timed.is_file() else Script(((0.0, OPEN), (5.78, ERROR)), ends=True)
        timed = self._folder / f"idle.{_IDLE.get(name, name)}.timed.txt"
        if state == "idle" and timed.is_file():
            return self._timed(timed, name)
        return Script(((0.0, self._sse(name)),), ends=False)

    def stream_head(self, target: str) -> list[str]:
        """The recorded headers of a stream's answer, without those that belong to its moment."""
        path, _, query = target.removeprefix(PREFIX).partition("?")
        name = _stream_name(path, query) or "events"
        lines = self._file(name, "headers").read_text(encoding="utf-8").split("\n")
        return [line for line in lines[1:] if line and not line.lower().startswith("date:")]

    def _file(self, name: str, kind: str) -> Path:
        base, _, filtered = name.partition(":")
        return self._folder / f"{base}.stream{f'.{filtered}' if filtered else ''}.{kind}"

    def _sse(self, name: str) -> bytes:
        return self._file(name, "sse").read_bytes()

    def _timed(self, path: Path, name: str) -> Script:
        chunks: list[tuple[float, bytes]] = []
        ends = False
        whole: dict[bytes, Iterator[bytes]] = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("#"):
                ends = ends or line.endswith("EOF")
                continue
            moment, _, said = line.strip().partition(" ")
            cut = said.endswith("...")
            text: str = ast.literal_eval(said.removesuffix("..."))
            chunk = text.encode()
            if cut:
                kind = _type(chunk)
                if kind not in whole:
                    frames = [frame + b"\n\n" for frame in self._sse(name).split(b"\n\n") if frame and _type(frame) == kind]
                    if not frames:
                        continue
                    whole[kind] = cycle(frames)
                chunk = next(whole[kind])
            chunks.append((float(moment), chunk))
        return Script(tuple(chunks), ends)

    @staticmethod
    def _summary(path: Path, before: str, prefix: str) -> dict[str, Answer]:
        found: dict[str, Answer] = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            said = re.fullmatch(r"(/\S*) => (.*) \[(\d{3}) ([^\]]*)\]", line.removeprefix(before))
            if said is None:
                continue
            where, body, status, content_type = said.groups()
            if content_type.startswith("application/json"):
                try:
                    json.loads(body)
                except ValueError:
                    continue  # recorded in part
            elif content_type.startswith("text/event-stream"):
                continue
            known = where.partition("?")[0]
            known = known if known.startswith("/api/") or known in ("/health", "/ready") else PREFIX + known
            found[known] = Answer(int(status), content_type, body.encode())
        return found


_IDLE = {"jobs.trends:task": "jobs.trends.filtered", "jobs.artifacts": "artifacts"}
"""Streams whose recording at rest has another name."""


def _type(frame: bytes) -> bytes:
    found = re.search(rb'"type":"([^"]*)"', frame)
    return found[1] if found else b""


def _like(known: str, path: str) -> bool:
    """Whether a recorded path is ``path``; ``x`` in a recorded path stands for any name."""
    parts, given = known.split("/"), path.split("/")
    return len(parts) == len(given) and all(a in (b, "x") for a, b in zip(parts, given, strict=True))


def _stream_name(path: str, query: str) -> str | None:
    params = parse_qs(query)
    match path.strip("/").split("/"):
        case ["events", "stream"]:
            return "events"
        case ["apis", "stream"]:
            return "apis"
        case ["workers", "stream"]:
            return "workers"
        case ["apis", "events", "stream"]:
            return "apis.events:filtered" if "api_name" in params else "apis.events"
        case ["apis", "trends", "stream"]:
            return "apis.trends"
        case ["jobs", "trends", "stream"]:
            return "jobs.trends:task" if {"type", "function"} & set(params) else "jobs.trends"
        case ["apis", _, "stream"]:
            return "apis.name"
        case ["jobs", _, "artifacts", "stream"]:
            return "jobs.artifacts"
        case _:
            return None


class PartA:
    """The server; see the module."""

    def __init__(self, state: State = "healthy", *, factor: float = 20.0, lifetime_s: float = LIFETIME_S) -> None:
        """Raises ``FileNotFoundError`` without recordings."""
        folder = recordings()
        if folder is None:
            raise FileNotFoundError(MISSING)
        self.requests: list[str] = []
        self._recordings = Recordings(folder)
        self._state: State = state
        self._factor = factor
        self._lifetime_s = lifetime_s
        self._streams: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._ready = threading.Event()
        self.port = 0
        self._thread = threading.Thread(target=self._main, name="part-a", daemon=True)
        self._thread.start()
        assert self._ready.wait(DEADLINE_S), "the server does not start"

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    def __enter__(self) -> PartA:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def change(self, state: State) -> None:
        """Be in another state from now on; open streams are cut."""

        async def work() -> None:
            self._state = state
            for task in self._streams:
                task.cancel()

        asyncio.run_coroutine_threadsafe(work(), self._loop).result(DEADLINE_S)

    def close(self) -> None:
        """End."""
        with contextlib.suppress(RuntimeError):  # it has ended by itself
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive(), "the server does not end"

    def _main(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        tasks: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._client(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=MAX_HEAD)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._lifetime_s):
                await self._end.wait()
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            while await self._exchange(reader, writer, task):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass  # the client left, or speaks no HTTP
        finally:
            self._streams.discard(task)
            writer.transport.abort() if task.cancelling() else writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, task: asyncio.Task[None]) -> bool:
        """One request and its answer; whether the connection stays open."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append(f"{method} {target}")
        more = [f"date: {formatdate(usegmt=True)}"]
        if "origin" in headers:
            more.append("access-control-allow-origin: *")
        if method == "OPTIONS":
            more += ["access-control-allow-methods: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT", "access-control-max-age: 600"]
            more.append(f"access-control-allow-headers: {headers.get('access-control-request-headers', '*')}")
            await self._answer(writer, Answer(200, "text/plain; charset=utf-8", b"OK"), more)
            return True
        authorization = headers.get("authorization", "")
        script = self._recordings.stream(self._state, target, authorization) if method == "GET" else None
        if script is None:
            await self._answer(writer, self._recordings.answer(self._state, method, target, authorization), more)
            return True
        self._streams.add(task)
        lines = ["HTTP/1.1 200 OK", *self._recordings.stream_head(target), *more]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        async for chunk in self._play(script, reader):
            writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            await writer.drain()
        if script.ends and not reader.at_eof():
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        return False

    async def _play(self, script: Script, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        """The chunks at their times; then silence until the client leaves, unless the stream ends."""
        began = self._loop.time()
        leaving = asyncio.ensure_future(reader.read())
        try:
            for moment, chunk in script.chunks:
                wait_s = began + moment / self._factor - self._loop.time()
                if wait_s > 0:
                    await asyncio.wait((leaving,), timeout=wait_s)
                if leaving.done():
                    return
                yield chunk
            if not script.ends:
                await leaving
        finally:
            leaving.cancel()

    @staticmethod
    async def _answer(writer: asyncio.StreamWriter, answer: Answer, more: list[str]) -> None:
        about = ["server: uvicorn", f"content-type: {answer.content_type}", f"content-length: {len(answer.body)}"]
        lines = [f"HTTP/1.1 {answer.status} {'OK' if answer.status == 200 else 'Recorded'}", *about, *more]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + answer.body)
        await writer.drain()
