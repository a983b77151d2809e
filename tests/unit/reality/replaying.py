"""The recorded server behind the fakes of the core: its bytes become records and answers at their recorded times, in virtual time.

    world = World("redis-down")
    jobs = world.look(live("jobs"))
    world.run(30)                  # seconds
    jobs.said                      # what a panel of it said: (seconds, state, reason), without repetitions
    world.asked, world.opened      # what the server was asked, and when

What it says is that of `tests/e2e/part_a.py`, which replays the same recordings over real HTTP. `world.answers` and `world.scripts` put
something else in the place of single answers and streams.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, NamedTuple

import part_a
from part_a import Answer, Recordings, Script, State

from pyapp.core.cache.result import Result
from pyapp.core.client import Client, QueryKey
from pyapp.core.ports import FrameKind, HttpAnswer, HttpRequest
from pyapp.core.streams.manager import StreamStatistics
from pyapp.core.testing import FakeHttp, FakeSources, FakeVisibility, Pending, VirtualClock
from pyapp.inventory import endpoint_specs, mutation_specs, query_specs, stream_specs
from pyapp.reducers import REDUCERS
from pyapp.reducers.comparing import COMPARED

API = "/api/v1/"
ANSWER_MS = 20.0
"""The time between a request and its answer, and between opening a stream and its headers."""

_KINDS = {
    "message": FrameKind.MESSAGE,
    "open": FrameKind.NAMED_OPEN,
    "error": FrameKind.NAMED_ERROR,
    "hello": FrameKind.HELLO,
    "heartbeat": FrameKind.HEARTBEAT,
    "reset": FrameKind.RESET,
    "bye": FrameKind.BYE,
}


class Frame(NamedTuple):
    """One event of a stream, as a browser dispatches it."""

    event: str
    data: str
    id: str


class SseParser:
    """Bytes to frames as an `EventSource` does it: any chunking, CR, LF or both, comments, several `data` lines, an `id` that stays."""

    def __init__(self) -> None:
        self._buffer = b""
        self._event = ""
        self._data: list[str] = []
        self._id = ""
        self._begun = False

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        """The frames that this chunk completes."""
        self._buffer += chunk
        if not self._begun and self._buffer:
            self._begun = True
            self._buffer = self._buffer.removeprefix(b"\xef\xbb\xbf")
        while (line := self._line()) is not None:
            frame = self._read(line)
            if frame is not None:
                yield frame

    def _line(self) -> str | None:
        ends = [at for at in (self._buffer.find(b"\n"), self._buffer.find(b"\r")) if at >= 0]
        if not ends:
            return None
        end = min(ends)
        after = end + 1
        if self._buffer[end : end + 1] == b"\r":
            if after == len(self._buffer):
                return None  # an LF may follow in the next chunk
            after += self._buffer[after : after + 1] == b"\n"
        line, self._buffer = self._buffer[:end], self._buffer[after:]
        return line.decode("utf-8", "replace")

    def _read(self, line: str) -> Frame | None:
        if not line:
            event, data = self._event or "message", self._data
            self._event, self._data = "", []
            return Frame(event, "\n".join(data), self._id) if data else None
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._event = value
        elif name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self._id = value
        return None


class _Sources(FakeSources):
    """Event sources that tell when one is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.on_open: Callable[[int, str], None] = lambda source, url: None

    def open(self, source: int, url: str) -> None:
        super().open(source, url)
        self.on_open(source, url)


