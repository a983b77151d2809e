"""Random histories of what is wanted, of the network and of the page, over the one connection for all streams: after every step a few
things hold, and once all is quiet what is open is what is wanted (RT-20, RT-22, RT-50, RT-52, RT-64)."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pyapp.core.client import Client, StreamKey, stream_key
from pyapp.core.ports import FrameKind
from pyapp.core.streams.connection import Phase
from pyapp.core.testing import FakeHttp, FakeNetwork, FakeSources, FakeVisibility, VirtualClock
from pyapp.core.testing.things import thing_queries, thing_streams

KEYS = tuple(stream_key(name) for name in "abcd")
NAMES = st.sampled_from(KEYS)
TIMES = {"epoch": "e1", "at": "", "heartbeat_ms": 5_000, "retry_ms": 1_000, "sequence": 0}


class ManagerMachine(RuleBasedStateMachine):
    """Four streams, one connection, a server that does what it should unless a step says otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.clock, self.sources, self.http = VirtualClock(creep_ms=0.001), FakeSources(), FakeHttp()
        self.page, self.network = FakeVisibility(), FakeNetwork()
        one = thing_streams()["things"]
        self.client = Client(
            clock=self.clock,
            sources=self.sources,
            http=self.http,
            visibility=self.page,
            random=random.Random(1),
            queries=thing_queries(),
            streams={key.name: replace(one, name=key.name, path=f"{key.name}/stream") for key in KEYS},
            multiplexed=True,
            network=self.network,
        )
        self.ends: dict[StreamKey, Any] = {}
        self.server: set[str] = set()
        """The streams that the server carries on the connection."""
        self.greeted = 0
        self.refused: set[str] = set()

    # The server ---------------------------------------------------------------------------------------------------------------

    def say(self, source: int, wire: str, event: str, said: object) -> None:
        text = f'{{"stream":{json.dumps(wire)},"id":"","event":"{event}","data":{json.dumps(said)}}}'
        self.sources.record(source, FrameKind.MESSAGE, text)

    def carry(self, source: int, wire: str) -> None:
        if wire in self.refused:
            self.say(source, wire, "refused", {"status": 403})
        else:
            self.server.add(wire)
            self.say(source, wire, "hello", {**TIMES, "resumed": True})

    def serve(self) -> None:
        """Greet a new connection, answer what changes it."""
        for source, url in list(self.sources.open_urls.items()):
            if source != self.greeted:
                self.greeted = source
                self.server.clear()
                self.sources.record(source, FrameKind.OPENED)
                self.sources.record(source, FrameKind.HELLO, json.dumps({"connection": f"c{-source}", **TIMES}))
                for each in json.loads(parse_qs(urlsplit(url).query)["want"][0]):
                    self.carry(source, each["stream"])
        for pending in self.http.waiting:
            if pending.request.method == "POST" and pending.request.url.startswith("streams/"):
                known = pending.request.url == f"streams/c{-self.greeted}" and self.greeted in self.sources.open_urls
                body = json.loads(pending.request.body or "{}")
                if known:
                    self.server -= set(body["remove"])
                    for each in body["add"]:
                        self.carry(self.greeted, each["stream"])
                pending.reply({}, status=200 if known else 404)
            elif pending.request.head_only:
                pending.reply("", status=503)

    def run(self, ms: float) -> None:
        end = self.clock.now() + ms
        while self.clock.now() < end:
            self.serve()
            self.clock.advance(min(250, end - self.clock.now()))
            if self.greeted in self.sources.open_urls and int(self.clock.now()) % 4_000 < 250:
                self.sources.record(self.greeted, FrameKind.HEARTBEAT, '{"at": ""}')
                for wire in sorted(self.server):
                    self.say(self.greeted, wire, "heartbeat", {"sequence": 0})
        self.serve()

    # What happens -------------------------------------------------------------------------------------------------------------

    @rule(key=NAMES)
    def want(self, key: StreamKey) -> None:
        if key not in self.ends:
            self.ends[key] = self.client.use_stream(key, lambda event: None)

    @rule(key=NAMES)
    def leave(self, key: StreamKey) -> None:
        if key in self.ends:
            self.ends.pop(key)()

    @rule(ms=st.sampled_from([0, 20, 300, 700, 3_000]))
    def time(self, ms: int) -> None:
        self.run(ms)

    @precondition(lambda self: self.sources.open_urls)
    @rule(final=st.booleans())
    def breaks(self, final: bool) -> None:
        self.sources.fail("streams", final=final)

    @precondition(lambda self: self.greeted in self.sources.open_urls and self.server)
    @rule(data=st.data(), event=st.sampled_from(["error", "reset"]))
    def one_fails(self, data: st.DataObject, event: str) -> None:
        self.run(20)  # what was said before is heard before
        self.serve()
        self.clock.advance(150)
        before, connection = self.epochs(), self.sources.history[-1]
        if self.greeted not in self.sources.open_urls or not self.server:
            return
        wire = data.draw(st.sampled_from(sorted(self.server)))
        self.say(self.greeted, wire, event, {})
        self.clock.advance(15)
        if self.sources.history[-1] == connection:
            after = self.epochs()
            open_before = {name for name, (phase, _) in before.items() if phase is Phase.OPEN} - {wire}
            assert {name: after[name] for name in open_before & self.server} == {n: before[n] for n in open_before & self.server}

    @rule(key=NAMES, on=st.booleans())
    def refuses(self, key: StreamKey, on: bool) -> None:
        (self.refused.add if on else self.refused.discard)(key.name)

    @rule(online=st.booleans())
    def network_says(self, online: bool) -> None:
        self.network.set(online=online)

    @rule(hidden=st.booleans())
    def page_is(self, hidden: bool) -> None:
        self.page.set(hidden=hidden)

    @rule(ms=st.sampled_from([5_000, 60_000]))
    def sleeps(self, ms: int) -> None:
        self.clock.sleep(ms)

    @rule(on=st.booleans())
    def flag(self, on: bool) -> None:
        self.client.set_streaming(on)

    def epochs(self) -> dict[str, tuple[Phase, int]]:
        return {row.key.name: (row.state.phase, row.state.epoch) for row in self.client.statistics().streams}

    # What holds ---------------------------------------------------------------------------------------------------------------

    @invariant()
    def there_is_at_most_one_connection(self) -> None:
        assert len(self.sources.open_urls) <= 1

    @invariant()
    def retries_wait_for_one_timer(self) -> None:
        """Streams that are lost with the connection have no timer: they wait for its own."""
        shared = self.client.statistics().transport.state
        assert shared is not None
        for row in self.client.statistics().streams:
            if row.state.shared:
                assert shared.phase is not Phase.CLOSED
            if shared.phase is Phase.RECONNECTING and row.state.phase is Phase.OPEN:
                assert self.sources.open_urls == {}  # it has not heard yet; its word is not taken for what it was
        assert (shared.retry_at_ms is None) is (shared.phase is not Phase.RECONNECTING or shared.probing)

    def teardown(self) -> None:
        # All is well from here on, and the person asks: then what is open is what is wanted, within the longest waits.
        self.refused.clear()
        self.network.set(online=True)
        self.page.set(hidden=False)
        self.client.set_streaming(True)
        self.run(1_000)
        self.client.try_now()
        self.run(4_000)
        wanted = {key.name for key in self.ends}
        rows = {row.key.name: row.state for row in self.client.statistics().streams}
        assert {name for name, state in rows.items() if state.phase is Phase.OPEN} == wanted
        assert all(rows[name].confirmed and rows[name].retry_at_ms is None for name in wanted)
        assert self.server == wanted if wanted else self.sources.open_urls == {}
        self.client.close()
        assert (self.sources.open_urls, self.clock.timers, self.http.waiting) == ({}, 0, [])


ManagerMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None, derandomize=True)
# RT-20, RT-22, RT-64
test_what_is_open_is_what_is_wanted_whatever_happened_before = ManagerMachine.TestCase
