"""Random histories of tabs that share what they hold (RT-62): looking, leaving, events, lost frames, slow channels, busy tabs.

What is borrowed is never said to be newer than it was at the tab that lent it, and when all is quiet every tab has what the server has.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tabs_world import THINGS, Tab, World

from pyapp.core.cache.peers import Shared
from pyapp.core.cache.query import Query
from pyapp.core.client import Observer, aggregate, item, live
from pyapp.core.tabs import share_messages as m

KEYS = (THINGS, aggregate("count"), item("things", "t1"), live("things", state=["hot"]))
LATENCIES = (0.5, 3.0, 40.0, 90.0)
QUIET_MS = 40_000
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["change", "change", "look", "look", "leave", "silently", "hide", "busy", "latency", "drop", "tab", "refresh"]),
        st.integers(0, 2),
        st.integers(0, 3),
        st.sampled_from([0.0, 20.0, 120.0, 700.0, 4_000.0]),
    ),
    min_size=5,
    max_size=30,
)


class History:
    """Three tabs at most."""

    def __init__(self) -> None:
        self.latency = 1.0
        self.world = World(latency_ms=lambda: self.latency)
        self.observers: dict[tuple[str, int], Observer] = {}
        self.lent: dict[str, list[tuple[float, float, str]]] = {}
        self.wrong: list[str] = []
        self.borrowed = 0
        broadcast = self.world.origin.broadcast

        def noting(sender: Any, said: Any, to: Any = ()) -> None:
            message = m.read(said) if isinstance(said, str) else None
            if isinstance(message, m.Given):
                now, wall = self.world.clock.now(), self.world.clock.wall()
                for tab in message.to:
                    self.lent.setdefault(f"{tab} {message.key}", []).append(
                        (now - message.began_age_ms, wall - message.updated_age_ms, message.text)
                    )
            broadcast(sender, said, to)

        self.world.origin.broadcast = noting  # type: ignore[method-assign]
        self.tab()

    def tab(self) -> None:
        if len(self.world.tabs) < 3:
            tab = self.world.tab(f"t{len(self.world.tabs)}", look=False)
            fetching: Any = tab.client._cache.fetching  # pyright: ignore[reportPrivateUsage]
            use = fetching.use

            def noting(query: Query, shared: Shared) -> None:
                self.check(tab, query, shared)
                use(query, shared)

            fetching.use = noting

    def check(self, tab: Tab, query: Query, shared: Shared) -> None:
        self.borrowed += 1
        assert query.spec.exchange is not None
        text = query.spec.exchange.dump(query.key, shared.data)
        known = self.lent.get(f"{tab.fake.name} {query.key.to_json()}", [])
        if not any(
            shared.began_ms <= began + 0.01 and shared.updated_wall_ms <= updated + 0.01 and text == lent
            for began, updated, lent in known
        ):
            self.wrong.append(f"{tab.fake.name} says of {query.key} that it is newer than it was")

    def act(self, what: str, who: int, which: int, wait_ms: float) -> None:
        world = self.world
        tab = world.tabs[who % len(world.tabs)]
        match what:
            case "change":
                world.server.change(f"t{which}", state=("hot", "cold")[who % 2])
            case "silently":
                world.server.change(f"t{which}", state="hot", silently=True)
            case "look":
                if (tab.fake.name, which) not in self.observers:
                    self.observers[tab.fake.name, which] = tab.look(KEYS[which])
            case "leave":
                observer = self.observers.pop((tab.fake.name, which), None)
                if observer is not None:
                    observer.close()
            case "hide":
                tab.fake.page.set(hidden=not tab.fake.page.hidden())
            case "busy":
                (tab.fake.thaw if tab.fake.busy else tab.fake.freeze)()
            case "latency":
                self.latency = LATENCIES[which]
            case "drop":
                world.server.drop()
            case "refresh":
                tab.client.refresh(KEYS[which])
            case _:
                self.tab()
        world.run(wait_ms)

    def quiet(self) -> None:
        self.latency = 1.0
        for tab in self.world.tabs:
            tab.fake.thaw()
            tab.fake.page.set(hidden=False)
        # A frame that was lost is told by the next one, or by a heartbeat.
        self.world.server.run(QUIET_MS, 100)
        for tab in self.world.tabs:
            for (name, which), _ in self.observers.items():
                if name == tab.fake.name and tab.data(KEYS[which]) != self.world.server.answer_of(KEYS[which]):
                    self.wrong.append(f"{name} differs in {KEYS[which]}: {tab.result(KEYS[which]).freshness}")
            if tab.client.statistics().errors or tab.fake.errors:
                self.wrong.append(f"{tab.client.statistics().errors} {tab.fake.errors}")
            tab.client.close()
            if tab.fake.clock.statistics().pending:
                self.wrong.append(f"{tab.fake.name} left timers")


@settings(derandomize=True, max_examples=40, deadline=None)
@given(STEPS)
def test_after_any_history_of_sharing_every_query_equals_the_server_and_nothing_looked_newer_than_it_was(steps: Any) -> None:
    # RT-62, RT-7, RT-84
    history = History()
    history.tab()
    for step in steps:
        history.act(*step)
    history.quiet()
    assert history.wrong == []


def test_histories_do_share() -> None:
    """The property would say nothing if nothing were borrowed."""
    # RT-62
    history = History()
    for which in range(4):
        history.act("look", 0, which, 700.0)
    history.act("tab", 0, 0, 300.0)
    for which in range(4):
        history.act("look", 1, which, 700.0)
    history.quiet()
    assert history.wrong == []
    assert history.borrowed >= 4