class _Http(FakeHttp):
    """Requests that tell when one is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.on_send: Callable[[Pending], None] = lambda pending: None

    def send(self, request: HttpRequest, on_answer: Callable[[HttpAnswer], None]) -> Pending:
        pending = super().send(request, on_answer)
        self.on_send(pending)
        return pending


class Asked(NamedTuple):
    """One request that the server got: when, for what, what it said, and whether only its headers were wanted (RT-25)."""

    at_s: float
    url: str
    status: int
    probe: bool


class Said(NamedTuple):
    """What a panel said from then on."""

    at_s: float
    state: str
    reason: str


@dataclass
class Look:
    """One query that somebody looks at."""

    key: QueryKey
    results: list[Result[Any]] = field(default_factory=list[Result[Any]])
    said: list[Said] = field(default_factory=list[Said])

    @property
    def words(self) -> list[tuple[str, str]]:
        """The states and reasons in their order."""
        return [(said.state, said.reason) for said in self.said]

    @property
    def now(self) -> tuple[str, str]:
        return self.words[-1]

    @property
    def last(self) -> Result[Any]:
        return self.results[-1]

    @property
    def data(self) -> Any:
        """The data, of which only the test knows the type."""
        return self.last.data

    def state_at(self, at_s: float) -> tuple[str, str]:
        """What it said at a moment."""
        return next((said.state, said.reason) for said in reversed(self.said) if said.at_s <= at_s)


class World:
    """A client of the inventory's queries and streams, and the recorded server. Times are seconds since the beginning.

    Attributes:
        state: of the server; `change` changes it as a server that went away and came back.
        authorization: the header that a session would send with every request, streams and all.
        reachable: without it nothing new gets through; what is open stays, as at a server that was told to stop.
        answer_ms: how long a request is on its way; half of it before the server reads its data.
        answers, scripts: what is said in the place of the recorded answer, or stream, of a path below `/api/v1/`.
    """

    def __init__(self, state: State = "healthy", *, protocol: str = "h2") -> None:
        folder = part_a.recordings()
        assert folder is not None, part_a.MISSING
        self._recordings = Recordings(folder)
        self.state: State = state
        self.authorization = ""
        self.reachable = True
        self.answer_ms = ANSWER_MS
        self.answers: dict[str, Callable[[], Answer]] = {}
        self.scripts: dict[str, Callable[[], Script | None]] = {}
        self.asked: list[Asked] = []
        self.opened: list[tuple[float, str]] = []
        self.clock, self.sources, self.http, self.page = VirtualClock(creep_ms=0.001), _Sources(), _Http(), FakeVisibility()
        self.sources.on_open = self._connect
        self.http.on_send = self._answer
        self.client = Client(
            clock=self.clock,
            sources=self.sources,
            http=self.http,
            visibility=self.page,
            random=random.Random(1),
            queries=query_specs(REDUCERS, COMPARED),
            streams=stream_specs(),
            mutations=mutation_specs(),
            endpoints=endpoint_specs(),
            protocol=lambda: protocol,
        )

    @property
    def now_s(self) -> float:
        return self.clock.now() / 1000

    def look(self, key: QueryKey) -> Look:
        """Somebody looks at a query."""
        look = Look(key)

        def seen(result: Result[Any]) -> None:
            look.results.append(result)
            said = Said(self.now_s, str(result.freshness.state), str(result.freshness.reason))
            if not look.said or look.said[-1][1:] != said[1:]:
                look.said.append(said)

        self.client.use_query(key, seen)
        return look

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds * 1000)

    def change(self, state: State) -> None:
        """The server is in another state from now on; open streams are cut."""
        self.state = state
        for source in list(self.sources.open_urls):
            self.sources.record(source, FrameKind.FAILED, "0")

    def stream(self, name: str) -> StreamStatistics:
        """The figures of a stream, by its key's text."""
        return next(row for row in self.client.statistics().streams if str(row.key) == name)

    def domain(self, name: str) -> Any:
        """The figures of a domain, by its key's text."""
        return next(row for row in self.client.statistics().feeds.domains if row.key == name)

    def opened_at(self, path: str) -> list[float]:
        """When a stream was opened."""
        return [at for at, url in self.opened if url.partition("?")[0] == path]

    def asked_at(self, path: str, *, probe: bool = False) -> list[float]:
        """When a path was asked for."""
        return [one.at_s for one in self.asked if one.url.partition("?")[0] == path and one.probe is probe]

    def raised(self) -> tuple[str, ...]:
        """What went wrong in the program itself."""
        return self.client.statistics().errors

    # The server ---------------------------------------------------------------------------------------------------------------

    def _later(self, ms: float, do: Callable[[], None]) -> None:
        self.clock.call_at(self.clock.now() + ms, do)

    def _said(self, request: HttpRequest) -> Answer:
        path = request.url.partition("?")[0]
        if path in self.answers:
            return self.answers[path]()
        script = self._script(request.url)
        if script is not None:
            return Answer(200, "text/event-stream; charset=utf-8", b"")
        return self._recordings.answer(self.state, request.method, API + request.url, self.authorization)

    def _answer(self, pending: Pending) -> None:
        request = pending.request
        probe = request.headers.get("Accept") == "text/event-stream"
        number = len(self.asked)
        self.asked.append(Asked(self.now_s, request.url, 0, probe))

        def read() -> None:
            if not self.reachable:
                self._later(self.answer_ms / 2, pending.lose)
                return
            answer = self._said(request)
            self.asked[number] = self.asked[number]._replace(status=answer.status)
            headers = {"content-type": answer.content_type, "date": formatdate(self.clock.wall() / 1000, usegmt=True)}
            self._later(self.answer_ms / 2, lambda: pending.reply(answer.body.decode(), status=answer.status, headers=headers))

        self._later(self.answer_ms / 2, read)

    def _script(self, url: str) -> Script | None:
        path = url.partition("?")[0]
        if path in self.scripts:
            return self.scripts[path]()
        if not path.endswith("/stream"):
            return None
        return self._recordings.stream(self.state, API + url, self.authorization)

    def _connect(self, source: int, url: str) -> None:
        self.opened.append((self.now_s, url))
        if not self.reachable:
            self._later(ANSWER_MS, lambda: self._record(source, FrameKind.FAILED, "0"))
            return
        script = self._script(url)
        if script is None:
            # A browser tells a status other than 200 by closing for good, and nothing else.
            self._later(ANSWER_MS, lambda: self._record(source, FrameKind.FAILED, "2"))
            return
        self._later(ANSWER_MS, lambda: self._record(source, FrameKind.OPENED))
        parser = SseParser()
        for at_s, chunk in script.chunks:
            self._later(ANSWER_MS + at_s * 1000, lambda chunk=chunk: self._play(source, parser, chunk))
        if script.ends:
            end_s = max((at_s for at_s, _ in script.chunks), default=0.0)
            self._later(ANSWER_MS + end_s * 1000, lambda: self._record(source, FrameKind.FAILED, "0"))

    def _play(self, source: int, parser: SseParser, chunk: bytes) -> None:
        for frame in parser.feed(chunk):
            self._record(source, _KINDS[frame.event], frame.data, frame.id)

    def _record(self, source: int, kind: FrameKind, data: str = "", frame_id: str = "") -> None:
        if source in self.sources.open_urls:
            self.sources.record(source, kind, data, frame_id)


def json_answer(body: object, status: int = 200) -> Answer:
    """An answer of JSON."""
    return Answer(status, "application/json", json.dumps(body).encode())
