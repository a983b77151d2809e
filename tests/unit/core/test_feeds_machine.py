"""Random signals against health, gate and fallback together, watched at every step (RT-30, RT-31, RT-33)."""

from __future__ import annotations

import random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pyapp.core.client import Client, aggregate, item, live
from pyapp.core.feeds.fallback import Fallback
from pyapp.core.feeds.gate import Why
from pyapp.core.testing import FakeHttp, FakeSources, FakeVisibility, ScriptedServer, VirtualClock
from pyapp.core.timings import Timings

KEYS = (live("things"), live("things", state=["hot"]), item("things", "t1"), aggregate("count"))
T = Timings()


class FeedsMachine(RuleBasedStateMachine):
    """A client at a server that breaks, refuses, restarts and goes on; a person who comes, goes, hides and loses the network."""

    @initialize(part_b=st.booleans(), seed=st.integers(0, 1_000))
    def begin(self, part_b: bool, seed: int) -> None:
        self.clock, self.sources, self.http, self.page = VirtualClock(creep_ms=0.001), FakeSources(), FakeHttp(), FakeVisibility()
        chance = random.Random(seed)
        self.server = ScriptedServer(
            self.clock, self.sources, self.http, part_b=part_b, delay_ms=lambda: chance.choice((2.0, 40.0, 300.0))
        )
        self.client = Client(
            clock=self.clock,
            sources=self.sources,
            http=self.http,
            visibility=self.page,
            random=random.Random(seed),
            queries=self.server.queries(),
            streams=self.server.streams(),
        )
        self.offline = False
        self.ill_since: float | None = None
        self.polls = 0
        for number in range(3):
            self.server.change(f"t{number}", state="cold")
        self.observers = {key: self.client.use_query(key, lambda result: None) for key in KEYS}

    def run(self, ms: float) -> None:
        """Let time pass in steps small enough that whatever held for the grace was seen."""
        left = ms
        while left > 0:
            self.server.run(min(left, 250.0), 50)
            left -= 250.0
            self.watch()

    @rule(ms=st.sampled_from((100.0, 900.0, 3_000.0, 13_000.0)))
    def wait(self, ms: float) -> None:
        self.run(ms)

    @rule(name=st.sampled_from(("t0", "t1", "t9")), state=st.sampled_from(("hot", "cold")), silently=st.booleans())
    def change(self, name: str, state: str, silently: bool) -> None:
        self.server.change(name, state=state, silently=silently)
        self.run(200)

    @rule(what=st.sampled_from(("drop", "restart", "refuse", "mute", "heal")))
    def trouble(self, what: str) -> None:
        match what:
            case "drop":
                self.server.drop()
            case "restart":
                self.server.restart()
            case "refuse":
                self.server.accepting = False
                self.server.drop()
            case "mute":
                self.server.answering = False
            case _:
                self.server.accepting = self.server.answering = True
        self.run(200)

    @rule(what=st.sampled_from(("hide", "show", "offline", "online", "streams off", "streams on", "fetching off", "fetching on")))
    def page_does(self, what: str) -> None:
        match what:
            case "hide" | "show":
                self.page.set(hidden=what == "hide")
                self.run(10_500)
            case "offline" | "online":
                self.client.set_offline(what == "offline")
            case "streams off" | "streams on":
                self.client.set_streaming(what == "streams on")
            case _:
                self.client.set_fetching(what == "fetching on")
        self.run(50)

    @rule(index=st.integers(0, len(KEYS) - 1))
    def come_or_go(self, index: int) -> None:
        key = KEYS[index]
        if key in self.observers:
            self.observers.pop(key).close()
        else:
            self.observers[key] = self.client.use_query(key, lambda result: None)
        self.run(100)

    @invariant()
    def watch(self) -> None:
        # RT-30, RT-31, RT-33
        feeds = self.client._feeds  # pyright: ignore[reportPrivateUsage]
        paused = self.client.paused
        for scope in feeds._scopes:  # pyright: ignore[reportPrivateUsage]
            connection = feeds._scopes.connection(scope)  # pyright: ignore[reportPrivateUsage]
            if scope.health.healthy:
                assert connection is not None
                assert connection.confirmed
                assert not scope.owing
                assert not scope.polling, "polling and streaming never both feed one query"
            timed = scope.fallback in (Fallback.WAITING, Fallback.CALMING, Fallback.ENDING)
            assert (scope.fallback_timer is not None) == timed
            for feed in scope.feeds.values():
                assert feed.why is not Why.DESIGN
                assert feed.why is not Why.FALLBACK or scope.polling
                assert feed.why is not Why.SAFETY or scope.health.healthy
                if paused or self._offline():
                    assert feed.timer is None, "nothing is planned while anything pauses"

    def _offline(self) -> bool:
        return self.client._feeds._scopes.offline  # pyright: ignore[reportPrivateUsage]

    def teardown(self) -> None:
        if not hasattr(self, "client"):
            return
        self.client.close()
        asked, opened = len(self.http.sent), len(self.sources.history)
        self.server.accepting = self.server.answering = True
        self.clock.advance(600_000)
        assert len(self.http.sent) == asked, "nothing is asked after the client was closed"
        assert len(self.sources.history) == opened
        assert self.clock.timers == self.server.under_way


TestFeeds = FeedsMachine.TestCase
TestFeeds.settings = settings(derandomize=True, max_examples=25, stateful_step_count=20, deadline=None)


def test_a_scope_that_is_not_healthy_for_the_grace_polls_and_five_seconds_of_health_end_it() -> None:
    # RT-33
    clock, sources, http = VirtualClock(creep_ms=0.001), FakeSources(), FakeHttp()
    server = ScriptedServer(clock, sources, http)
    client = Client(
        clock=clock,
        sources=sources,
        http=http,
        visibility=FakeVisibility(),
        random=random.Random(1),
        queries=server.queries(),
        streams=server.streams(),
    )
    client.use_query(KEYS[0], lambda result: None)
    server.run(6_000)

    def mode() -> str:
        return client.statistics().feeds.domains[0].mode

    assert mode() == "streaming"
    server.accepting = False
    server.drop()
    server.run(T.fallback_grace_ms - 500)
    assert mode() == "reconnecting (unhealthy)"
    server.run(1_000)
    assert mode() == "polling (fallback)"
    asked = server.requests
    server.run(2 * T.fallback_poll_ms)
    assert server.requests - asked in (2, 3)
    server.accepting = True
    client.try_now()
    server.run(1_500)
    assert mode() == "streaming"
    server.drop()  # before five seconds of health were over: no new grace
    server.accepting = False
    server.run(300)
    assert mode() == "polling (fallback)"
    server.accepting = True
    client.try_now()
    server.run(7_500)
    assert mode() == "streaming"
    server.accepting = False
    server.drop()
    server.run(2_000)
    assert mode() != "polling (fallback)"
    client.close()
