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
With `multiplexed=True` (and a client that is) it has the one connection for all streams, too. Faults: `server.wire` (its module has a
list), `server.store_down`, `server.answering`, `server.accepting`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pyapp.core.cache.keys import LIVE_LIST_LIMIT, QueryKey
from pyapp.core.cache.spec import QuerySpec
from pyapp.core.streams.spec import StreamSpec
from pyapp.core.testing.fakes import FakeHttp, FakeSources, Pending
from pyapp.core.testing.things import Changed, Thing, thing_queries, thing_streams
from pyapp.core.testing.virtual import VirtualClock
from pyapp.core.testing.wire import MANY, SINGLE, Wire


class ScriptedServer:
    """The server. Everything it does is a method; nothing happens by itself but answers and heartbeats.

    Attributes:
        part_b: positions, hello, heartbeats and resume; without, the framing of part A.
        delay_ms: how long an answer and a hello take, by a function that is asked each time.
        wire: its sockets, and what can go wrong on them.
        answering: off: requests wait until it is on again.
        store_down: every answer is 503, and new sockets are refused with it.
        requests: how many have come, without those that ask why a stream was refused.
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
        multiplexed: bool = False,
    ) -> None:
        self._clock = clock
        self._sources = sources
        self._http = http
        self.part_b = part_b
        self.delay_ms = delay_ms
        self._heartbeat_ms = heartbeat_ms
        self.wire = Wire(sources, part_b=part_b, multiplexed=multiplexed, heartbeat_ms=heartbeat_ms)
        self.things: dict[str, Thing] = {}
        self._made = 0
        self._version = 0
        self._taken: set[int] = set()
        self._beaten_ms = 0.0
        self._store_down = False
        self.answering = True
        self.requests = 0
        self.under_way = 0

    def streams(self) -> dict[str, StreamSpec]:
        """The one stream."""
        return thing_streams()

    def queries(self) -> dict[str, QuerySpec[Any]]:
        """`things` (live, item, window; fed by the stream) and `count` (aggregate; polled, outdated by the stream)."""
        return thing_queries()

    # What happens at the server -------------------------------------------------------------------------------------------------

    @property
    def accepting(self) -> bool:
        """Off, sockets are refused for a reason that passes."""
        return self.wire.refusal is None

    @accepting.setter
    def accepting(self, on: bool) -> None:
        self.wire.refusal = None if on else 503

    @property
    def store_down(self) -> bool:
        return self._store_down

    @store_down.setter
    def store_down(self, down: bool) -> None:
        self._store_down = down
        self.accepting = not down

    @property
    def life(self) -> int:
        return self.wire.life

    @property
    def sequence(self) -> int:
        return self.wire.sequence

    def change(self, entity: str, *, state: str, silently: bool = False) -> None:
        """Make a thing or change one; every open stream that was greeted hears of it, unless the frame is lost `silently`."""
        known = self.things.get(entity)
        self._version += 1
        if known is None:
            self._made += 1
        made = known.made if known is not None else self._made
        self.things[entity] = Thing(id=entity, made=made, version=self._version, state=state)
        self.wire.publish(Changed(thing=self.things[entity]).model_dump_json(), silently=silently)

    def restart(self) -> None:
        """A new life: every socket breaks, sequences begin anew, nothing can be resumed. The things are kept."""
        self.wire.restart()

    def drop(self) -> None:
        """Every socket that was answered breaks."""
        self.wire.drop()

    @property
    def version(self) -> int:
        """How often anything was changed."""
        return self._version

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
            self._clock.advance(max(0.0, min(step_ms, end - self._clock.now())))
        self._serve()

    def _serve(self) -> None:
        for pending in self._http.waiting:
            if not pending.seen and self.answering:
                pending.seen = True
                self.requests += not pending.request.head_only
                self._later(lambda pending=pending: self._answer(pending))
        for source in list(self._sources.open_urls):
            if source not in self._taken:
                self._taken.add(source)
                self._later(lambda source=source: self.wire.greet(source))
        if self.part_b and self._clock.now() - self._beaten_ms >= self._heartbeat_ms:
            self._beaten_ms = self._clock.now()
            self.wire.beat()
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
        url = urlsplit(pending.request.url)
        name, _, entity = url.path.partition("/")
        if url.path in (SINGLE, MANY):
            self._say_why(pending, url.path)
        elif self._store_down:
            self._later(lambda: pending.reply({"detail": "the store is away"}, status=503))
        elif name == MANY:
            known = self.wire.change(entity, json.loads(pending.request.body or "{}"))
            self._later(lambda: pending.reply({}, status=200 if known else 404))
        else:
            self._answer_query(pending, name, entity, url.query)

    def _answer_query(self, pending: Pending, name: str, entity: str, query: str) -> None:
        position = f"e{self.life}:{self.sequence}" if self.part_b else ""
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
            asked = parse_qs(query)
            body = self._list(tuple(asked.get("state", ())), LIVE_LIST_LIMIT if asked["mode"] == ["live"] else None)
        self._later(lambda: pending.reply(body, position=position))

    def _say_why(self, pending: Pending, path: str) -> None:
        """A plain request for a stream: the status with which its socket was refused."""
        status = self.wire.status_of(path)
        if status == 0:
            self._later(pending.lose)
        else:
            kind = "text/event-stream" if status == 200 else "application/json"
            self._later(lambda: pending.reply("", status=status, headers={"content-type": kind}))

    def _list(self, states: Sequence[object], limit: int | None) -> list[dict[str, Any]]:
        chosen = [thing for thing in self.things.values() if not states or thing.state in states]
        return [thing.model_dump() for thing in sorted(chosen, key=lambda thing: -thing.made)[:limit]]

    def _count(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for thing in self.things.values():
            counts[thing.state] = counts.get(thing.state, 0) + 1
        return counts
