"""One endpoint class that hangs, fails or answers nonsense changes nothing for the others (RT-66): a whole client, with and without."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest

from pyapp.core.client import Client, EndpointClass, EndpointSpec, QuerySpec, Result, aggregate
from pyapp.core.ports import HttpAnswer, HttpRequest
from pyapp.core.testing import FakeHttp, FakeSources, FakeVisibility, VirtualClock

FAMILIES = ("sick", "well", "fine")
DELAY_MS, STEP_MS, RUN_MS = 30.0, 10.0, 300_000.0
JSON = {"content-type": "application/json"}


class Hospital:
    """Three queries of three classes, polled every 5 s at a server that answers after 30 ms; `sick` as the fault says."""

    def __init__(self, fault: str, *, panels: int = 3) -> None:
        self.clock, self.http, self.fault = VirtualClock(creep_ms=0.0), FakeHttp(), fault
        self.asked: dict[str, list[float]] = defaultdict(list)
        self.took: dict[str, list[float]] = defaultdict(list)
        self.marks: dict[str, list[tuple[float, str, str]]] = defaultdict(list)
        self.client = Client(
            clock=self.clock,
            sources=FakeSources(),
            http=self.http,
            visibility=FakeVisibility(),
            random=random.Random(1),
            queries={
                name: QuerySpec(
                    name,
                    frozenset({"aggregate"}),
                    name,
                    lambda key: HttpRequest("GET", f"{key.family}?{key.get('n')}"),
                    lambda key, text: json.loads(text)["ok"],
                )
                for name in FAMILIES
            },
            streams={},
            endpoints={name: EndpointSpec(name, EndpointClass(f"class of {name}")) for name in FAMILIES},
        )
        for name in FAMILIES:
            for number in range(panels):
                self.look(name, number)

    def look(self, name: str, number: int) -> None:
        def seen(result: Result[Any]) -> None:
            marks = self.marks[f"{name} {number}"]
            mark = str(result.freshness.state), str(result.freshness.reason)
            if not marks or marks[-1][1:] != mark:
                marks.append((self.clock.now(), *mark))

        self.client.use_query(aggregate(name, n=number), seen)

    def run(self, ms: float = RUN_MS) -> None:
        end = self.clock.now() + ms
        while self.clock.now() < end:
            for pending in self.http.waiting:
                if not pending.seen:
                    pending.seen = True
                    name, now = pending.request.url.partition("?")[0], self.clock.now()
                    self.asked[name].append(now)
                    if name != "sick" or self.fault != "hang":
                        self.clock.call_at(now + DELAY_MS, lambda pending=pending, name=name: self.answer(pending, name))
            self.clock.advance(STEP_MS)
            self.http.forget()

    def answer(self, pending: Any, name: str) -> None:
        if pending.cancelled:
            return
        pending.answered = True
        match self.fault if name == "sick" else "":
            case "503":
                pending.on_answer(HttpAnswer(503, JSON, "{}"))
            case "html":
                pending.on_answer(HttpAnswer(200, {"content-type": "text/html"}, "<p>"))
            case "garbage":
                pending.on_answer(HttpAnswer(200, {**JSON, "etag": '"1"'}, '{"nothing": 1}'))
            case "lost":
                pending.on_answer(HttpAnswer(0, {}, ""))
            case _:
                pending.on_answer(HttpAnswer(200, JSON, '{"ok": true}'))


def others(world: Hospital) -> Any:
    asked = {name: times for name, times in world.asked.items() if name != "sick"}
    marks = {name: marks for name, marks in world.marks.items() if not name.startswith("sick")}
    rows = {row.endpoint: (row.sent, row.failed, row.waited, row.last_ms) for row in world.client.statistics().requests.endpoints}
    del rows["sick"]
    return asked, marks, rows


@pytest.fixture(scope="module")
def undisturbed() -> Any:
    world = Hospital("")
    world.run()
    assert len(world.asked["well"]) > 150
    return others(world)


@pytest.mark.parametrize("fault", ["503", "html", "garbage", "lost", "hang"])
def test_the_others_requests_latency_and_marks_are_those_of_a_run_without_the_fault(fault: str, undisturbed: Any) -> None:
    # RT-66
    world = Hospital(fault)
    world.run()
    assert others(world) == undisturbed


@pytest.mark.parametrize("fault", ["503", "html", "garbage", "lost"])
def test_what_fails_is_asked_once_in_thirty_seconds_and_its_panels_say_why(fault: str) -> None:
    # RT-66
    world = Hospital(fault)
    world.run()
    probes = [at for at in world.asked["sick"] if at > 30_000]
    assert 8 <= len(probes) <= 10
    assert min(later - at for at, later in pairwise(probes)) >= 30_000
    statistics = world.client.statistics()
    lane = next(row for row in statistics.requests.classes if row.cls == "class of sick")
    assert (lane.breaker, lane.opens) == ("open", 1)
    assert [(alert.kind, alert.subject, alert.ended_wall_ms) for alert in statistics.alerts] == [("breaker", "class of sick", None)]
    assert {marks[-1][1] for name, marks in world.marks.items() if name.startswith("sick")} == {"error"}
    assert any(mark[2] == "breaker" for name, marks in world.marks.items() for mark in marks if name.startswith("sick"))


@pytest.mark.parametrize("fault", ["503", "garbage", "hang"])
def test_what_is_well_again_is_live_again_within_the_breakers_time_and_the_alert_ends(fault: str) -> None:
    # RT-66
    world = Hospital(fault)
    world.run(120_000)
    world.fault = ""
    world.run(75_000)
    statistics = world.client.statistics()
    assert {row.breaker for row in statistics.requests.classes} == {"closed"}
    assert all(alert.ended_wall_ms is not None for alert in statistics.alerts)
    assert {marks[-1][1:] for marks in world.marks.values()} == {("polling", "design")}


def test_a_person_who_refreshes_is_the_probe_and_ends_the_breaker_for_all() -> None:
    # RT-66
    world = Hospital("503")
    world.run(40_000)
    world.fault = ""
    asked = len(world.asked["sick"])
    world.client.refresh(aggregate("sick", n=0))
    world.run(DELAY_MS)
    assert len(world.asked["sick"]) == asked + 1
    world.run(1_000)  # whoever was refused asks again as soon as one was answered, and not when the breaker's time is over
    assert {marks[-1][1:] for marks in world.marks.values()} == {("polling", "design")}
    assert {row.breaker for row in world.client.statistics().requests.classes} == {"closed"}


def test_nothing_is_left_after_close_while_a_breaker_is_open() -> None:
    # RT-53
    world = Hospital("lost")
    world.run(20_000)
    world.client.close()
    assert (world.clock.timers, world.http.waiting) == (0, [])


def test_online_again_what_the_breaker_refused_is_tried_at_once() -> None:
    # RT-52, RT-66
    world = Hospital("lost")
    world.run(20_000)
    world.client.set_offline(True)
    world.fault = ""
    world.run(3_000)
    asked = len(world.asked["sick"])
    world.client.set_offline(False)
    world.run(2_000)
    assert len(world.asked["sick"]) > asked
    assert {marks[-1][1:] for marks in world.marks.values()} == {("polling", "design")}
    assert {row.breaker for row in world.client.statistics().requests.classes} == {"closed"}
