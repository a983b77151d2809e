"""Random histories against the scripted server, then quiet: every live query equals the server's answer, every window is untouched."""

from __future__ import annotations

import random
from typing import Any

import pytest

from pyapp.core.cache.result import Result
from pyapp.core.client import Client, QueryKey, aggregate, item, live, window
from pyapp.core.testing import FakeHttp, FakeSources, FakeVisibility, ScriptedServer, VirtualClock

HISTORIES = 200
STEPS = 25
QUIET_MS = 75_000
"""Past the safety snapshot of a part-A server, the longest that anything may stay wrong (RT-8)."""

KEYS: tuple[QueryKey, ...] = (live("things"), live("things", state=["hot"]), item("things", "t3"), aggregate("count"))
RANGE = window("things", after="2026-01-01T00:00:00Z", before="2027-01-01T00:00:00Z")


class Person:
    """Looks at some of the keys, by routes."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.seen: dict[QueryKey, list[Result[Any]]] = {}
        self.observers: dict[QueryKey, Any] = {}

    def look(self, key: QueryKey, *, on: bool = True) -> None:
        results = self.seen.setdefault(key, [])
        self.observers[key] = self.client.use_query(key, results.append, live=on)

    def go(self, keys: list[QueryKey]) -> None:
        for key in [key for key in self.observers if key not in keys]:
            self.observers.pop(key).close()
        for key in keys:
            if key not in self.observers:
                self.look(key)


def plain(data: Any) -> Any:
    if hasattr(data, "rows"):
        return [row.model_dump() for row in data.rows]
    return data.model_dump() if hasattr(data, "model_dump") else data


def history(seed: int) -> tuple[list[str], int]:
    """Run one history; returns what went wrong, in words."""
    chance = random.Random(seed)
    clock, sources, http, page = VirtualClock(creep_ms=0.001), FakeSources(), FakeHttp(), FakeVisibility()
    part_b = chance.random() < 0.6
    server = ScriptedServer(clock, sources, http, part_b=part_b, delay_ms=lambda: chance.choice((2.0, 30.0, 400.0)))
    client = Client(
        clock=clock,
        sources=sources,
        http=http,
        visibility=page,
        random=random.Random(seed),
        queries=server.queries(),
        streams=server.streams(),
    )
    for number in range(4):
        server.change(f"t{number}", state="cold")
    person = Person(client)
    person.look(RANGE)
    person.go([RANGE, *KEYS])
    server.run(2_000, 50)
    before = plain(person.seen[RANGE][-1].data)
    for _ in range(STEPS):
        match chance.randrange(12):
            case 0 | 1 | 2 | 3:
                for _ in range(chance.choice((1, 3, 30))):
                    server.change(f"t{chance.randrange(70)}", state=chance.choice(("hot", "cold")))
            case 4:
                server.drop()
            case 5:
                server.change("t3", state=chance.choice(("hot", "cold")), silently=True)
            case 6:
                page.set(hidden=not page.hidden())
            case 7:
                person.go([RANGE, *chance.sample(KEYS, chance.randrange(len(KEYS) + 1))])
            case 8:
                observer = person.observers.get(chance.choice(KEYS))
                if observer is not None:
                    observer.set_live(not observer.live)
            case 9:
                server.restart()
            case 10:
                server.answering = not server.answering
            case _:
                server.accepting = not server.accepting
        server.run(chance.choice((0.0, 20.0, 120.0, 700.0, 3_000.0, 14_000.0)), 50)
    # Quiet.
    page.set(hidden=False)
    server.answering = server.accepting = True
    person.go([RANGE, *KEYS])
    for observer in person.observers.values():
        observer.set_live(True)
    server.run(QUIET_MS, 250)
    wrong: list[str] = []
    for key in KEYS:
        result = person.seen[key][-1]
        if plain(result.data) != server.answer_of(key):
            wrong.append(f"{key} differs ({result.freshness}): {plain(result.data)} is not {server.answer_of(key)}")
        if key.family == "things" and result.freshness.state != "live":
            wrong.append(f"{key} says {result.freshness.state}, {result.freshness.reason}")
        if result.error is not None:
            wrong.append(f"{key} still fails: {result.error}")
    if {id(result.data) for result in person.seen[RANGE] if result.has_data} != {id(person.seen[RANGE][-1].data)}:
        wrong.append("the window was written to")
    if plain(person.seen[RANGE][-1].data) != before:
        wrong.append("the window is not what was read")
    if client.statistics().errors:
        wrong.append(f"errors: {client.statistics().errors}")
    client.close()
    return wrong, clock.timers - server.under_way


@pytest.mark.parametrize("block", range(8))
def test_after_any_history_every_live_query_equals_the_server_and_every_window_is_untouched(block: int) -> None:
    for seed in range(block * HISTORIES // 8, (block + 1) * HISTORIES // 8):
        wrong, timers = history(seed)
        assert not wrong, f"seed {seed}: {wrong}"
        assert timers == 0, f"seed {seed}: {timers} timers are left"
