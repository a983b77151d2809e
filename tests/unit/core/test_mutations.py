"""What a person did before the server said so: layers over the data, in order, confirmed or taken back (RT-10)."""

# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false, reportArgumentType=false

from __future__ import annotations

from typing import Any

import pytest
from cache_world import CacheWorld, X
from core_world import THINGS, World, changed, data_of, thing

from pyapp.core.cache.keys import WindowKey
from pyapp.core.client import MutationSpec, Patch, live, prefix, window
from pyapp.core.errors import Disposed, KeyMisuse
from pyapp.core.ports import HttpRequest


def post(args: Any) -> HttpRequest:
    return HttpRequest("POST", f"do/{args['n']}")


def adds(args: Any) -> list[Patch]:
    return [Patch(args.get("key", X), lambda data: (*data, args["n"]))]


SPECS = {
    "add": MutationSpec("add", post, optimistic=adds),
    "turn": MutationSpec("turn", post, optimistic=adds, scope="one"),
    "plain": MutationSpec("plain", post, lambda args: (prefix("x"),)),
    "wrong": MutationSpec("wrong", post, lambda args: 1 // 0),  # type: ignore[arg-type, return-value]
    "same": MutationSpec("same", post, optimistic=lambda args: [Patch(X, lambda data: (*data,))]),
    "broken": MutationSpec("broken", post, optimistic=lambda args: [Patch(X, lambda data: 1 // 0)]),
}


class Mutating(CacheWorld):
    def __init__(self) -> None:
        super().__init__(mutations=SPECS, interval_ms=float("inf"))
        self.outcomes: list[Any] = []

    def do(self, name: str, n: int, **more: Any) -> None:
        self.client.mutate(name, {"n": n, **more}, self.outcomes.append)

    def done(self, n: int, *, status: int = 200) -> None:
        self.http.take(f"do/{n}").reply({}, status=status)


def seen_as(seen: list[Any]) -> list[tuple[Any, bool]]:
    out: list[tuple[Any, bool]] = []
    for result in seen:
        if result.has_data and (not out or out[-1] != (result.data, result.pending)):
            out.append((result.data, result.pending))
    return out


def test_it_is_shown_at_once_and_stays_until_the_snapshot_that_was_asked_for_after_it_came() -> None:
    # RT-10, RT-43
    world = Mutating()
    _, seen = world.loaded([1])
    world.do("add", 2)
    assert (seen[-1].data, seen[-1].pending) == ((1, 2), True)
    world.done(2)
    assert (seen[-1].data, seen[-1].pending, world.asked()) == ((1, 2), True, 2)
    world.answer([1, 2, 3])
    assert seen_as(seen) == [((1,), False), ((1, 2), True), ((1, 2, 3), False)]
    assert world.outcomes == ["{}"]


def test_what_was_not_done_is_taken_back_to_exactly_what_the_server_said() -> None:
    # RT-10
    world = Mutating()
    observer, seen = world.loaded([1])
    base = observer.result.data
    world.do("add", 2)
    world.done(2, status=409)
    assert seen_as(seen) == [((1,), False), ((1, 2), True), ((1,), False)]
    assert observer.result.data is base
    assert [error.status for error in world.outcomes] == [409]
    assert (world.asked(), world.row().layers) == (1, 0)


def test_what_may_have_been_done_is_asked_for() -> None:
    # RT-10
    world = Mutating()
    _, seen = world.loaded([1])
    world.do("add", 2)
    world.http.take("do/2").lose()
    assert (seen[-1].data, world.asked()) == ((1,), 2)
    assert world.http.count("do/2") == 1  # never sent again by itself


def test_several_lie_in_order_and_each_is_taken_back_alone() -> None:
    # RT-10
    world = Mutating()
    _, seen = world.loaded([1])
    world.do("add", 2)
    world.do("add", 3)
    world.do("add", 4)
    assert (seen[-1].data, world.row().layers) == ((1, 2, 3, 4), 3)
    world.done(3, status=409)
    assert seen[-1].data == (1, 2, 4)


def test_a_snapshot_meanwhile_changes_what_lies_beneath() -> None:
    # RT-10
    world = Mutating()
    _, seen = world.loaded([1])
    world.client.refresh(X)
    world.do("add", 2)
    world.answer([8])
    assert (seen[-1].data, seen[-1].pending) == ((8, 2), True)
    world.done(2, status=500)
    assert seen[-1].data == (8,)


def test_a_snapshot_from_before_the_answer_confirms_nothing() -> None:
    # RT-10, RT-31
    world = Mutating()
    _, seen = world.loaded([1])
    world.do("add", 2)
    world.client.refresh(X)
    early = world.http.waiting[-1]
    world.done(2)
    assert early.cancelled
    world.answer([1, 2])
    assert seen_as(seen)[-1] == ((1, 2), False)


def test_mutations_of_a_scope_are_sent_one_after_the_other_and_shown_at_once() -> None:
    # RT-10
    world = Mutating()
    _, seen = world.loaded([1])
    for n in (2, 3, 4):
        world.do("turn", n)
    world.do("add", 5)
    posts = [one.request.url for one in world.http.sent if one.request.method == "POST"]
    assert (posts, seen[-1].data) == (["do/2", "do/5"], (1, 2, 3, 4, 5))
    assert world.client.statistics().mutations.pending == 4
    world.done(2, status=409)
    world.done(3)
    world.done(4)
    posts = [one.request.url for one in world.http.sent if one.request.method == "POST"]
    assert posts == ["do/2", "do/5", "do/3", "do/4"]
    world.do("turn", 6)
    assert world.http.take("do/6")
    statistics = world.client.statistics().mutations
    assert (statistics.pending, statistics.done, statistics.failed) == (2, 2, 1)


def test_what_nobody_looks_at_is_patched_too_and_asked_for_when_somebody_comes() -> None:
    # RT-10, RT-11
    world = Mutating()
    world.loaded([1])[0].close()
    world.do("add", 2)
    world.done(2)
    assert (world.client.peek(X).data, world.asked()) == ((1, 2), 1)  # type: ignore[union-attr]
    _, seen = world.look()
    world.settle()
    world.answer([1, 2])
    assert seen_as(seen) == [((1, 2), True), ((1, 2), False)]
    assert world.row().layers == 0


def test_a_panel_that_pauses_keeps_what_the_server_said_and_not_what_was_hoped_for() -> None:
    # RT-5, RT-10
    world = Mutating()
    observer, _ = world.loaded([1])
    world.do("add", 2)
    observer.set_live(False)
    world.done(2, status=409)
    world.settle()
    assert (observer.result.data, observer.result.pending) == ((1,), False)


def test_without_data_there_is_nothing_to_lie_over() -> None:
    # RT-10
    world = Mutating()
    _, seen = world.look()
    world.do("add", 2)
    world.settle()
    assert (seen[-1].has_data, seen[-1].pending) == (False, False)
    world.answer([1])
    assert seen_as(seen) == [((1, 2), True)]


def test_when_the_server_refuses_the_snapshot_what_was_accepted_is_not_shown_for_ever() -> None:
    # RT-10, RT-12
    world = Mutating()
    _, seen = world.loaded([1])
    world.do("add", 2)
    world.do("add", 3)
    world.done(2)
    world.answer({}, status=404)
    assert (seen[-1].data, seen[-1].pending) == ((1, 3), True)


def test_a_patch_that_raises_is_left_out_and_told() -> None:
    # RT-10
    world = Mutating()
    _, seen = world.loaded([1])
    world.do("broken", 1)
    world.do("add", 2)
    assert seen[-1].data == (1, 2)
    world.done(1)
    world.answer([1])
    assert seen_as(seen)[-1] == ((1, 2), True)
    assert [type(error) for error in world.raised] == [ZeroDivisionError]


def test_a_patch_that_changes_nothing_keeps_the_data_s_identity_and_is_confirmed_by_the_answer() -> None:
    # RT-10
    world = Mutating()
    observer, _ = world.loaded([1])
    base = observer.result.data
    world.do("same", 1)
    assert (observer.result.data is base, observer.result.pending) == (True, True)
    world.done(1)
    assert (observer.result.data is base, observer.result.pending) == (True, False)


def test_no_patch_reaches_a_window_or_an_unknown_key() -> None:
    # RT-3
    with pytest.raises(KeyMisuse, match="window"):
        Patch(window("x", after="a", before="b"), lambda data: data)  # type: ignore[arg-type]
    world = Mutating()
    with pytest.raises(KeyMisuse, match="register"):
        world.do("add", 2, key=live("unknown"))
    assert world.http.sent == []
    assert world.client.statistics().mutations.pending == 0


def test_a_description_that_raises_afterwards_is_told_and_the_outcome_too() -> None:
    world = Mutating()
    world.do("wrong", 1)
    world.done(1)
    assert world.outcomes == ["{}"]
    assert [type(error) for error in world.raised] == [ZeroDivisionError]


def test_a_mutation_makes_a_whole_family_old_but_no_window() -> None:
    # RT-3, RT-10
    world = Mutating()
    range_ = WindowKey("x", (("after", "a"), ("before", "b")))
    world.loaded([1])
    world.loaded([2], live("x"))
    world.loaded([3], range_)
    world.do("plain", 1)
    world.done(1)
    assert (world.asked(), world.asked(live("x")), world.asked(range_)) == (2, 2, 1)


def test_a_closed_client_mutates_nothing() -> None:
    # RT-53
    world = Mutating()
    world.loaded([1])
    world.do("add", 2)
    world.client.close()
    with pytest.raises(Disposed):
        world.do("add", 3)
    assert (world.clock.timers, world.outcomes) == (0, [])


def test_an_event_meanwhile_changes_what_lies_beneath_and_the_one_that_says_it_confirms() -> None:
    # RT-7, RT-10
    def patch(args: Any) -> list[Patch]:
        def hot(data: Any) -> Any:
            return type(data)(tuple(row.model_copy(update={"state": "hot"}) if row.id == "a" else row for row in data.rows), data.total)

        return [Patch(THINGS, hot)]

    world = World(mutations={"heat": MutationSpec("heat", lambda args: HttpRequest("POST", "heat"), optimistic=patch)})
    _, seen = world.connected(sequence=1)

    def rows() -> list[tuple[str, str]]:
        return [(row.id, row.state) for row in data_of(seen[-1]).rows]

    world.client.mutate("heat", {}, lambda outcome: None)
    assert (rows(), seen[-1].pending) == ([("a", "hot")], True)
    world.say(changed("b", 1, made=2), "e1:2")
    world.settle()
    assert (rows(), seen[-1].pending) == ([("b", "cold"), ("a", "hot")], True)
    world.http.take("heat").reply({})
    world.say(changed("a", 2, "hot"), "e1:3")
    world.settle()
    assert (rows(), seen[-1].pending, seen[-1].fetching) == ([("b", "cold"), ("a", "hot")], False, True)


def test_a_query_that_was_forgotten_meanwhile_is_not_missed() -> None:
    # RT-11
    world = Mutating()
    world.loaded([1], gc_ms=1_000)[0].close()
    world.do("add", 2)
    world.clock.advance(2_000)
    world.done(2, status=409)
    assert (len(world.outcomes), world.client.peek(X)) == (1, None)


def test_what_was_accepted_is_over_where_the_data_that_comes_has_no_place_for_it() -> None:
    # RT-10
    cold = live("things", state=["cold"])

    def rename(data: Any) -> Any:
        rows = {row.id: row for row in data.rows}
        return type(data)((rows["a"].model_copy(update={"made": 9}),), data.total)

    spec = MutationSpec("rename", lambda args: HttpRequest("POST", "rename"), optimistic=lambda args: [Patch(cold, rename)])
    world = World(mutations={"rename": spec})
    world.connected(sequence=1)
    _, seen = world.look(cold)
    world.settle()
    world.http.take("things").reply([thing("a")], position="e1:1")
    world.settle()
    world.client.mutate("rename", {}, lambda outcome: None)
    assert [row.made for row in data_of(seen[-1]).rows] == [9]
    world.http.take("rename").reply({})
    world.say(changed("a", 2, "hot"), "e1:2")  # it leaves the list
    world.settle()
    assert (data_of(seen[-1]).rows, seen[-1].pending, world.client.statistics().errors) == ((), False, ())
