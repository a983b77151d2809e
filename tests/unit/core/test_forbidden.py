"""What the server refuses with 403 (RT-36, RT-37), through the real client."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core_world import STREAM, THINGS, World, thing, versions

from pyapp.core.cache.result import Result
from pyapp.core.client import aggregate, item, live, stream_key
from pyapp.core.testing.things import thing_streams

HOT = live("things", state=["hot"])


def refused() -> tuple[World, list[Result[Any]], list[Result[Any]]]:
    """Two lists of one scope with data; the server then refuses the first."""
    world = World()
    _, seen = world.connected()
    _, other = world.look(HOT)
    world.settle()
    world.http.take("things").reply([thing("h", state="hot")], position="e1:0")
    world.settle()
    world.client.refresh(THINGS)
    world.http.take("things").reply({"detail": "no"}, status=403)
    world.settle()
    return world, seen, other


def test_after_a_403_nothing_of_the_scope_is_asked_and_what_is_there_is_retained_and_marked() -> None:
    # RT-33, RT-36
    world, seen, other = refused()
    assert [(s[-1].freshness.state, s[-1].freshness.reason) for s in (seen, other)] == [("error", "forbidden")] * 2
    assert versions(seen)[-1] == [("a", 1)]
    asked = len(world.http.sent)
    world.clock.advance(3_600_000)
    assert len(world.http.sent) == asked
    assert world.sources.open_urls == {}
    domain = world.client.statistics().feeds.domains[0]
    assert (domain.health, domain.polling) == ("unhealthy (permissions)", "disabled")
    assert all("forbidden" in row.pauses for row in world.client.statistics().feeds.queries)


def test_refresh_asks_again_and_if_it_is_permitted_the_stream_and_the_others_come_back() -> None:
    # RT-36, RT-37
    world, seen, other = refused()
    world.clock.advance(60_000)
    world.client.refresh(HOT)
    world.http.take("things").reply({"detail": "no"}, status=403)
    world.clock.advance(60_000)
    assert world.http.waiting == []
    assert world.sources.open_urls == {}
    world.client.refresh(HOT)
    world.http.take("things").reply([thing("h", 2, state="hot")], position="e1:4")
    world.settle()
    assert [pending.request.url for pending in world.http.waiting] == ["things?mode=live"]  # the other that had been refused
    world.http.take("things").reply([thing("a", 3)], position="e1:4")
    world.open(sequence=4)
    world.clock.advance(2_000)
    for pending in world.http.waiting:
        pending.reply([thing("a", 3)], position="e1:4")
    world.settle()
    assert [s[-1].freshness.state for s in (seen, other)] == ["live", "live"]


def test_an_item_may_be_refused_by_itself() -> None:
    # RT-36
    world = World()
    _, seen = world.connected()
    _, one = world.look(item("things", "zz"))
    world.settle()
    world.http.take("things/zz").reply({"detail": "no"}, status=403)
    world.settle()
    assert (seen[-1].freshness.state, one[-1].freshness.reason) == ("live", "forbidden")
    world.beats(120_000)
    assert world.http.count("things/zz") == 1
    assert [row.pauses for row in world.client.statistics().feeds.queries] == [(), ("forbidden",)]


def test_another_identity_opens_nothing_for_who_has_not_chosen_a_scope() -> None:
    # RT-30, RT-36
    things = thing_streams()["things"]
    world = World(streams={"things": things, "one": replace(things, name="one", path="things/{id}/stream")})
    world.connected()
    world.client.use_stream(stream_key("one"), print)
    world.client.identity_changed()
    world.beats(5_000)
    assert [url.partition("?")[0] for url in world.sources.open_urls.values()] == [STREAM]
    health = {domain.key: domain.health for domain in world.client.statistics().feeds.domains}
    assert health == {"things": "healthy (synchronized)", "one": "unhealthy (no scope)"}


def test_another_identity_asks_for_everything_that_was_forbidden_again() -> None:
    # RT-36
    world, seen, _ = refused()
    world.look(aggregate("count"))
    world.settle()
    world.http.take("count").reply({"detail": "no"}, status=401)
    world.settle()
    world.client.identity_changed()
    world.settle()
    assert sorted(pending.request.url for pending in world.http.waiting) == ["count", "things?mode=live"]
    assert [url.partition("?")[0] for url in world.sources.open_urls.values()] == [STREAM]
    world.http.take("things").reply([thing("a", 2)], position="e1:0")
    world.open(resumed=True)
    world.clock.advance(1_500)
    for pending in world.http.waiting:
        pending.reply({"n": 1} if pending.request.url == "count" else [thing("a", 2)], position="e1:0")
    world.settle()
    assert seen[-1].freshness.state == "live"
