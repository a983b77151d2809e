"""The page is put away and taken out again (RT-50, RT-53, RT-54)."""

from __future__ import annotations

from core_world import STREAM, THINGS, World, states, thing

from pyapp.core.client import MutationSpec
from pyapp.core.ports import HttpRequest
from pyapp.core.streams.connection import Reason
from pyapp.core.testing import FakeLifecycle


def test_putting_the_page_away_releases_every_connection_request_and_timer_at_once() -> None:
    # RT-53
    life = FakeLifecycle()
    world = World(lifecycle=life)
    world.connected()
    world.client.refresh(THINGS)
    assert world.http.waiting
    life.suspend()
    assert (world.sources.open_urls, world.http.waiting) == ({}, [])
    fired = world.clock.statistics().fired
    world.clock.advance(600_000)
    assert world.clock.statistics().fired == fired  # the host has no timer of ours
    assert (world.sources.open_urls, world.http.waiting) == ({}, [])


def test_taken_out_again_the_page_goes_on_as_after_hidden() -> None:
    # RT-51, RT-53
    life = FakeLifecycle()
    world = World(lifecycle=life)
    _, seen = world.connected(sequence=4)
    life.suspend()
    world.clock.advance(600_000)
    life.resume()
    world.settle()
    assert world.sources.history[-1] == f"open {STREAM}?last_event_id=e1%3A4"
    assert states(seen)[-1] != "live"
    world.open(resumed=True)
    world.clock.advance(1_000)
    world.http.take("things").reply([thing("a", 2)], position="e1:4")
    world.settle()
    assert states(seen)[-1] == "live"
    assert world.client.statistics().totals.sleeps == 0


def test_what_only_asked_is_asked_again_and_what_changed_something_says_that_nobody_knows() -> None:
    # RT-53
    life = FakeLifecycle()
    world = World(lifecycle=life, mutations={"start": MutationSpec("start", lambda args: HttpRequest("POST", "start"))})
    world.connected()
    said: list[object] = []
    world.client.refresh(THINGS)
    world.client.mutate("start", {}, said.append)
    life.suspend()
    world.clock.advance(60_000)
    life.resume()
    world.settle()
    assert "put away" in str(said[0])
    assert [pending.request.method for pending in world.http.waiting if pending.request.url.startswith(("things", "start"))] == ["GET"]


def test_a_page_that_is_frozen_in_the_background_stays_paused_until_it_is_seen() -> None:
    # RT-50, RT-53
    life = FakeLifecycle()
    world = World(lifecycle=life)
    world.connected()
    world.page.set(hidden=True)
    life.suspend()
    world.clock.advance(60_000)
    life.resume()
    world.clock.advance(20_000)
    assert world.client.paused
    world.page.set(hidden=False)
    world.settle()
    assert not world.client.paused
    assert len(world.sources.open_urls) == 1


def test_a_wallboard_goes_on_hidden() -> None:
    # RT-50
    world = World()
    world.connected()
    world.client.set_pause_hidden(False)
    world.page.set(hidden=True)
    world.beats(60_000)
    assert (world.client.paused, len(world.sources.open_urls)) == (False, 1)


def test_a_stream_that_the_person_opted_in_to_stays_open_in_a_hidden_page_and_not_in_one_that_is_put_away() -> None:
    # RT-53, RT-54
    life = FakeLifecycle()
    world = World(lifecycle=life)
    world.connected()
    world.client.keep_when_hidden(["things"])
    world.page.set(hidden=True)
    world.beats(30_000)
    assert len(world.sources.open_urls) == 1
    life.suspend()
    assert world.sources.open_urls == {}


def test_a_flag_of_one_stream_closes_it_at_once_and_the_closed_client_heeds_nothing() -> None:
    # RT-20, RT-53
    life = FakeLifecycle()
    world = World(lifecycle=life)
    world.connected()
    world.client.deny({"things": Reason.FLAG_OFF})
    assert world.sources.open_urls == {}
    assert world.client.statistics().streams[0].state.reason == "flag off"
    world.client.deny({})
    assert len(world.sources.open_urls) == 1
    world.client.close()
    life.suspend()
    life.resume()
    assert (world.sources.open_urls, world.clock.timers) == ({}, 0)


def test_of_a_machine_that_slept_a_closed_client_makes_nothing() -> None:
    # RT-52, RT-53
    world = World()
    world.connected()
    world.client.close()
    world.clock.call_at(world.clock.now() + 1_000, lambda: None)  # of somebody else on the same clock
    world.clock.sleep(60_000)
    world.settle()
    assert world.clock.statistics().sleeps == 1
    assert (world.client.statistics().totals.sleeps, world.sources.open_urls, world.clock.timers) == (0, {}, 0)
