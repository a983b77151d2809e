"""The network's word, and for whom it counts (RT-52)."""

from __future__ import annotations

import pytest
from core_world import STREAM, World, states

from pyapp.core.network import AlwaysOnline, NetworkWatch, is_loopback, network_for
from pyapp.core.testing import FakeNetwork


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:8000/api/v1/", True),
        ("http://app.localhost/", True),
        ("http://LOCALHOST./", True),
        ("http://127.0.0.1:1/", True),
        ("http://127.9.9.9/", True),
        ("http://[::1]:8000/", True),
        ("https://penstock.example/", False),
        ("http://localhost.example/", False),
        ("http://192.168.0.1/", False),
        ("http://[2001:db8::1]/", False),
        ("http://[broken/", False),
        ("", False),
    ],
)
def test_an_api_on_this_machine_is_never_offline(url: str, local: bool) -> None:
    # RT-52
    network = FakeNetwork()
    network.set(online=False)
    assert is_loopback(url) is local
    assert network_for(url, network).online() is local


def test_each_change_is_told_once() -> None:
    # RT-52
    network, told = FakeNetwork(), list[bool]()
    watch = NetworkWatch(network, told.append)
    for online in (True, False, False, True):
        network.set(online=online)
    watch.close()
    network.set(online=False)
    assert (told, watch.changes) == ([False, True], 2)
    AlwaysOnline().on_change(lambda: told.append(True))
    assert len(told) == 2


def test_offline_an_open_stream_stays_open_and_is_believed_again_at_its_next_frame() -> None:
    # RT-52
    network = FakeNetwork()
    world = World(network=network)
    world.connected()
    network.set(online=False)
    world.settle()
    stream = world.client.statistics().streams[0]
    assert (stream.state.phase, stream.state.awaiting) == ("open", True)
    world.sources.beat(STREAM)
    world.settle()
    assert not world.client.statistics().streams[0].state.awaiting
    assert [line.split("?")[0] for line in world.sources.history] == [f"open {STREAM}"]


def test_online_again_what_did_not_prove_itself_is_opened_anew_within_a_second() -> None:
    # RT-52
    network = FakeNetwork()
    world = World(network=network)
    _, seen = world.connected(sequence=3)
    network.set(online=False)
    world.settle()
    network.set(online=True)
    world.settle()
    world.clock.advance(1_000)
    assert [line.split("?")[0] for line in world.sources.history] == [f"open {STREAM}", f"close {STREAM}", f"open {STREAM}"]
    assert world.sources.history[-1].endswith("e1%3A3")
    assert states(seen)[-1] != "live"


def test_a_page_that_begins_without_a_network_says_so_and_tries_at_the_cap() -> None:
    # RT-52
    network = FakeNetwork()
    network.set(online=False)
    world = World(network=network)
    world.look()
    world.settle()
    world.break_off(final=True)
    state = world.client.statistics().streams[0].state
    assert (state.phase, state.reason) == ("reconnecting", "offline")
    assert state.retry_at_ms is not None
    assert 25_500 <= state.retry_at_ms - state.since_ms <= 34_500
