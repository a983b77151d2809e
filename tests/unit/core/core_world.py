"""A client over the fakes, for scenarios that decide about every single request and frame."""

from __future__ import annotations

import random
from typing import Any

from pyapp.core.cache.result import Result
from pyapp.core.client import Client, QueryKey, live
from pyapp.core.feeds.changes import StateChange
from pyapp.core.ports import FrameKind
from pyapp.core.testing import FakeHttp, FakeSources, FakeVisibility, ScriptedServer, VirtualClock

STREAM = "things/stream"
THINGS = live("things")


def thing(name: str, version: int = 1, state: str = "cold", made: int = 1) -> dict[str, Any]:
    return {"id": name, "made": made, "version": version, "state": state}


def changed(name: str, version: int = 1, state: str = "cold", made: int = 1) -> dict[str, Any]:
    return {"type": "thing.changed", "thing": thing(name, version, state, made)}


class World:
    """Everything that a scenario needs. Nothing is answered by itself."""

    def __init__(
        self,
        *,
        streams: dict[str, Any] | None = None,
        queries: dict[str, Any] | None = None,
        mutations: dict[str, Any] | None = None,
        protocol: str = "",
        **options: Any,
    ) -> None:
        # Creeping, as real clocks do: two readings of "now" are never the same.
        self.clock, self.sources, self.http, self.page = VirtualClock(creep_ms=0.001), FakeSources(), FakeHttp(), FakeVisibility()
        specs = ScriptedServer(self.clock, self.sources, self.http)
        self.changes: list[StateChange] = []
        self.client = Client(
            clock=self.clock,
            sources=self.sources,
            http=self.http,
            visibility=self.page,
            random=random.Random(1),
            queries=queries or specs.queries(),
            streams=streams or specs.streams(),
            mutations=mutations,
            protocol=lambda: protocol,
            log=self.changes.append,
            **options,
        )

    def look(self, key: QueryKey = THINGS, *, on: bool = True) -> tuple[Any, list[Result[Any]]]:
        seen: list[Result[Any]] = []
        return self.client.use_query(key, seen.append, live=on), seen

    def settle(self) -> None:
        self.clock.settle()

    def open(self, **hello: Any) -> None:
        """The socket opens and a part-B server greets."""
        self.sources.accept(STREAM)
        self.sources.hello(STREAM, **hello)
        self.settle()

    def connected(self, *, sequence: int = 0) -> tuple[Any, list[Result[Any]]]:
        """A live list that is live."""
        observer, seen = self.look()
        self.settle()
        self.open(sequence=sequence)
        for pending in self.http.waiting:
            pending.reply([thing("a")], position=f"e1:{sequence}")
        self.settle()
        for pending in self.http.waiting:
            pending.reply([thing("a")], position=f"e1:{sequence}")
        self.settle()
        assert states(seen)[-1] == "live"
        return observer, seen

    def say(self, event: Any, frame_id: str = "") -> None:
        self.sources.say(STREAM, event, frame_id)

    def break_off(self, *, final: bool = False) -> None:
        self.sources.record(self.sources.source(STREAM), FrameKind.FAILED, "2" if final else "0")
        self.settle()

    def beats(self, ms: float, sequence: int = 0) -> None:
        """Time passes at a part-B server that says nothing but its heartbeat."""
        end = self.clock.now() + ms
        while self.clock.now() < end:
            self.clock.advance(min(4_000, end - self.clock.now()))
            if STREAM in [url.partition("?")[0] for url in self.sources.open_urls.values()]:
                self.sources.beat(STREAM, sequence)
        self.settle()


def data_of(result: Result[Any]) -> Any:
    """The data, of which only the test knows the type."""
    return result.data


def states(seen: list[Result[Any]]) -> list[str]:
    """The states that a panel went through."""
    out: list[str] = []
    for result in seen:
        if not out or out[-1] != result.freshness.state:
            out.append(str(result.freshness.state))
    return out


def versions(seen: list[Result[Any]]) -> list[list[tuple[str, int]]]:
    """The rows that a panel showed, as names and versions, without repetitions."""
    out: list[list[tuple[str, int]]] = []
    for result in seen:
        if result.has_data:
            rows = [(row.id, row.version) for row in data_of(result).rows]
            if not out or out[-1] != rows:
                out.append(rows)
    return out
