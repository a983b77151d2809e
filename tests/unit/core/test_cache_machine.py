"""The cache under random histories: observers, answers of every kind, writes, mutations, time (RT-3, RT-10, RT-11, RT-12)."""

# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false, reportArgumentType=false

from __future__ import annotations

from typing import Any

from cache_world import CacheWorld, url
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pyapp.core.cache.result import unchanged
from pyapp.core.client import MutationSpec, Observer, Patch, Placeholder, Result, aggregate, item, live, prefix, window
from pyapp.core.ports import HttpRequest

RANGE = window("x", after="a", before="b")
WRITABLE = (aggregate("x"), live("x"), item("x", "i"), live("x", n=1))
KEYS = (*WRITABLE, RANGE)
keys, writable = st.sampled_from(KEYS), st.sampled_from(WRITABLE)
values = st.integers(0, 2).map(lambda n: [{"id": "a", "n": n}, {"id": "b", "n": 0}])
SPEC = MutationSpec(
    "mark",
    lambda args: HttpRequest("POST", f"mark/{args['n']}"),
    optimistic=lambda args: [Patch(args["key"], lambda data: (*data, {"id": "new", "n": args["n"]}))],
)


class CacheMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = CacheWorld(mutations={"mark": SPEC})
        self.client = self.world.client
        self.observers: list[Observer] = []
        self.closed = False
        self.mutations: list[tuple[int, Any]] = []
        self.number = 0
        self.window: Any = None
        self.window_may_change = False
        self.flushes = 0

    def _query(self, key: Any) -> Any:
        return self.client._cache.find(key)  # pyright: ignore[reportPrivateUsage]

    def _waiting(self, key: Any) -> list[Any]:
        return [one for one in self.world.http.waiting if one.request.url == url(key)]

    def _asked(self, key: Any) -> int:
        return sum(one.request.url == url(key) for one in self.world.http.sent)

    # What may happen ----------------------------------------------------------------------------------------------------------

    @rule(
        key=keys,
        live=st.booleans(),
        enabled=st.booleans(),
        stale=st.sampled_from([None, 0.0, 10_000.0]),
        gc=st.sampled_from([None, 0.0, 20_000.0]),
        made=st.sampled_from([None, len, lambda data: data[5]]),
        placeholder=st.sampled_from([Placeholder.NOTHING, Placeholder.PREVIOUS, ()]),
    )
    def observe(self, key: Any, live: bool, enabled: bool, stale: Any, gc: Any, made: Any, placeholder: Any) -> None:
        last: list[Result[Any] | None] = [None]

        def told(result: Result[Any]) -> None:
            assert not self.closed, "told after close"
            assert not unchanged(last[0], result), "told the same twice"
            assert not (result.placeholder and result.freshness.state == "live")
            assert result.has_data or result.data is None
            last[0] = result

        self.observers.append(
            self.client.use_query(key, told, live=live, enabled=enabled, stale_ms=stale, gc_ms=gc, select=made, placeholder=placeholder)
        )

    @rule(data=st.data())
    def leave(self, data: Any) -> None:
        if self.observers:
            self.observers.pop(data.draw(st.integers(0, len(self.observers) - 1))).close()

    @rule(data=st.data(), on=st.booleans())
    def set_live(self, data: Any, on: bool) -> None:
        if self.observers:
            observer = data.draw(st.sampled_from(self.observers))
            shown = observer.last
            observer.set_live(on)
            if not on and shown is not None and shown.has_data and not shown.pending and not shown.placeholder:
                assert observer.result.data is shown.data

    @rule(key=keys, value=values)
    def answer(self, key: Any, value: Any) -> None:
        for pending in self._waiting(key)[:1]:
            query = self._query(key)
            before = query.data if query is not None and query.has_data else None
            self.window_may_change = key is RANGE
            pending.reply(value)
            query = self._query(key)
            if before == tuple(value):
                assert query.data is before, "equal data lost its identity"
            assert query.data == tuple(value)
            assert query.error is None

    @rule(key=keys, kind=st.sampled_from(["lost", "503", "404", "garbage"]))
    def fail(self, key: Any, kind: str) -> None:
        for pending in self._waiting(key)[:1]:
            before = self._query(key).data
            if kind == "lost":
                pending.lose()
            else:
                pending.reply("{" if kind == "garbage" else {}, status=int(kind) if kind.isdecimal() else 200)
            assert self._query(key).data is before, "an error replaced data"
            assert self._query(key).error is not None

    @rule(key=writable, value=values)
    def write(self, key: Any, value: Any) -> None:
        self.client.set_data(key, tuple(value))

    @rule(key=keys)
    def refresh(self, key: Any) -> None:
        self.client.refresh(key)

    @rule(key=keys)
    def cancel(self, key: Any) -> None:
        query = self._query(key)
        before = (query.data, query.error, query.failures) if query is not None else None
        self.client.cancel(key)
        if query is not None:
            assert (query.data, query.error, query.failures) == before
            assert not query.fetching

    @rule(what=st.sampled_from([*WRITABLE, prefix("x"), prefix("x", "live")]))
    def invalidate(self, what: Any) -> None:
        self.client.invalidate(what)

    @rule(key=writable)
    def reset(self, key: Any) -> None:
        self.client.reset(key)
        assert (known := self.client.peek(key)) is None or not known.has_data

    @rule(key=keys)
    def prefetch(self, key: Any) -> None:
        self.client.prefetch(key, stale_ms=10_000)

    @rule(key=writable)
    def mutate(self, key: Any) -> None:
        self.number += 1
        self.mutations.append((self.number, key))
        self.client.mutate("mark", {"key": key, "n": self.number}, lambda outcome: None)

    @rule(data=st.data(), good=st.booleans())
    def settle_mutation(self, data: Any, good: bool) -> None:
        if not self.mutations:
            return
        number, key = self.mutations.pop(data.draw(st.integers(0, len(self.mutations) - 1)))
        for pending in [one for one in self.world.http.waiting if one.request.url == f"mark/{number}"]:
            pending.reply({}, status=200 if good else 409)
            query = self._query(key)
            if query is not None and not good and not query.layers.lying:
                assert query.result().data is query.data, "a rollback left something"

    @rule(hidden=st.booleans())
    def see(self, hidden: bool) -> None:
        self.world.page.set(hidden=hidden)

    @rule(ms=st.sampled_from([20, 200, 6_000, 40_000, 400_000]))
    def wait(self, ms: float) -> None:
        quiet = [key for key in KEYS if (query := self._query(key)) is None or not query.live_observers]
        before = {key: self._asked(key) for key in quiet}
        self.world.clock.advance(ms)
        for key in quiet:
            assert self._asked(key) == before[key], f"{key} was fetched although nobody looks"

    # What must hold -----------------------------------------------------------------------------------------------------------

    @invariant()
    def a_window_changes_by_its_own_answer_only(self) -> None:
        query = self._query(RANGE)
        now = query.data if query is not None else None
        if query is not None and not self.window_may_change:
            assert now is self.window, "something else touched a window"
        self.window, self.window_may_change = now, False

    @invariant()
    def one_request_per_query_is_under_way(self) -> None:
        for key in KEYS:
            assert len(self._waiting(key)) <= 1

    @invariant()
    def what_is_pending_says_so(self) -> None:
        for query in list(self.client._cache.queries()):  # pyright: ignore[reportPrivateUsage]
            result = query.result()
            assert result.pending == (query.has_data and query.layers is not None and len(query.layers) > 0)
            assert result.pending or result.data is query.data

    @invariant()
    def figures_add_up(self) -> None:
        rows = self.client.statistics().cache.queries
        assert sum(row.observers for row in rows) == len(self.observers)
        assert all((row.gc_due_ms is None) == (row.observers > 0) for row in rows)

    def teardown(self) -> None:
        self.client.close()
        self.closed = True
        assert self.world.clock.timers == 0
        assert self.world.http.waiting == []
        for observer in self.observers:
            observer.set_live(True)
            observer.close()
        self.world.clock.advance(1_000_000)
        assert self.world.clock.timers == 0


# RT-3, RT-10, RT-11, RT-12, RT-53
TestCacheMachine = CacheMachine.TestCase
TestCacheMachine.settings = settings(max_examples=60, stateful_step_count=40, derandomize=True, deadline=None)
