"""Order and budget of a beat: control records wait behind data, and counters add up at every moment (RT-40, RT-41)."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pyapp.core.ports import FrameKind
from pyapp.core.streams import connection as c
from pyapp.core.streams.inbox import Batch
from pyapp.core.streams.manager import StreamManager
from pyapp.core.streams.position import Position
from pyapp.core.streams.probe import StatusProbe
from pyapp.core.streams.spec import StreamKey, StreamSpec, stream_key
from pyapp.core.streams.transport import DirectTransport
from pyapp.core.testing import FakeHttp, FakeSources, VirtualClock
from pyapp.core.testing.things import thing_streams
from pyapp.core.timings import Timings

KEY = stream_key("things")
PATH = "things/stream"


class Log:
    """A listener that writes down what it is told, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def stream_changed(self, key: StreamKey, state: c.Connection) -> None:
        self.lines.append(f"{state.phase} {state.reason}".strip())

    def stream_confirmed(self, key: StreamKey, confirmed: c.Confirmed) -> None:
        self.lines.append("confirmed")

    def stream_gap(self, key: StreamKey, cause: str) -> None:
        self.lines.append("gap")

    def stream_placed(self, key: StreamKey, position: Position) -> None:
        self.lines.append("placed")

    def stream_delivered(self, key: StreamKey, batch: Batch) -> int:
        self.lines.append(f"data {len(batch.items)}")
        return len(batch.items)

    def stream_alive(self, key: StreamKey) -> None:
        self.lines.append("alive")

    def server_time(self, wall_ms_text: str) -> None: ...


def managed(specs: Mapping[str, StreamSpec] | None = None) -> tuple[StreamManager, FakeSources, Log, VirtualClock]:
    clock, sources, http, log = VirtualClock(), FakeSources(), FakeHttp(), Log()
    manager = StreamManager(
        clock=clock,
        transport=DirectTransport(sources),
        probe=StatusProbe(clock, http, {}),
        specs=specs or thing_streams(),
        timings=Timings(),
        random=random.Random(1),
        limit=lambda: 4,
        listener=log,
    )
    manager.want({stream_key(name): None for name in specs or ("things",)})
    return manager, sources, log, clock


def event(n: int) -> dict[str, Any]:
    return {"type": "thing.changed", "thing": {"id": f"t{n}", "made": n, "version": n, "state": "x"}}


def adds_up(manager: StreamManager) -> bool:
    s = manager.statistics()[0].counts
    return s.received == s.applied + s.coalesced + s.dropped + s.invalid + s.old + s.ignored + s.waiting


def test_a_heartbeat_behind_a_flood_waits_its_turn_and_the_beat_keeps_its_budget() -> None:
    # RT-40, RT-41
    manager, sources, log, _ = managed()
    sources.hello(PATH, sequence=0)
    for n in range(1, 451):
        sources.say(PATH, event(n), f"e1:{n}")
    sources.beat(PATH, 450)
    for n in range(451, 471):
        sources.say(PATH, event(n), f"e1:{n}")
    manager.collect()
    log.lines.clear()
    for expected in (["data 200"], ["data 200"], ["data 50"], ["alive"], ["data 20"]):
        allowed = iter((True,))
        assert manager.waiting()
        manager.deliver(lambda allowed=allowed: next(allowed, False))
        assert (log.lines, adds_up(manager)) == (expected, True)
        log.lines.clear()
    assert not manager.waiting()
    assert manager.statistics()[0].gaps == 0


def test_a_beat_that_is_over_its_time_before_it_begins_still_applies_one_batch() -> None:
    # RT-41, RT-84
    manager, sources, log, _ = managed()
    sources.hello(PATH, sequence=0)
    for n in range(1, 251):
        sources.say(PATH, event(n), f"e1:{n}")
    manager.collect()
    log.lines.clear()
    manager.deliver(lambda: False)
    assert log.lines == ["data 200"]
    manager.deliver(lambda: False)
    assert log.lines == ["data 200", "data 50"]


def test_beats_without_time_serve_one_stream_after_the_other() -> None:
    # RT-41, RT-84
    specs = {name: replace(thing_streams()["things"], name=name, path=name) for name in ("a", "b", "c")}
    manager, sources, log, _ = managed(specs)
    for name in specs:
        sources.hello(name, sequence=0)
        for n in range(1, 251):
            sources.say(name, event(n), f"e1:{n}")
    manager.collect()
    log.lines.clear()
    for _ in range(6):
        manager.deliver(lambda: False)
    assert log.lines == ["data 200"] * 3 + ["data 50"] * 3
    assert not manager.waiting()


