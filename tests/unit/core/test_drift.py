"""What streams fed against the server's rows (RT-26, RT-35): the comparison alone, and through the real client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from core_world import STREAM, THINGS, World, changed, states, thing, versions
from hypothesis import given
from hypothesis import strategies as st

from pyapp.core.client import live
from pyapp.core.feeds.drift import differences
from pyapp.core.testing import FakeHttp, FakeSources, ScriptedServer, VirtualClock

HOT = live("things", state=["hot"])


def rows(data: Any) -> Mapping[str, object]:
    return {row.id: (row.version, row.state) for row in data.rows} if hasattr(data, "rows") else {data.id: (data.version, data.state)}


def world_of(*, resource: bool) -> World:
    specs = ScriptedServer(VirtualClock(), FakeSources(), FakeHttp()).queries()
    return World(queries={**specs, "things": replace(specs["things"], rows=rows, resource=resource)})


def domain(world: World) -> Any:
    return world.client.statistics().feeds.domains[0]


ROWS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 2))


@given(ROWS, ROWS)
def test_equal_rows_never_differ_and_at_most_five_are_named(streamed: dict[str, int], snapshot: dict[str, int]) -> None:
    # RT-35
    assert differences(streamed, streamed, whole=True) == ()
    for whole in (True, False):
        named = differences(streamed, snapshot, whole=whole)
        assert len(named) <= 5
        assert all(streamed.get(key) != snapshot.get(key) for key in named)
    assert bool(differences(streamed, snapshot, whole=True)) == (streamed != snapshot)


def test_one_and_true_are_not_the_same() -> None:
    # RT-35
    assert differences({"a": 1}, {"a": True}, whole=False) == ("a",)


def test_drift_of_a_resource_is_counted_named_corrected_and_the_scope_recovers_by_itself() -> None:
    # RT-30, RT-35
    world = world_of(resource=True)
    _, seen = world.connected(sequence=5)
    world.say(changed("a", 2), "e1:6")
    world.settle()
    world.client.refresh(THINGS)
    world.settle()
    world.http.take("things").reply([thing("a", 7), thing("b")], position="e1:6")
    world.settle()
    assert versions(seen)[-1] == [("a", 7), ("b", 1)]
    assert (domain(world).drifts, domain(world).drift_keys, domain(world).health) == (1, ("a", "b"), "unhealthy (drift)")
    assert (seen[-1].freshness.state, seen[-1].freshness.reason) in {("stale", "drift"), ("polling", "fallback")}
    world.clock.advance(1_000)
    world.http.take("things").reply([thing("a", 7), thing("b")], position="e1:6")
    world.settle()
    assert (states(seen)[-1], domain(world).drifts, domain(world).health) == ("live", 1, "healthy (delivering)")


@pytest.mark.parametrize(
    ("position", "why"),
    [("e1:5", "older: the events since are laid on top"), ("e1:9", "newer: what came between was not yet delivered")],
)
def test_rows_are_compared_at_equal_position_only(position: str, why: str) -> None:
    # RT-35
    world = world_of(resource=True)
    _, seen = world.connected(sequence=5)
    world.client.refresh(THINGS)
    world.settle()
    world.say(changed("a", 2), "e1:6")
    world.settle()
    world.http.take("things").reply([thing("a", 1 if position == "e1:5" else 9)], position=position)
    world.settle()
    assert (domain(world).drifts, states(seen)[-1]) == (0, "live"), why


def test_a_gap_makes_a_new_start_and_is_no_drift() -> None:
    # RT-35
    world = world_of(resource=True)
    world.connected(sequence=5)
    world.say(changed("a", 2), "e1:8")  # a hole
    world.settle()
    world.clock.advance(1_000)
    world.http.take("things").reply([thing("a", 2), thing("z")], position="e1:8")
    world.settle()
    assert domain(world).drifts == 0


def test_under_the_flag_one_safety_snapshot_in_ten_is_compared_and_without_it_none() -> None:
    # RT-35
    found: list[int] = []
    for flag in (False, True):
        world = world_of(resource=False)
        world.client.set_verifying(flag)
        _, seen = world.connected(sequence=5)
        world.look(HOT)
        world.settle()
        for number in range(120):
            for pending in world.http.waiting:  # every snapshot says another version at the same place
                pending.reply([thing("a", number + 2)], position="e1:5")
            world.beats(60_000, 5)
        found.append(domain(world).drifts)
        assert states(seen)[-1] in ("live", "stale")
    assert found[0] == 0
    assert 1 <= found[1] <= 8


def test_rows_that_only_one_side_has_are_no_drift_of_a_capped_list() -> None:
    # RT-35
    assert differences({"a": 1, "b": 1}, {"b": 1, "c": 1}, whole=False) == ()


def told(data: Any) -> Mapping[str, object]:
    """As `rows`, where no event tells that a thing is new."""
    return {row.id: None if row.state == "new" else (row.version, row.state) for row in data.rows}


@pytest.mark.parametrize(("state", "gaps"), [("hot", 1), ("new", 0)])
def test_a_row_that_a_silent_stream_did_not_tell_of_is_a_gap_unless_no_event_would_have(state: str, gaps: int) -> None:
    # RT-26
    specs = ScriptedServer(VirtualClock(), FakeSources(), FakeHttp()).queries()
    world = World(queries={**specs, "things": replace(specs["things"], rows=told)})
    _, seen = world.look()
    world.settle()
    world.sources.accept(STREAM)
    world.clock.advance(2_100)
    for _ in range(3):
        for pending in world.http.waiting:
            pending.reply([thing("a")])
        world.settle()
    world.clock.advance(62_000)
    world.http.take("things").reply([thing("b", state=state, made=2), thing("a")])
    world.settle()
    assert (domain(world).silent_gaps, domain(world).drifts) == (gaps, 0)
    assert versions(seen)[-1] == [("b", 1), ("a", 1)]
    assert seen[-1].freshness.reason == "unverified"


@pytest.mark.parametrize("with_rows", [True, False])
def test_a_difference_at_a_stream_that_was_silent_and_announces_nothing_is_a_gap(with_rows: bool) -> None:
    # RT-8, RT-26
    world = world_of(resource=False) if with_rows else World()
    _, seen = world.look()
    _, hot = world.look(HOT)
    world.settle()
    world.sources.accept(STREAM)
    world.clock.advance(2_100)
    for _ in range(3):
        for pending in world.http.waiting:
            pending.reply([thing("a", state="hot")])
        world.settle()
    assert [states(seen)[-1], states(hot)[-1]] == ["live", "live"]
    world.clock.advance(58_000)
    while len(world.http.waiting) < 2:
        world.clock.advance(50)
    assert seen[-1].freshness.reason in ("unverified", "synchronized")
    first, second = world.http.waiting
    world.clock.advance(2_000)
    assert seen[-1].freshness.reason == "unverified"
    first.reply([thing("a", 2, state="hot")])
    world.settle()
    assert domain(world).silent_gaps == 1
    assert domain(world).drifts == 0
    second.reply([thing("a", 2, state="hot")])
    world.clock.advance(1_500)
    for pending in world.http.waiting:
        pending.reply([thing("a", 2, state="hot")])
    world.settle()
    assert [states(seen)[-1], states(hot)[-1]] == ["live", "live"]
    assert versions(hot)[-1] == [("a", 2)]


def test_a_domain_of_resources_polls_without_grace() -> None:
    # RT-33
    world = world_of(resource=True)
    world.connected(sequence=5)
    world.break_off()
    assert domain(world).mode == "polling (fallback)"
    plain = World()
    plain.connected(sequence=5)
    plain.break_off()
    assert domain(plain).mode == "reconnecting (unhealthy)"
