"""Every figure that the statistics show has a producer: random histories move it, or a test that is named here (RT-80, RT-81)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, cast

import histories
import pytest
from histories import KEYS, Run

from pyapp.core.client import MutationSpec, Patch, live, stream_key
from pyapp.core.ports import HttpRequest

HISTORIES = 40


def figures(place: str, value: object) -> Iterator[tuple[str, float]]:
    """Every number below a snapshot of statistics, by the class and the field that show it."""
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from figures(f"{type(value).__name__}.{field.name}", getattr(value, field.name))
    elif isinstance(value, Mapping):
        for one in cast("Mapping[object, object]", value).values():
            yield from figures(place, one)
    elif isinstance(value, list | tuple) and not hasattr(cast(object, value), "_fields"):
        for one in cast("list[object]", value):
            yield from figures(place, one)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield place, float(value)


def _raise(result: Any) -> None:
    raise ValueError("an application's mistake")


def _use(world: Run, number: int) -> None:
    """What histories do not do: act, paint, listen to a stream, make mistakes, and look in while something waits."""
    world.client.on_paint(lambda: True)
    world.client.invalidate(live("things"))
    if number == 0:
        world.client.mutate("touch", {}, lambda outcome: None)
        world.client.use_query(KEYS[0], _raise)
        world.client.use_stream(stream_key("things"), lambda event: None)
    world.change("t3", "hot")


ELSEWHERE = {
    "BeatStatistics.over": "test_beat.py::a beat that takes too long is counted",
    "BeatStatistics.slices": "test_beat.py::a flood is taken in slices and painted at the cadence of the beat",
    "BodyStatistics.bytes": "test_bodies.py::the least recently used goes first by number and",
    "BodyStatistics.entries": "test_bodies.py::the least recently used goes first by number and",
    "BodyStatistics.evicted": "test_bodies.py::the least recently used goes first by number and",
    "BodyStatistics.hits": "test_coordinator.py::a 304 yields the body that is kept with",
    "CacheStatistics.collected": "test_cache_observers.py::data is kept for the longest time that anyone",
    "CacheStatistics.evicted": "test_retention.py::windows that nobody looks at are forgotten in the",
    "CacheStatistics.select_errors": "test_cache_observers.py::a function that raises is the error of its",
    "DomainStatistics.drifts": "test_drift.py::drift of a resource is counted named corrected and",
    "DomainStatistics.silent_gaps": "test_drift.py::a row that a silent stream did not tell",
    "EndpointStatistics.joined": "test_coordinator.py::what asks for the same while it is in",
    "EndpointStatistics.kept": "test_coordinator.py::an answer serves for a second after it came",
    "EndpointStatistics.not_modified": "test_coordinator.py::a 304 yields the body that is kept with",
    "InboxStatistics.coalesced": "test_inbox.py::replaceable events of an entity replace their predecessor unless",
    "InboxStatistics.dropped": "test_inbox.py::on overflow replaced and replaceable events go first and",
    "InboxStatistics.overflows": "test_inbox.py::on overflow replaced and replaceable events go first and",
    "InboxStatistics.ignored": "test_client_streams.py::what comes while a stream lingers is ignored",
    "InboxStatistics.waiting": "test_inbox.py::what waits is counted until it is taken",
    "QueryStatistics.pages": "test_cache_pages.py::the first page comes by itself and each further",
    "QueryStatistics.select_errors": "test_cache_observers.py::a function that raises is the error of its",
    "StreamTotals.dropped": "test_order.py::more behind a record than an inbox holds is",
    "StreamTotals.overflows": "test_order.py::more behind a record than an inbox holds is",
    "TransportStatistics.strays": "test_multiplexed.py::frames that are no envelopes or for nobody are",
    "TransportStatistics.requests": "test_multiplexed.py::changes of one tick are one request",
    "TransportStatistics.early": "test_multiplexed.py::frames of an earlier subscription do not speak for",
    "TransportStatistics.invalid": "test_multiplexed.py::frames that are no envelopes or for nobody are",
}
"""Figures of what histories do not reach, each with the test that moves it, by the first words of its name."""
CONSTANT = frozenset({"Connection.heartbeat_ms", "Connection.rhythm_ms"})
"""The scripted server announces one interval; the tests of the machine announce others."""


def moved(seeds: range) -> tuple[set[str], set[str]]:
    """The figures that are shown, and those of them that were seen to change."""
    seen: dict[str, set[float]] = {}
    for seed in seeds:
        history = histories.make(seed)
        world = Run(history, mutations={"touch": TOUCH})
        for number in range(4):
            world.change(f"t{number}", "cold")
        world.person.go([histories.RANGE, *KEYS])
        world.server.run(2_000, 50)
        for number_of, step in enumerate(history.steps):
            world.step(step)
            _use(world, number_of)
            for place, figure in figures("", world.client.statistics()):
                seen.setdefault(place, set()).add(figure)
        world.left()
    return set(seen), {place for place, values in seen.items() if len(values) > 1}


TOUCH = MutationSpec(
    "touch",
    lambda args: HttpRequest("POST", "count"),
    lambda args: (live("things"),),
    optimistic=lambda args: (Patch(live("things"), lambda data: data),),
)


@pytest.mark.chance
def test_every_figure_that_is_shown_is_moved_by_something() -> None:
    # RT-80, RT-81
    shown, changed = moved(range(HISTORIES))
    assert sorted(shown - changed - set(ELSEWHERE) - CONSTANT) == []


def test_the_tests_that_move_the_others_are_there() -> None:
    # RT-81
    for figure, test in ELSEWHERE.items():
        file, _, words = test.partition("::")
        assert f"def test_{words.replace(' ', '_')}" in (Path(__file__).parent / file).read_text(encoding="utf-8"), figure
