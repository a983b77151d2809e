"""Many tabs cost one: what a person relies on, with whole clients over fakes."""

from __future__ import annotations

from tabs_world import World

from pyapp.core.tabs.election import Role


def test_twenty_tabs_hold_one_connection_and_all_are_live() -> None:
    # RT-60
    world = World()
    tabs = world.some(20)
    world.run(2_000)
    assert len(world.origin.sources.open_urls) == 1
    assert [tab.tabs.role for tab in tabs] == [Role.LEADING] + [Role.FOLLOWING] * 19
    assert {tab.state() for tab in tabs} == {"live"}
    world.server.change("t9", state="hot")
    world.run(300)
    assert all(world.equal(tab) for tab in tabs)
    assert {tab.tabs.tabs for tab in tabs} == {20}
