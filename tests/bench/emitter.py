"""A small server for the benchmarks: a site, one list of jobs, one stream, and exactly as many events as it is told to send.

    python tests/bench/emitter.py SITE [--events 24000]

It runs in a process of its own and prints its address. All events are made before the first is sent. It serves

    GET  /…                           the site
    GET  /api/v1/jobs?limit=50        the newest jobs after the last event sent, with X-Penstock-Position
    GET  /api/v1/events/stream        hello, heartbeats, numbered events
    GET  /api/v1/streams              the same in envelopes: the one connection for all streams, of which there is one here
    POST /bench/go?count=N&rate=R     send the next N events, R a second (0: as fast as the reader takes them); with `last=started` a
                                      few more, until one that begins a job: a page sees by its first row that it is there
    GET  /bench/state                 what was sent, how many requests came, and the rows that a table must show now
    GET  /bench/rows?after=N          the number of the last event of N with those that `last=started` adds, and the rows after it
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

sys.path.insert(0, str(Path(__file__).resolve().parent))

from job_events import EPOCH, HEARTBEAT_S, LIMIT, Jobs, make_events

PER_WRITE = 200
"""Events of one write, where the reader takes as many as it can."""
NAMED = "event: {}\ndata: {}\n\n"
ENVELOPE = 'data: {{"stream":"events","id":"{}","event":"{}","data":{}}}\n\n'


class EventStream(StreamingResponse):
    """The head of a stream."""

    def __init__(self, body: AsyncIterator[bytes]) -> None:
        super().__init__(body, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


class Emitter:
    """The application."""

    def __init__(self, count: int) -> None:
        self._events = make_events(count)
        texts = [(f"{EPOCH}:{number}", json.dumps(event, separators=(",", ":"))) for number, event in enumerate(self._events, 1)]
        self._single = [f"id: {place}\ndata: {text}\n\n".encode() for place, text in texts]
        self._shared = [ENVELOPE.format(place, "message", text).encode() for place, text in texts]
        self._sent = 0
        self._until = 0
        self._rate = 0.0
        self._began = 0.0
        self._first = 0
        self._jobs = Jobs()
        self._applied = 0
        self._streams = 0
        self._requests: Counter[str] = Counter()
        self._go = asyncio.Event()
        self._took_s = 0.0
        self._first_byte_ms = 0.0

    def _catch_up(self) -> None:
        for event in self._events[self._applied : self._sent]:
            self._jobs.apply(event)
        self._applied = self._sent

    async def jobs(self, request: Request) -> Response:
        """The newest jobs."""
        self._requests["jobs"] += 1
        self._catch_up()
        rows = [job.wire() for job in self._jobs.newest()]
        body = {"jobs": rows, "total": len(self._jobs), "has_more": len(self._jobs) > LIMIT}
        return JSONResponse(body, headers={"X-Penstock-Position": f"{EPOCH}:{self._sent}"})

    async def other(self, request: Request) -> Response:
        """Every other endpoint, for the benchmark that counts requests; what is asked is counted."""
        self._requests[request.path_params["name"]] += 1
        return JSONResponse({"detail": "not here"}, status_code=404)

    async def stream(self, request: Request) -> Response:
        """The stream of events."""
        return EventStream(self._body(self._single, shared=False))

    async def streams(self, request: Request) -> Response:
        """The one connection for all streams."""
        return EventStream(self._body(self._shared, shared=True))

    async def _body(self, frames: Sequence[bytes], *, shared: bool) -> AsyncIterator[bytes]:
        self._streams += 1
        hello = {"epoch": EPOCH, "at": _now(), "heartbeat_ms": HEARTBEAT_S * 1_000, "retry_ms": 1_000}
        own = json.dumps({**hello, "resumed": False, "sequence": self._sent, "scopes": []})
        if shared:
            yield NAMED.format("hello", json.dumps({"connection": "bench", **hello})).encode()
            yield ENVELOPE.format("", "hello", own).encode()
        else:
            yield NAMED.format("hello", own).encode()
        try:
            while True:
                try:
                    await asyncio.wait_for(self._go.wait(), HEARTBEAT_S)
                except TimeoutError:
                    beat = json.dumps({"at": _now(), "scopes": (), "sequence": self._sent})
                    if shared:
                        yield ENVELOPE.format("", "heartbeat", beat).encode()
                    yield NAMED.format("heartbeat", beat).encode()
                    continue
                async for chunk in self._due(frames):
                    yield chunk
                self._took_s = time.monotonic() - self._began
                self._go.clear()
        finally:
            self._streams -= 1

    async def _due(self, frames: Sequence[bytes]) -> AsyncIterator[bytes]:
        while self._sent < self._until:
            if self._rate:
                due = min(self._until, self._first + int((time.monotonic() - self._began) * self._rate))
            else:
                due = min(self._until, self._sent + PER_WRITE)
            if due > self._sent:
                self._first_byte_ms = self._first_byte_ms or time.time() * 1_000
                chunk = b"".join(frames[self._sent : due])
                self._sent = due
                yield chunk
            await asyncio.sleep(0.001 if self._rate else 0)

    async def go(self, request: Request) -> Response:
        """Begin to send."""
        if not self._streams or self._go.is_set():
            return JSONResponse({"detail": "nobody listens, or it runs already"}, status_code=409)
        count, self._rate = int(request.query_params["count"]), float(request.query_params["rate"])
        self._first, self._until = self._sent, min(len(self._events), self._sent + count)
        if request.query_params.get("last") == "started":
            self._until = self._next_started(self._until)
        self._began, self._first_byte_ms = time.monotonic(), 0.0
        self._go.set()
        return JSONResponse({"until": self._until})

    async def state(self, request: Request) -> Response:
        """What a page must show now."""
        self._catch_up()
        rows = [asdict(job) for job in self._jobs.newest()]
        done = not self._go.is_set()
        figures = {"sent": self._sent, "done": done, "took_s": self._took_s, "streams": self._streams}
        figures |= {"first_byte_ms": self._first_byte_ms, "bytes": sum(map(len, self._single[self._first : self._sent]))}
        return JSONResponse({**figures, "requests": dict(self._requests), "rows": rows})

    def _next_started(self, number: int) -> int:
        while self._events[number - 1]["type"] != "job.started":
            number += 1
        return number

    async def rows(self, request: Request) -> Response:
        """What a page must show later."""
        last = self._next_started(int(request.query_params["after"]))
        jobs = Jobs()
        for event in self._events[:last]:
            jobs.apply(event)
        return JSONResponse({"last": last, "rows": [asdict(job) for job in jobs.newest()]})

    def app(self, site: Path) -> Starlette:
        """All routes."""
        return Starlette(
            routes=[
                Route("/api/v1/jobs", self.jobs),
                Route("/api/v1/events/stream", self.stream),
                Route("/api/v1/streams", self.streams),
                Route("/api/v1/{name:path}", self.other, methods=["GET", "POST"]),
                Route("/bench/go", self.go, methods=["POST"]),
                Route("/bench/state", self.state),
                Route("/bench/rows", self.rows),
                Mount("/", StaticFiles(directory=site, html=True)),
            ]
        )


async def serve(site: Path, count: int) -> None:
    """Serve until the process is ended."""
    config = uvicorn.Config(Emitter(count).app(site), host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/", flush=True)
    await running


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="A server that sends exactly as many events as it is told to.")
    parser.add_argument("site", type=Path)
    parser.add_argument("--events", type=int, default=24_000)
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(options.site, options.events))


if __name__ == "__main__":
    sys.exit(main())
