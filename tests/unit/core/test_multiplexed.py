"""One connection for every stream, through the real client (RT-64), with the rules of a stream's life upon it."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from core_world import THINGS, changed

from pyapp.core.client import Client, StreamKey, StreamSpec, stream_key
from pyapp.core.ports import FrameKind, HttpAnswer
from pyapp.core.streams.connection import Connection, Reason
from pyapp.core.testing import FakeHttp, FakeNetwork, FakeSources, FakeVisibility, ScriptedServer, VirtualClock
from pyapp.core.testing.fakes import Pending
from pyapp.core.testing.things import thing_queries, thing_streams
from pyapp.core.timings import Timings

A, B, C = stream_key("a"), stream_key("b"), stream_key("c")


def specs(*names: str) -> dict[str, StreamSpec]:
    one = thing_streams()["things"]
    return {name: replace(one, name=name, path=f"{name}/stream", priority=1) for name in names}


class Wired:
    """A multiplexed client in which the test says every frame."""

    def __init__(self, *, streams: dict[str, StreamSpec] | None = None, **options: Any) -> None:
        self.clock, self.sources, self.http, self.page = VirtualClock(creep_ms=0.001), FakeSources(), FakeHttp(), FakeVisibility()
        self.network = FakeNetwork()
        self.client = Client(
            clock=self.clock,
            sources=self.sources,
            http=self.http,
            visibility=self.page,
            random=random.Random(1),
            queries=thing_queries(),
            multiplexed=True,
            network=self.network,
            streams={**specs("a", "b", "c"), **thing_streams()} if streams is None else streams,
            **options,
        )
        self.events: dict[StreamKey, list[str]] = {}

    def use(self, *keys: StreamKey) -> list[Any]:
        ends = [
            self.client.use_stream(key, lambda event, key=key: self.events.setdefault(key, []).append(event.thing.id)) for key in keys
        ]
        self.clock.advance(5)
        return ends

    @property
    def wanted(self) -> list[dict[str, str]]:
        """What the open connection was asked for."""
        return json.loads(parse_qs(urlsplit(next(iter(self.sources.open_urls.values()))).query)["want"][0])

    def socket(self, kind: FrameKind, said: object = None) -> None:
        self.sources.record(self.sources.source("streams"), kind, json.dumps(said) if said is not None else "")

    def frame(self, key: StreamKey, event: str, said: object, frame_id: str = "") -> None:
        data = json.dumps(said)
        text = f'{{"stream":{json.dumps(str(key))},"id":"{frame_id}","event":"{event}","data":{data}}}'
        self.sources.record(self.sources.source("streams"), FrameKind.MESSAGE, text)

    def greet(self, *keys: StreamKey, name: str = "c1", sequence: int = 0, resumed: bool = False, retry_ms: float = 1_000) -> None:
        self.socket(FrameKind.OPENED)
        times = {"epoch": "e1", "at": "2027-01-15T08:00:00Z", "heartbeat_ms": 5_000, "retry_ms": retry_ms}
        self.socket(FrameKind.HELLO, {"connection": name, **times})
        for key in keys:
            self.hello(key, sequence=sequence, resumed=resumed)
        self.clock.settle()

    def hello(self, key: StreamKey, *, sequence: int = 0, resumed: bool = False) -> None:
        times = {"epoch": "e1", "at": "", "heartbeat_ms": 5_000, "retry_ms": 1_000}
        self.frame(key, "hello", {**times, "resumed": resumed, "sequence": sequence})

    def state(self, key: StreamKey) -> Connection:
        return next(row.state for row in self.client.statistics().streams if row.key == key)

    def posted(self) -> list[Pending]:
        return [pending for pending in self.http.waiting if pending.request.method == "POST"]

    def beats(self, ms: float, *keys: StreamKey) -> None:
        end = self.clock.now() + ms
        while self.clock.now() < end:
            self.clock.advance(4_000)
            self.socket(FrameKind.HEARTBEAT, {"at": ""})
            for key in keys:
                self.frame(key, "heartbeat", {"sequence": 0})
        self.clock.settle()


def test_all_streams_of_a_page_are_one_connection() -> None:
    # RT-64
    wired = Wired()
    wired.use(A, B, C)
    assert (len(wired.sources.history), wired.wanted) == (1, [{"stream": "a"}, {"stream": "b"}, {"stream": "c"}])
    wired.greet(A, B, C)
    wired.frame(A, "message", changed("x"), "e1:1")
    wired.frame(B, "message", changed("y"), "e1:1")
    wired.clock.settle()
    assert wired.events == {A: ["x"], B: ["y"]}
    assert all(wired.state(key).confirmed for key in (A, B, C))
    statistics = wired.client.statistics()
    assert (statistics.transport.kind, statistics.transport.connections, statistics.totals.active) == ("multiplexed", 1, 3)


def test_changes_of_one_tick_are_one_request() -> None:
    # RT-20, RT-64
    wired = Wired()
    ends = wired.use(A, B)
    wired.greet(A, B)
    for end in ends:
        end()
    wired.use(C)
    wired.clock.advance(500)  # the linger of the two that left
    bodies = [json.loads(pending.request.body or "") for pending in wired.posted()]
    assert bodies == [{"add": [{"stream": "c"}], "remove": []}]  # one at a time
    wired.posted()[0].reply({})
    wired.clock.settle()
    assert json.loads(wired.posted()[0].request.body or "") == {"add": [], "remove": ["a", "b"]}
    assert wired.client.statistics().transport.requests == 2
    assert wired.posted()[0].request.url == "streams/c1"
    assert len(wired.sources.history) == 1


def test_a_route_that_comes_straight_back_asks_for_nothing() -> None:
    # RT-20
    wired = Wired()
    (end,) = wired.use(A)
    wired.greet(A)
    end()
    wired.clock.advance(100)
    wired.use(A)
    wired.clock.advance(2_000)
    assert (wired.posted(), len(wired.sources.history)) == ([], 1)


def test_the_connection_is_closed_when_nothing_is_wanted_and_at_once_when_the_page_is_hidden() -> None:
    # RT-20, RT-50
    wired = Wired()
    (end,) = wired.use(A)
    wired.greet(A)
    end()
    wired.clock.advance(1_100)
    assert wired.sources.open_urls == {}
    hidden = Wired()
    hidden.use(A)
    hidden.greet(A)
    hidden.page.set(hidden=True)
    hidden.beats(8_000, A)
    hidden.clock.advance(2_000)
    assert (hidden.sources.open_urls, hidden.client.statistics().transport.connections) == ({}, 0)


def test_a_lost_connection_has_one_retry_timer_and_all_come_back_with_their_places() -> None:
    # RT-22, RT-23, RT-27
    wired = Wired()
    wired.use(A, B)
    wired.greet(A, B)
    wired.frame(A, "message", changed("x"), "e1:1")
    wired.clock.settle()
    wired.socket(FrameKind.FAILED, 0)
    wired.clock.settle()
    due = wired.client.statistics().transport.state
    assert due is not None
    for key in (A, B):
        state = wired.state(key)
        assert (state.phase, state.reason, state.shared, state.failures) == ("reconnecting", "dropped", True, 0)
        assert state.retry_at_ms == due.retry_at_ms
    wired.clock.advance(1_200)
    assert [line.split("?")[0] for line in wired.sources.history] == ["open streams", "close streams", "open streams"]
    assert wired.wanted == [{"stream": "a", "last_event_id": "e1:1"}, {"stream": "b", "last_event_id": "e1:0"}]
    wired.greet(A, B, name="c2", resumed=True)
    assert wired.client.statistics().totals.gaps == 0


def test_a_stream_that_takes_in_its_loss_after_the_connection_is_back_enters_by_a_request() -> None:
    # RT-20, RT-22, RT-41: on a busy machine the data before the loss takes the whole beat, and the next one comes too late
    wired = Wired(timings=replace(Timings(), backoff_base_ms=20))
    wired.use(A, B)

    def slow(event: object) -> None:
        for _ in range(20_000):  # each look at the clock takes a microsecond
            wired.clock.now()

    wired.client.use_stream(A, slow)
    wired.greet(A, B, retry_ms=10)
    wired.frame(A, "message", changed("x"), "e1:1")
    wired.socket(FrameKind.FAILED, 0)
    wired.clock.advance(250)
    assert [line.split("?")[0] for line in wired.sources.history] == ["open streams", "close streams", "open streams"]
    assert wired.wanted == [{"stream": "b", "last_event_id": "e1:0"}]
    wired.greet(B, name="c2", resumed=True)
    assert [json.loads(str(pending.request.body)) for pending in wired.posted()] == [
        {"add": [{"stream": "a", "last_event_id": "e1:1"}], "remove": []}
    ]
    wired.posted()[0].reply({})
    wired.hello(A, sequence=1, resumed=True)
    wired.clock.settle()
    assert all(wired.state(key).confirmed for key in (A, B))
    assert wired.client.statistics().totals.gaps == 0


def test_who_comes_while_the_connection_is_down_waits_with_the_others_and_comes_back_with_them() -> None:
    # RT-20, RT-22
    wired = Wired()
    wired.use(A)
    wired.greet(A)
    wired.socket(FrameKind.FAILED, 0)
    wired.frame(A, "message", changed("x"), "e1:1")  # after its end: of a connection that is gone
    wired.clock.advance(100)
    wired.use(B)
    wired.clock.settle()
    state = wired.state(B)
    assert (state.phase, state.shared, state.retry_at_ms) == ("reconnecting", True, wired.state(A).retry_at_ms)
    wired.clock.advance(1_200)
    assert wired.wanted == [{"stream": "a", "last_event_id": "e1:0"}, {"stream": "b"}]
    assert (wired.events, len(wired.sources.open_urls)) == ({}, 1)


def test_a_connection_that_lingers_with_nothing_on_it_is_there_for_the_next_stream() -> None:
    # RT-20
    wired = Wired()
    (end,) = wired.use(A)
    wired.greet(A)
    end()
    wired.clock.advance(600)
    assert [json.loads(pending.request.body or "")["remove"] for pending in wired.posted()] == [["a"]]
    wired.posted()[0].reply({})
    wired.use(B)
    wired.beats(4_000)
    assert [json.loads(pending.request.body or "")["add"] for pending in wired.posted()] == [[{"stream": "b"}]]
    assert len(wired.sources.history) == 1


def test_a_page_that_goes_while_it_asks_why_it_was_refused_asks_no_more() -> None:
    # RT-25, RT-53
    wired = Wired()
    wired.use(A)
    wired.socket(FrameKind.FAILED, 2)
    wired.clock.settle()
    (probe,) = wired.http.waiting
    wired.client.suspend()
    assert (probe.cancelled, wired.http.waiting, wired.sources.open_urls) == (True, [], {})
    wired.client.resume()
    wired.clock.settle()
    assert len(wired.sources.open_urls) == 1


def test_a_connection_that_keeps_failing_backs_off_once_for_all() -> None:
    # RT-23
    wired = Wired()
    wired.use(A, B, C)
    waits: list[float] = []
    for _ in range(5):
        wired.socket(FrameKind.FAILED, 0)
        wired.clock.settle()
        waits.append((wired.state(A).retry_at_ms or 0) - wired.state(A).since_ms)
        wired.clock.advance(waits[-1])
    assert all(0.84 <= wait / 1_000 / 2**n <= 1.16 for n, wait in enumerate(waits))
    assert len([line for line in wired.sources.history if line.startswith("open")]) == 6


def test_silence_of_the_connection_is_the_connection_s_and_silence_of_one_stream_is_its_own() -> None:
    # RT-26
    wired = Wired()
    wired.use(A, B)
    wired.greet(A, B)
    wired.beats(16_000, A)
    body = json.loads(wired.posted()[0].request.body or "")
    assert body == {"add": [], "remove": ["b"]}
    assert (wired.state(A).phase, wired.state(B).phase, wired.state(B).failures) == ("open", "connecting", 1)
    wired.posted()[0].reply({})
    wired.clock.advance(5)
    assert json.loads(wired.posted()[0].request.body or "") == {"add": [{"stream": "b", "last_event_id": "e1:0"}], "remove": []}
    wired.clock.advance(13_000)
    assert (wired.state(A).reason, wired.sources.open_urls) == ("silent", {}) or wired.state(A).shared


def test_one_stream_that_is_refused_fails_alone() -> None:
    # RT-25, RT-64
    wired = Wired()
    wired.use(A, B, C)
    wired.greet(A)
    wired.frame(B, "refused", {"status": 404, "detail": "no"})
    wired.frame(C, "refused", {"status": 429, "retry_after_s": 20})
    wired.clock.settle()
    assert [(wired.state(key).phase, wired.state(key).reason) for key in (A, B, C)] == [
        ("open", ""),
        ("reconnecting", "unavailable"),
        ("reconnecting", "refused"),
    ]
    assert (wired.state(C).retry_at_ms or 0) - wired.clock.now() >= 19_000
    assert wired.posted() == []  # the server has left them out by itself


def test_a_forbidden_stream_waits_for_the_person_and_the_others_flow() -> None:
    # RT-25, RT-36
    wired = Wired()
    wired.use(A, B)
    wired.greet(A)
    wired.frame(B, "refused", {"status": 403})
    wired.beats(60_000, A)
    assert (wired.state(B).phase, wired.state(B).reason, wired.posted()) == ("closed", "forbidden", [])
    wired.client.try_now()
    wired.clock.advance(5)
    assert json.loads(wired.posted()[0].request.body or "") == {"add": [{"stream": "b"}], "remove": []}


def test_a_server_that_forgot_the_connection_gets_the_whole_set_anew() -> None:
    # RT-27, RT-64
    wired = Wired()
    wired.use(A)
    wired.greet(A)
    wired.beats(6_000, A)
    wired.use(B)
    wired.posted()[0].reply({}, status=404)
    wired.clock.advance(150)
    assert wired.wanted == [{"stream": "a", "last_event_id": "e1:0"}, {"stream": "b"}]
    assert len([line for line in wired.sources.history if line.startswith("open")]) == 2


def test_a_change_that_fails_is_a_failure_of_who_wanted_to_enter() -> None:
    # RT-22
    wired = Wired()
    wired.use(A)
    wired.greet(A)
    wired.use(B)
    wired.posted()[0].reply({}, status=500)
    wired.clock.settle()
    assert (wired.state(A).phase, wired.state(B).phase, wired.state(B).shared) == ("open", "reconnecting", False)
    wired.clock.advance(1_200)
    assert json.loads(wired.posted()[0].request.body or "")["add"] == [{"stream": "b"}]
    # One that is not answered at all ends after its time.
    wired.beats(8_000, A)
    wired.clock.advance(3_000)
    assert wired.state(B).phase == "reconnecting"


def test_who_leaves_while_its_entry_fails_is_taken_out_again_with_the_next_change() -> None:
    # RT-20, RT-64: nobody knows whether the server heard of it before it failed
    wired = Wired()
    wired.use(A)
    wired.greet(A)
    (end,) = wired.use(B)
    (entering,) = wired.posted()
    end()
    wired.clock.advance(600)
    entering.reply({}, status=502)
    wired.clock.settle()
    assert wired.state(B).reason == "not wanted"
    wired.beats(4_000, A)
    (leaving,) = wired.posted()
    assert json.loads(leaving.request.body or "") == {"add": [], "remove": ["b"]}
    leaving.reply({})
    wired.beats(8_000, A)
    assert wired.posted() == []


def test_who_is_refused_while_its_entry_fails_is_refused() -> None:
    # RT-25
    wired = Wired()
    wired.use(A)
    wired.greet(A)
    wired.use(B)
    wired.frame(B, "refused", {"status": 403})
    wired.clock.settle()
    wired.posted()[0].reply({}, status=502)
    wired.clock.settle()
    assert (wired.state(B).phase, wired.state(B).reason) == ("closed", "forbidden")
    wired.beats(60_000, A)
    assert wired.posted() == []


@pytest.mark.parametrize("when", ["while it is lost", "when there is another"])
def test_a_late_answer_of_a_connection_that_is_gone_says_nothing_of_the_one_that_came_after_it(when: str) -> None:
    # RT-22
    wired = Wired()
    wired.use(A)
    wired.greet(A)
    wired.use(B)
    (old,) = wired.posted()
    wired.socket(FrameKind.FAILED, 0)
    wired.clock.settle()
    if when == "while it is lost":
        old.on_answer(HttpAnswer(404))  # a port that cancels too late
    wired.clock.advance(1_200)
    wired.greet(A, B, name="c2")
    wired.use(C)
    (entering,) = wired.posted()
    if when == "when there is another":
        old.on_answer(HttpAnswer(404))
    wired.beats(4_000, A, B)
    assert (wired.posted(), entering.cancelled) == ([entering], False)
    assert len([line for line in wired.sources.history if line.startswith("open")]) == 2


def test_a_connection_that_is_forgotten_right_after_it_failed_is_opened_by_its_backoff_and_not_at_once() -> None:
    # RT-23
    wired = Wired()
    wired.use(A)
    wired.socket(FrameKind.FAILED, 0)
    wired.clock.advance(1_300)
    wired.greet(A)
    wired.use(B)
    wired.posted()[0].reply({}, status=404)
    wired.clock.advance(800)
    assert wired.sources.open_urls == {}
    wired.clock.advance(3_000)
    assert [entry["stream"] for entry in wired.wanted] == ["a", "b"]


def test_a_person_who_asks_right_after_the_server_forgot_the_connection_gets_one_and_not_two() -> None:
    # RT-22
    wired = Wired()
    wired.use(A)
    wired.greet(A)
    wired.beats(6_000, A)
    wired.use(B)
    wired.posted()[0].reply({}, status=404)
    wired.clock.advance(20)
    wired.client.try_now()
    wired.clock.advance(500)
    assert [line.split("?")[0] for line in wired.sources.history] == ["open streams", "close streams", "open streams"]
    assert [entry["stream"] for entry in wired.wanted] == ["a", "b"]


def test_what_a_connection_of_many_cannot_say_of_itself_changes_nothing() -> None:
    # RT-29
    wired = Wired()
    wired.use(A)
    wired.greet(A)
    for kind in (FrameKind.NAMED_OPEN, FrameKind.RESET, FrameKind.LOST, FrameKind.REFUSED):
        wired.sources.record(wired.sources.source("streams"), kind, '{"status": 403}' if kind is FrameKind.REFUSED else "")
    wired.clock.settle()
    assert wired.client.statistics().totals.gaps == 0
    assert (wired.state(A).phase, len(wired.sources.history)) == ("open", 1)


def test_a_hello_that_does_not_name_the_connection_greets_nobody_and_it_is_tried_again_in_time() -> None:
    # RT-26
    wired = Wired()
    wired.use(A)
    wired.socket(FrameKind.OPENED)
    for nameless in ({}, {"connection": ""}, {"connection": 5}):
        wired.socket(FrameKind.HELLO, {"epoch": "e1", "heartbeat_ms": 5_000, "retry_ms": 1_000, **nameless})
    wired.clock.advance(9_900)
    assert (wired.state(A).confirmed, len(wired.sources.history)) == (False, 1)
    wired.clock.advance(2_000)
    assert [line.split("?")[0] for line in wired.sources.history] == ["open streams", "close streams", "open streams"]


def test_hidden_the_connection_stays_for_the_stream_that_the_person_opted_in_to_and_the_others_leave_it() -> None:
    # RT-50, RT-54
    wired = Wired()
    wired.use(A, B)
    wired.greet(A, B)
    wired.client.keep_when_hidden(["b"])
    wired.page.set(hidden=True)
    wired.beats(12_000, A, B)
    (leaving,) = wired.posted()
    assert json.loads(leaving.request.body or "") == {"add": [], "remove": ["a"]}
    leaving.reply({})
    wired.beats(60_000, B)
    assert ([wired.state(key).phase for key in (A, B)], len(wired.sources.history)) == (["closed", "open"], 1)
    wired.client.keep_when_hidden([])
    wired.clock.advance(5)
    assert wired.sources.open_urls == {}


def test_who_takes_in_its_loss_after_the_server_lost_the_endpoint_gets_its_own_connection_once() -> None:
    # RT-25, RT-41: a server that was replaced by an older one, while data before the loss takes beat after beat
    wired = Wired(timings=replace(Timings(), backoff_base_ms=20))
    wired.use(A, B, C)

    def slow(event: object) -> None:
        for _ in range(20_000):  # each look at the clock takes a microsecond
            wired.clock.now()

    for key in (A, B):
        wired.client.use_stream(key, slow)
    wired.greet(A, B, C, retry_ms=10)
    for key in (A, B):
        wired.frame(key, "message", changed("x"), "e1:1")
    wired.socket(FrameKind.FAILED, 0)
    wired.clock.advance(60)
    assert wired.wanted == [{"stream": "c", "last_event_id": "e1:0"}]  # the others have not heard of it
    wired.socket(FrameKind.FAILED, 2)
    while not wired.http.waiting:
        wired.clock.advance(10)
    assert not wired.state(B).shared
    wired.http.waiting[0].reply("", status=404)
    wired.clock.advance(1_000)
    own = [line for line in wired.sources.history if not line.split()[1].startswith("streams")]
    assert sorted(own) == [f"open {name}/stream?last_event_id=e1%3A{last}" for name, last in (("a", 1), ("b", 1), ("c", 0))]
    assert wired.client.statistics().transport.kind.startswith("direct")


def test_a_server_without_the_endpoint_gets_a_connection_per_stream_within_the_budget() -> None:
    # RT-25, RT-64
    clock, sources, http = VirtualClock(creep_ms=0.001), FakeSources(), FakeHttp()
    server = ScriptedServer(clock, sources, http, multiplexed=False)
    client = Client(
        clock=clock,
        sources=sources,
        http=http,
        visibility=FakeVisibility(),
        random=random.Random(1),
        queries=server.queries(),
        streams={**server.streams(), **specs(*"vwxyz")},
        multiplexed=True,
    )
    for name in "vwxyz":
        client.use_stream(stream_key(name), print)
    client.use_query(THINGS, lambda result: None)
    server.run(1_000)
    statistics = client.statistics()
    assert statistics.transport.kind.startswith("direct")
    assert len([url for url in sources.open_urls.values() if not url.startswith("streams")]) == len(sources.open_urls)
    reasons = [row.state.reason for row in statistics.streams]
    assert reasons.count(Reason.BUDGET) == 2
    assert sum(1 for line in sources.history if line.startswith("open streams")) == 1


def test_frames_that_are_no_envelopes_or_for_nobody_are_counted_and_change_nothing() -> None:
    # RT-29
    wired = Wired()
    wired.use(A)
    wired.greet(A)
    source = wired.sources.source("streams")
    for text in ("{broken", "[]", '{"stream":"a"}'):
        wired.sources.record(source, FrameKind.MESSAGE, text)
    wired.frame(B, "message", changed("x"), "e1:1")
    wired.clock.settle()
    transport = wired.client.statistics().transport
    assert (transport.invalid, transport.strays, transport.samples) == (3, 1, ("{broken", "[]", '{"stream":"a"}'))
    assert wired.state(A).phase == "open"


def test_frames_of_an_earlier_subscription_do_not_speak_for_the_new_one() -> None:
    # RT-22
    wired = Wired()
    wired.use(A, B)
    wired.greet(A, B)
    wired.frame(A, "error", {"detail": "broken"})
    wired.clock.settle()
    assert wired.state(A).reason == "server error"
    wired.posted()[0].reply({})
    wired.clock.advance(1_200)
    wired.posted()[0].reply({})
    wired.frame(A, "message", changed("old"), "e1:1")
    wired.clock.settle()
    assert (wired.state(A).phase, wired.events) == ("connecting", {})
    wired.hello(A, resumed=True)
    wired.frame(A, "message", changed("old"), "e1:1")
    wired.clock.settle()
    assert (wired.state(A).phase, wired.events) == ("open", {A: ["old"]})
    assert wired.client.statistics().transport.early == 1


def test_a_planned_end_says_so_on_every_stream() -> None:
    # RT-38
    wired = Wired()
    wired.use(A, B)
    wired.greet(A, B)
    wired.socket(FrameKind.BYE, {"retry_ms": 3_000})
    wired.clock.settle()
    assert [wired.state(key).reason for key in (A, B)] == ["planned", "planned"]
    assert (wired.state(A).retry_at_ms or 0) - wired.state(A).since_ms >= 3_000


def test_sleep_opens_a_new_connection_with_every_stream_and_is_a_gap_for_each() -> None:
    # RT-52
    wired = Wired()
    wired.use(A, B)
    wired.greet(A, B)
    wired.clock.sleep(60_000)
    wired.clock.advance(5)
    assert [line.split("?")[0] for line in wired.sources.history] == ["open streams", "close streams", "open streams"]
    assert len(wired.wanted) == 2
    totals = wired.client.statistics().totals
    assert (totals.gaps, totals.sleeps) == (2, 1)


def test_the_network_s_hint_reaches_the_connection_too() -> None:
    # RT-52
    wired = Wired()
    wired.use(A)
    wired.greet(A)
    wired.network.set(online=False)
    state = wired.client.statistics().transport.state
    assert state is not None
    assert state.awaiting
    wired.network.set(online=True)
    wired.clock.advance(1_100)
    assert [line.split("?")[0] for line in wired.sources.history] == ["open streams", "close streams", "open streams"]


def test_the_server_s_time_is_taken_from_the_connection_s_own_frames() -> None:
    # RT-55
    wired = Wired()
    wired.use(A)
    wired.greet()
    assert wired.client.statistics().clock_offset_ms is not None


def test_a_forbidden_connection_forbids_all_until_the_person_asks() -> None:
    # RT-25
    wired = Wired()
    wired.use(A, B)
    wired.socket(FrameKind.FAILED, 2)
    wired.clock.settle()
    probe = next(pending for pending in wired.http.waiting if pending.request.head_only)
    assert probe.request.url.startswith("streams?want=")
    assert wired.state(A).phase == "connecting"
    probe.reply("", status=403)
    wired.clock.settle()
    assert [wired.state(key).reason for key in (A, B)] == ["forbidden", "forbidden"]
    wired.clock.advance(3_600_000)
    wired.use(C)
    wired.clock.settle()
    assert wired.state(C).reason == "forbidden"
    assert len(wired.sources.history) == 2
    wired.client.try_now()
    wired.clock.advance(5)
    assert len(wired.wanted) == 3


def test_closing_leaves_nothing_behind() -> None:
    # RT-53
    wired = Wired()
    wired.use(A, B)
    wired.greet(A)
    wired.use(C)
    wired.client.close()
    assert (wired.sources.open_urls, wired.clock.timers, wired.posted()) == ({}, 0, [])


def test_keys_that_name_one_stream_to_the_server_are_one_stream_here() -> None:
    # RT-20, RT-64
    one = replace(specs("a")["a"], defaults=(("hours", 24),))
    wired = Wired(streams={"a": one})
    for key in (stream_key("a"), stream_key("a", hours=24), stream_key("a", hours="24"), stream_key("a", hours=[24])):
        wired.client.use_stream(key, lambda event: wired.events.setdefault(A, []).append(event.thing.id))
    wired.client.use_stream(stream_key("a", hours="6"), print)
    wired.client.use_stream(stream_key("a", hours=6), print)
    wired.clock.advance(5)
    assert wired.wanted == [{"stream": "a"}, {"stream": "a?hours=6"}]
    wired.greet(A)
    wired.frame(A, "message", changed("x"), "e1:1")
    wired.clock.settle()
    assert wired.events == {A: ["x"] * 4}
    assert [str(row.key) for row in wired.client.statistics().streams] == ["a?hours=24", "a?hours=6"]
    wired.client.deny({stream_key("a"): Reason.FLAG_OFF})
    assert wired.state(stream_key("a", hours="24")).reason == "flag off"


def test_a_flip_of_the_flag_forgets_how_often_the_connection_failed() -> None:
    # RT-71
    wired = Wired()
    wired.use(A)
    for _ in range(4):
        wired.socket(FrameKind.FAILED, 0)
        wired.clock.settle()
        state = wired.client.statistics().transport.state
        assert state is not None
        wired.clock.advance((state.retry_at_ms or 0) - wired.clock.now() + 1)
    wired.client.set_streaming(False)
    wired.clock.advance(5)
    after = wired.client.statistics().transport.state
    assert after is not None
    assert (after.failures, after.phase, wired.sources.open_urls) == (0, "closed", {})
    wired.client.set_streaming(True)
    wired.clock.advance(5)
    assert len(wired.sources.open_urls) == 1
