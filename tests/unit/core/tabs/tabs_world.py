"""Consoles in many tabs over one scripted server, on one virtual clock."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from pyapp.core.cache.result import Result
from pyapp.core.client import Client, QueryKey, live
from pyapp.core.tabs.election import Role
from pyapp.core.tabs.statistics import TabStatistics
from pyapp.core.testing import ScriptedServer, VirtualClock
from pyapp.core.testing.tabs import FakeTab, Origin

THINGS = live("things")


class Tab:
    """One console in one tab."""

    def __init__(
        self, world: World, name: str, *, locks: bool = True, channel: bool = True, storage: bool = True, group: str = "ann"
    ) -> None:
        self.fake: FakeTab = world.origin.tab(name)
        self.seen: dict[QueryKey, list[Result[Any]]] = {}
        self.client = Client(
            clock=self.fake.clock,
            sources=self.fake.sources,
            http=self.fake.http,
            visibility=self.fake.page,
            lifecycle=self.fake.lifecycle,
            random=random.Random(name),
            queries=world.server.queries(),
            streams=world.server.streams(),
            multiplexed=world.multiplexed,
            tabs=self.fake.ports(group, locks=locks, channel=channel, storage=storage),
        )

    def look(self, key: QueryKey = THINGS) -> Any:
        return self.client.use_query(key, self.seen.setdefault(key, []).append)

    @property
    def tabs(self) -> TabStatistics:
        tabs = self.client.statistics().tabs
        assert tabs is not None
        return tabs

    def result(self, key: QueryKey = THINGS) -> Result[Any]:
        return self.seen[key][-1]

    def state(self, key: QueryKey = THINGS) -> str:
        return str(self.result(key).freshness.state)

    def data(self, key: QueryKey = THINGS) -> Any:
        data: Any = self.result(key).data
        if hasattr(data, "rows"):
            return [row.model_dump() for row in data.rows]
        return data.model_dump() if hasattr(data, "model_dump") else data

    def fetched(self) -> int:
        return sum(row.sent for row in self.client.statistics().requests.endpoints)

    def close(self) -> None:
        """As a person closes a tab: the page is told."""
        self.fake.put_away()
        self.fake.kill()


class World:
    """Tabs of one origin and their server."""

    def __init__(
        self,
        *,
        part_b: bool = True,
        multiplexed: bool = True,
        latency_ms: Callable[[], float] = lambda: 1.0,
        delay_ms: Callable[[], float] = lambda: 20.0,
    ) -> None:
        self.clock = VirtualClock(creep_ms=0.0001)
        self.origin = Origin(self.clock, latency_ms)
        self.multiplexed = multiplexed and part_b
        self.server = ScriptedServer(
            self.clock, self.origin.sources, self.origin.http, part_b=part_b, multiplexed=self.multiplexed, delay_ms=delay_ms
        )
        self.server.change("t1", state="cold")
        self.tabs: list[Tab] = []

    def tab(
        self, name: str, *, look: bool = True, locks: bool = True, channel: bool = True, storage: bool = True, group: str = "ann"
    ) -> Tab:
        tab = Tab(self, name, locks=locks, channel=channel, storage=storage, group=group)
        self.tabs.append(tab)
        if look:
            tab.look()
        return tab

    def some(self, count: int) -> list[Tab]:
        """So many tabs, one after the other, settled: the first leads."""
        tabs: list[Tab] = []
        for number in range(count):
            tabs.append(self.tab(f"t{number}"))
            self.run(300)
        return tabs

    def run(self, ms: float) -> None:
        self.server.run(ms)
        for tab in self.tabs:
            assert not tab.fake.errors, tab.fake.errors
            assert not tab.client.statistics().errors, tab.client.statistics().errors

    def leaders(self) -> list[Tab]:
        return [tab for tab in self.tabs if tab.fake.alive and tab.tabs.role is Role.LEADING]

    def equal(self, tab: Tab) -> bool:
        return tab.data() == self.server.answer_of(THINGS)
