"""Eight simulated hours with the noise of daily life: nothing grows, and what is set is what somebody needs."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, cast

import histories
import pytest
from histories import KEYS, RANGE, History, Run

from pyapp.core.client import LiveList, WindowData

HOURS = 8 if sys.platform != "emscripten" else 2
MINUTE_MS = 60_000.0
SETTLE_MS = 90_000.0


def _children(thing: object) -> Iterable[tuple[str, object]]:
    if isinstance(thing, dict):
        pairs = cast("dict[object, object]", thing).items()
        return [(part, one) for pair in pairs for part, one in (("key", pair[0]), ("value", pair[1]))]
    if isinstance(thing, list | tuple | set | frozenset) or type(thing).__name__ == "deque":
        return [("", one) for one in cast("Iterable[object]", thing)]
    ours = type(thing).__module__.startswith("pyapp.core") and not type(thing).__module__.startswith("pyapp.core.testing")
    if ours and not isinstance(thing, type | Enum | LiveList | WindowData):  # what the server's lists hold is the server's
        if is_dataclass(thing):
            return [(field.name, getattr(thing, field.name)) for field in fields(thing)]
        slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
        names = [*getattr(thing, "__dict__", {}), *slots]
        return [(name, getattr(thing, name)) for name in names if hasattr(thing, name)]
    return []


def _by_enum(thing: object) -> bool:
    """Whether it is a count per reason: there are only so many of them."""
    return isinstance(thing, dict) and all(isinstance(key, Enum) for key in cast("dict[object, object]", thing))


def sizes(root: object) -> dict[str, int]:
    """How many members the collections below an object have, summed by the attributes of the core's classes that hold them."""
    found: dict[str, int] = {}
    seen: set[int] = set()
    waiting: list[tuple[str, object]] = [("", root)]
    while waiting:
        place, thing = waiting.pop()
        collection = isinstance(thing, dict | list | set | tuple) or type(thing).__name__ == "deque"
        thing = cast("object", thing)
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if collection and not hasattr(thing, "_fields") and not _by_enum(thing):
            found[place] = found.get(place, 0) + len(cast("Any", thing))
        for name, child in _children(thing):
            waiting.append((place if collection else f"{type(thing).__name__}.{name}", child))
    return found


def _a_day(world: Run, chance: random.Random, minutes: int) -> None:
    """Minutes of ordinary use."""
    for _ in range(minutes):
        match chance.randrange(12):
            case 0 | 1 | 2 | 3 | 4:
                changes = [[chance.randrange(70), chance.choice(("hot", "cold"))] for _ in range(chance.choice((1, 5, 40)))]
                world.step(["change", changes, MINUTE_MS])
            case 5:
                world.step(["drop", MINUTE_MS])
            case 6:
                world.step(["hide", True, MINUTE_MS])
                world.step(["hide", False, 1_000.0])
            case 7:
                world.step(["route", sorted(chance.sample(range(len(KEYS)), 2)), MINUTE_MS])
                world.step(["route", list(range(len(KEYS))), 1_000.0])
            case 8:
                world.step(["restart", MINUTE_MS])
            case 9:
                world.step(["answering", False, 20_000.0])
                world.step(["answering", True, 40_000.0])
            case 10:
                world.step(["live", 0, False, MINUTE_MS])
                world.step(["live", 0, True, 1_000.0])
            case _:
                world.step(["refresh", chance.randrange(len(KEYS)), MINUTE_MS])


def _settled(world: Run) -> tuple[dict[str, int], int]:
    """The sizes, and the fewest timers of some moments (a poll under way has one more), when all is quiet."""
    world.quiet()
    world.server.run(SETTLE_MS, 1_000)
    timers: list[int] = []
    for _ in range(40):
        world.server.run(250, 50)
        timers.append(world.clock.timers - world.server.under_way)
    return sizes(world.client), min(timers)


@pytest.mark.chance
@pytest.mark.parametrize("part_b", [True, False], ids=["part B", "part A"])
def test_eight_hours_leave_no_more_than_one(part_b: bool) -> None:
    # RT-11, RT-20, RT-84
    chance = random.Random(8)
    world = Run(History(8, {**histories.make(8).setup, "part_b": part_b}, []))
    for number in range(70):
        world.server.change(f"t{number}", state="cold")
    world.person.go([RANGE, *KEYS])
    world.server.run(2_000, 50)
    _a_day(world, chance, 60)
    before, timers_before = _settled(world)
    for results in world.person.seen.values():
        results.clear()
    _a_day(world, chance, (HOURS - 1) * 60)
    after, timers_after = _settled(world)
    grown = {path: (before.get(path, 0), size) for path, size in after.items() if size > before.get(path, 0)}
    assert grown == {}
    assert timers_after == timers_before
    assert world.lies == []
    observers = sum(query.observers for query in world.client.statistics().cache.queries)
    assert observers == 1 + len(KEYS)
    assert world.left() == 0
