"""A small server in memory: jobs in a list and one by one, a stream of their changes, positions, a ring to resume from, or none of
these (part A). It answers through `FakeHttp` and speaks through `FakeSources`, so a whole client can be run against it.

    clock, sources, http = VirtualClock(), FakeSources(), FakeHttp()
    server = ScriptedServer(clock, sources, http)
    client = Client(clock=clock, sources=sources, http=http, visibility=FakeVisibility(), random=Random(1),
                    queries=server.queries(), streams=server.streams())
    client.use_query(live("things"), print)
    server.change("a", state="new")
    server.run(5_000)          # lets time pass; requests and sockets are answered after their delays

Things have a `state` and a `version` that rises with each change; a live list holds the newest first, and may be filtered by `state`.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel

from pyapp.core.cache.keys import LIVE_LIST_LIMIT, QueryKey, WindowKey, WritableKey
from pyapp.core.cache.lists import LiveList, WindowData
from pyapp.core.cache.spec import QuerySpec, Reduction
from pyapp.core.ports import FrameKind, HttpRequest
from pyapp.core.streams.decode import Decoder
from pyapp.core.streams.spec import StreamKey, StreamSpec, stream_key
from pyapp.core.testing.fakes import FakeHttp, FakeSources, Pending
from pyapp.core.testing.virtual import VirtualClock

RING = 20


class Thing(BaseModel):
    """What the server keeps: `made` orders the lists, `version` tells the newer of two."""

    id: str
    made: int
    version: int
    state: str


class Changed(BaseModel):
    """The one event: a thing as it is now."""

    type: Literal["thing.changed"] = "thing.changed"
    thing: Thing


def _reduce_item(thing: Thing, events: Sequence[Changed], entity: str) -> Thing:
    for event in events:
        if event.thing.id == entity and event.thing.version > thing.version:
            thing = event.thing
    return thing


def reduce_things(key: WritableKey, data: Any, events: Sequence[Changed]) -> Reduction[Any]:
    """The reducer: the newer version stands, filters and cap hold, a list that lost rows asks the server (RT-6)."""
    if key.mode == "item":
        return Reduction(_reduce_item(data, events, str(key.get("id"))))
    rows: dict[str, Thing] = {row.id: row for row in data.rows}
    states = key.get_all("state")
    lost = False
    for event in events:
        thing = event.thing
        known = rows.get(thing.id)
        if known is not None and known.version >= thing.version:
            continue
        if states and thing.state not in states:
            lost = rows.pop(thing.id, None) is not None or lost
        else:
            rows[thing.id] = thing
    ordered = tuple(sorted(rows.values(), key=lambda row: -row.made)[:LIVE_LIST_LIMIT])
    if ordered == data.rows:
        return Reduction(data, lost)
    return Reduction(LiveList(ordered, None), lost)


class ScriptedServer:
    """The server. Everything it does is a method; nothing happens by itself but answers and heartbeats.

    Attributes:
        part_b: positions, hello, heartbeats and resume; without, the framing of part A.
        delay_ms: how long an answer and a hello take, by a function that is asked each time.
        answering: off: requests wait until it is on again.
        accepting: off: sockets are refused.
        requests: how many have come.
        under_way: the timers of the clock that are the server's own.
    """

    def __init__(
        self,
        clock: VirtualClock,
        sources: FakeSources,
        http: FakeHttp,
        *,
        part_b: bool = True,
        delay_ms: Callable[[], float] = lambda: 20.0,
        heartbeat_ms: float = 5_000.0,
    ) -> None:
        self._clock = clock
        self._sources = sources
        self._http = http
        self.part_b = part_b
        self.delay_ms = delay_ms
        self._heartbeat_ms = heartbeat_ms
        self.things: dict[str, Thing] = {}
        self.life = 1
        self.sequence = 0
        self._ring: deque[tuple[int, str]] = deque(maxlen=RING)
        self._made = 0
        self._version = 0
        self._taken: set[int] = set()
        self._greeted: set[int] = set()
        self._beaten_ms = 0.0
        self.answering = True
        self.accepting = True
        self.requests = 0
        self.under_way = 0

    # What an application would have in its inventory ---------------------------------------------------------------------------

    def streams(self) -> dict[str, StreamSpec]:
        """The one stream."""
        return {"things": StreamSpec("things", "things/stream", Decoder(Changed), 1, entity=lambda event: event.thing.id)}

    def queries(self) -> dict[str, QuerySpec[Any]]:
        """`things` (live, item, window; fed by the stream) and `count` (aggregate; polled, outdated by the stream)."""

        def request(key: QueryKey) -> HttpRequest:
            if key.mode == "item":
                return HttpRequest("GET", f"things/{key.get('id')}")
            pairs = [f"{name}={one}" for name, value in key.params for one in (value if isinstance(value, tuple) else (value,))]
            return HttpRequest("GET", "&".join(["things?mode=" + key.mode, *pairs]))

        def parse(key: QueryKey, text: str) -> Any:
            if key.mode == "item":
                return Thing.model_validate_json(text)
            rows = tuple(Thing.model_validate(row) for row in json.loads(text))
            return WindowData(rows, len(rows)) if isinstance(key, WindowKey) else LiveList(rows, None)

        def stream(key: WritableKey) -> StreamKey:
            return stream_key("things")

        def outdated(key: WritableKey, event: Any) -> bool:
            return event.type == "thing.changed"

        modes = frozenset[Literal["live", "window", "item", "aggregate"]]
        return {
            "things": QuerySpec("things", modes(("live", "item", "window")), "things", request, parse, stream, reduce_things),
            "count": QuerySpec(
                "count",
                modes(("aggregate",)),
                "count",
                lambda key: HttpRequest("GET", "count"),
                lambda key, text: json.loads(text),
                invalidated_by=outdated,
            ),
        }

    # What happens at the server -------------------------------------------------------------------------------------------------

    def change(self, entity: str, *, state: str, silently: bool = False) -> None:
        """Make a thing or change one; every open stream that was greeted hears of it, unless the frame is lost `silently`."""
        known = self.things.get(entity)
        self._version += 1
        if known is None:
            self._made += 1
        made = known.made if known is not None else self._made
        self.things[entity] = Thing(id=entity, made=made, version=self._version, state=state)
        self.sequence += 1
        text = Changed(thing=self.things[entity]).model_dump_json()
        self._ring.append((self.sequence, text))
        if silently:
            return
        for source in self._greeted & set(self._sources.open_urls):
            self._say(source, self.sequence, text)

    def restart(self) -> None:
        """A new life: every socket breaks, sequences begin anew, nothing can be resumed. The things are kept."""
        self.drop()
        self.life += 1
        self.sequence = 0
        self._ring.clear()

    def drop(self) -> None:
        """Every open socket breaks."""
        for source in list(self._sources.open_urls):
            if source in self._taken:
                self._sources.record(source, FrameKind.FAILED, "0")
        self._greeted.clear()

    def answer_of(self, key: QueryKey) -> Any:
        """What a query of this key must be when all is quiet, as plain values."""
        if key.mode == "item":
            thing = self.things.get(str(key.get("id")))
            return thing.model_dump() if thing is not None else None
        if key.mode == "aggregate":
            return self._count()
        return self._list(key.get_all("state"), LIVE_LIST_LIMIT)

    # Time -----------------------------------------------------------------------------------------------------------------------

    def run(self, ms: float, step_ms: float = 10.0) -> None:
        """Let time pass; new requests and sockets are seen every `step_ms`."""
        end = self._clock.now() + ms
        while self._clock.now() < end:
            self._serve()
            self._clock.advance(min(step_ms, end - self._clock.now()))
        self._serve()

    def _serve(self) -> None:
        for pending in self._http.waiting:
            if not pending.seen and self.answering:
                pending.seen = True
                self.requests += 1
                self._later(lambda pending=pending: self._answer(pending))
        for source in list(self._sources.open_urls):
            if source not in self._taken:
                self._taken.add(source)
                self._later(lambda source=source: self._greet(source))
        if self.part_b and self._clock.now() - self._beaten_ms >= self._heartbeat_ms:
            self._beaten_ms = self._clock.now()
            for source in sorted(self._greeted & set(self._sources.open_urls)):
                self._sources.record(source, FrameKind.HEARTBEAT, json.dumps({"sequence": self.sequence}))
        self._http.forget()

    def _later(self, do: Callable[[], None]) -> None:
        def run() -> None:
            self.under_way -= 1
            do()

        self.under_way += 1
        self._clock.call_at(self._clock.now() + self.delay_ms(), run)

    def _answer(self, pending: Pending) -> None:
        """The data is read now and travels as long again: an answer is as old as its way."""
        if pending.cancelled:
            return
        position = f"e{self.life}:{self.sequence}" if self.part_b else ""
        url = urlsplit(pending.request.url)
        name, _, entity = url.path.partition("/")
        body: Any
        if name == "count":
            body = self._count()
        elif entity:
            thing = self.things.get(entity)
            if thing is None:
                self._later(lambda: pending.reply({"detail": "no such thing"}, status=404))
                return
            body = thing.model_dump()
        else:
            asked = parse_qs(url.query)
            body = self._list(tuple(asked.get("state", ())), LIVE_LIST_LIMIT if asked["mode"] == ["live"] else None)
        self._later(lambda: pending.reply(body, position=position))

    def _greet(self, source: int) -> None:
        url = self._sources.open_urls.get(source)
        if url is None:
            return
        if not self.accepting:
            self._sources.record(source, FrameKind.FAILED, "2")
            return
        self._sources.record(source, FrameKind.OPENED)
        self._greeted.add(source)
        if not self.part_b:
            self._sources.record(source, FrameKind.NAMED_OPEN, "connected")
            return
        last = parse_qs(urlsplit(url).query).get("last_event_id", [""])[0]
        life, _, number = last.rpartition(":")
        oldest = self._ring[0][0] if self._ring else self.sequence + 1
        resumed = life == f"e{self.life}" and oldest - 1 <= int(number) <= self.sequence
        hello: Mapping[str, Any] = {
            "epoch": f"e{self.life}",
            "at": "",
            "heartbeat_ms": self._heartbeat_ms,
            "retry_ms": 1_000,
            "resumed": resumed,
            "scopes": [],
        }
        self._sources.record(source, FrameKind.HELLO, json.dumps(hello))
        if resumed:
            for sequence, text in self._ring:
                if sequence > int(number):
                    self._say(source, sequence, text)

    def _say(self, source: int, sequence: int, text: str) -> None:
        self._sources.record(source, FrameKind.MESSAGE, text, f"e{self.life}:{sequence}" if self.part_b else "")

    def _list(self, states: Sequence[object], limit: int | None) -> list[dict[str, Any]]:
        chosen = [thing for thing in self.things.values() if not states or thing.state in states]
        return [thing.model_dump() for thing in sorted(chosen, key=lambda thing: -thing.made)[:limit]]

    def _count(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for thing in self.things.values():
            counts[thing.state] = counts.get(thing.state, 0) + 1
        return counts
