"""A family of data in one call (RT-77)."""

from __future__ import annotations

import json
import random
from typing import Any, Literal

from pydantic import BaseModel, RootModel

from pyapp.core.cache.result import Result
from pyapp.core.client import Client, Reduction, WritableKey, live
from pyapp.core.declare import Family, events, polled, snapshots
from pyapp.core.testing import FakeHttp, FakeSources, FakeVisibility, VirtualClock


class Numbers(RootModel[tuple[int, ...]]):
    pass


class Said(BaseModel):
    type: Literal["said"] = "said"
    numbers: Numbers


class Added(BaseModel):
    type: Literal["added"] = "added"
    number: int


def add(key: WritableKey, data: Numbers, batch: Any) -> Reduction[Numbers]:
    return Reduction(Numbers((*data.root, *(event.number for event in batch))))


def watch(family: Family, first: list[int], **params: Any) -> tuple[VirtualClock, FakeSources, FakeHttp, list[Result[Any]]]:
    """A client that looks at one family, after its first answer."""
    clock, sources, http = VirtualClock(), FakeSources(), FakeHttp()
    client = Client(
        clock=clock,
        sources=sources,
        http=http,
        visibility=FakeVisibility(),
        random=random.Random(1),
        queries={"n": family.query},
        streams={"n": family.stream} if family.stream is not None else {},
    )
    seen: list[Result[Any]] = []
    client.use_query(live("n", **params), seen.append)
    clock.settle()
    if family.stream is not None:
        sources.accept("n/stream")
        sources.hello("n/stream")
        clock.settle()
    clock.advance(600)
    for pending in http.waiting:
        pending.reply(first)
    clock.settle()
    return clock, sources, http, seen


def test_a_stream_of_snapshots_is_the_data() -> None:
    # RT-77
    clock, sources, _, seen = watch(snapshots("n", "n", Numbers, "n/stream", Said, lambda event: event.numbers), [1])
    sources.say("n/stream", json.loads(Said(numbers=Numbers((2, 3))).model_dump_json()), "e1:1")
    clock.settle()
    assert [result.data.root for result in seen if result.data is not None][0:1] == [(1,)]
    assert seen[-1].data == Numbers((2, 3))
    assert seen[-1].freshness.state == "live"


def test_events_change_the_data() -> None:
    # RT-77
    clock, sources, _, seen = watch(events("n", "n", Numbers, "n/stream", Added, add), [1])
    sources.say("n/stream", {"type": "added", "number": 2}, "e1:1")
    sources.say("n/stream", {"type": "added", "number": 3}, "e1:2")
    clock.settle()
    assert seen[-1].data == Numbers((1, 2, 3))


def test_what_no_stream_writes_is_polled() -> None:
    # RT-77, RT-8
    clock, sources, http, seen = watch(polled("n", "n", Numbers), [1])
    assert not sources.history
    clock.advance(6_000)
    assert len(http.sent) == 2
    assert seen[-1].freshness.state == "polling"


def test_the_parameters_of_a_key_are_those_of_the_request() -> None:
    # RT-77
    _, _, http, _ = watch(polled("n", "n", Numbers), [1], state=["hot", "cold"], limit=5)
    assert [pending.request.url for pending in http.sent] == ["n?limit=5&state=cold&state=hot"]


def test_data_goes_to_another_tab_and_is_there_what_it_was() -> None:
    # RT-62, RT-77
    exchange = polled("n", "n", Numbers).query.exchange
    assert exchange is not None
    assert exchange.load(live("n"), exchange.dump(live("n"), Numbers((1, 2)))) == Numbers((1, 2))