def test_what_breaks_behind_data_breaks_after_it() -> None:
    # RT-40
    manager, sources, log, _ = managed()
    sources.hello(PATH, sequence=0)
    sources.say(PATH, event(1), "e1:1")
    sources.fail(PATH)
    manager.collect()
    manager.deliver(lambda: True)
    assert log.lines[-3:] == ["data 1", "alive", "reconnecting dropped"] or log.lines[-2:] == ["data 1", "reconnecting dropped"]
    assert manager.statistics()[0].state.position == Position("e1", 1)


def test_more_behind_a_record_than_an_inbox_holds_is_an_overflow_and_a_gap() -> None:
    # RT-40
    manager, sources, log, _ = managed()
    sources.hello(PATH, sequence=0)
    sources.say(PATH, event(1), "e1:1")
    sources.beat(PATH, 1)
    for n in range(2, 2_300):
        sources.say(PATH, event(n), f"e1:{n}")
    manager.collect()
    manager.deliver(lambda: True)
    assert "gap" in log.lines
    assert adds_up(manager)
    assert manager.totals().overflows == 1


HOSTILE = (
    "",
    "{",
    "null",
    "[" * 10_000,
    "\x00",
    "\ufeff{}",
    "\x1e\x1f",
    '{"type":"\ud800"}',
    '{"type":"thing.changed","thing":null}',
    "9" * 5_000,
    " " * (1024 * 1024 + 1),
)
IDS = ("", "e1:1", "e1:1", "e1:2", "e1:7", "e1:-4", "e1:99999999999999999999", "x", ":", "e2:1", "\x00:3")
KINDS = (
    FrameKind.HELLO,
    FrameKind.HEARTBEAT,
    FrameKind.RESET,
    FrameKind.BYE,
    FrameKind.FAILED,
    FrameKind.NAMED_ERROR,
    FrameKind.OPENED,
)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(IDS), st.sampled_from(HOSTILE), st.sampled_from(KINDS)), max_size=40))
def test_whatever_comes_nothing_is_raised_and_the_counters_add_up_at_every_moment(steps: list[tuple[int, str, str, FrameKind]]) -> None:
    # RT-29, RT-40
    manager, sources, _, clock = managed()
    for choice, frame_id, text, kind in steps:
        number = next(iter(sources.open_urls), None)
        if number is not None:
            if choice < 4:
                sources.say(PATH, event(choice), frame_id)
            elif choice < 7:
                sources.record(number, FrameKind.MESSAGE, text, frame_id)
            elif choice == 7:
                sources.record(number, kind, text, frame_id)
            else:
                sources.record(number, FrameKind.HELLO, '{"epoch":"e1","heartbeat_ms":5000,"sequence":1}')
        if choice % 3 == 0:
            manager.collect()
            assert adds_up(manager)
            manager.deliver(lambda choice=choice: choice % 2 == 0)
        clock.advance(choice * 300)
        assert adds_up(manager)
        assert len(sources.open_urls) <= 1
        assert manager.open_count() == len(sources.open_urls)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(("want", "leave", "block", "lift", "fail", "refuse", "sleep", "off", "on", "wait")), st.integers(0, 3)
        ),
        max_size=40,
    )
)
def test_what_is_open_is_what_is_wanted_once_all_is_quiet(steps: list[tuple[str, int]]) -> None:
    # RT-20, RT-22, RT-52
    manager, sources, _, clock = managed()
    wanted, blocked = True, False
    for what, wait in steps:
        match what:
            case "want" | "leave":
                wanted = what == "want"
                manager.want({KEY: None} if wanted else {})
            case "block" | "lift":
                blocked = what == "block"
                manager.block(c.Reason.HIDDEN if blocked else None)
            case "fail" | "refuse":
                for number in list(sources.open_urls):
                    sources.record(number, FrameKind.FAILED, "2" if what == "refuse" else "0")
                manager.collect()
                manager.deliver(lambda: True)
            case "sleep":
                manager.slept()
            case "off" | "on":
                manager.set_online(what == "on")
            case _:
                pass
        clock.advance(wait * 700)
        assert len(sources.open_urls) <= 1, "two connections for one key"
    manager.set_online(True)
    clock.advance(50_000)
    if blocked or not wanted:
        assert sources.open_urls == {}
        assert clock.timers == 0
    else:
        state = manager.state(KEY)
        assert state is not None
        assert state.phase is not c.Phase.CLOSED
        assert len(sources.open_urls) == (state.phase in (c.Phase.CONNECTING, c.Phase.OPEN))
    manager.close()
    assert (sources.open_urls, clock.timers) == ({}, 0)
