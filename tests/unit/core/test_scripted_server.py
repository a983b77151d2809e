"""The scripted server refuses, forgets and fails as a real one does, and what a client makes of it is what the server has."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any, get_args

import pytest
from core_world import THINGS

from pyapp.core.client import Client, QueryKey, aggregate, item, live, stream_key, window
from pyapp.core.testing import FakeHttp, FakeSources, FakeVisibility, ScriptedServer, VirtualClock
from pyapp.core.testing.wire import Fault


class Served:
    """A client of a scripted server, which knows the stream `things` and not the stream `others`."""

    def __init__(self, *, multiplexed: bool = True, part_b: bool = True, look: bool = True) -> None:
        self.clock, self.sources, self.http = VirtualClock(creep_ms=0.001), FakeSources(), FakeHttp()
        self.server = ScriptedServer(self.clock, self.sources, self.http, multiplexed=multiplexed, part_b=part_b)
        self.server.change("a", state="cold")
        streams = self.server.streams()
        self.client = Client(
            clock=self.clock,
            sources=self.sources,
            http=self.http,
            visibility=FakeVisibility(),
            random=random.Random(1),
            queries=self.server.queries(),
            streams={**streams, "others": replace(streams["things"], name="others", path="others/stream")},
            multiplexed=multiplexed,
        )
        self.seen: dict[QueryKey, list[Any]] = {}
        if look:
            self.look(THINGS)
            self.server.run(1_000)
            self.server.change("a", state="warm")  # from here on the stream's place is known
            self.server.run(300)

    def look(self, key: QueryKey) -> Any:
        return self.client.use_query(key, self.seen.setdefault(key, []).append)

    def state(self, key: QueryKey = THINGS) -> str:
        return str(self.seen[key][-1].freshness.state)

    def shown(self, key: QueryKey = THINGS) -> Any:
        data = self.seen[key][-1].data
        if hasattr(data, "rows"):
            return [row.model_dump() for row in data.rows]
        return data.model_dump() if hasattr(data, "model_dump") else data

    def equal(self, key: QueryKey = THINGS) -> bool:
        return self.shown(key) == self.server.answer_of(key)

    def phases(self) -> dict[str, tuple[str, str]]:
        rows = self.client.statistics().streams
        return {str(row.key): (str(row.state.phase), str(row.state.reason)) for row in rows}

    @property
    def gaps(self) -> int:
        return self.client.statistics().totals.gaps


# Its answers ----------------------------------------------------------------------------------------------------------------------


def test_it_answers_lists_with_and_without_a_filter_windows_without_a_cap_items_and_counts() -> None:
    # RT-2, RT-4
    served = Served(look=False)
    keys = (THINGS, live("things", state=["hot"]), item("things", "a"), item("things", "none"), aggregate("count"))
    everything = window("things", after="2026-01-01T00:00:00Z", before="2027-01-01T00:00:00Z")
    for number in range(60):
        served.server.change(f"t{number}", state="hot")
    for key in (*keys, everything):
        served.look(key)
    served.server.run(2_000)
    assert [served.equal(key) for key in keys] == [True] * len(keys)
    assert (len(served.shown()), len(served.shown(everything))) == (50, 61)
    assert str(served.seen[item("things", "none")][-1].error.kind) == "missing"
    for thing, state in (("a", "hot"), ("t7", "cold")):
        served.server.change(thing, state=state)
    served.server.run(8_000)
    assert [served.equal(key) for key in keys] == [True] * len(keys)
    assert (served.server.version, served.shown(item("things", "a"))["state"]) == (63, "hot")


def test_it_answers_nobody_who_gave_up_meanwhile() -> None:
    served = Served(look=False)
    observer = served.look(window("things", after="2026-01-01T00:00:00Z", before="2027-01-01T00:00:00Z"))
    served.server.run(10)
    served.client.close()
    observer.close()
    served.server.run(1_000)
    assert (served.server.requests, served.server.under_way, served.http.waiting) == (1, 0, [])


def test_while_its_store_is_away_it_answers_503_and_refuses_sockets_and_afterwards_all_is_live() -> None:
    # RT-33
    served = Served(look=False)
    served.server.store_down = True
    served.look(THINGS)
    served.server.run(2_000)
    assert (served.server.store_down, served.server.accepting) == (True, False)
    assert (served.state(), str(served.seen[THINGS][-1].error.kind)) == ("error", "server")
    assert served.phases()["things"][0] == "reconnecting"
    served.server.store_down = False
    served.server.run(40_000)
    assert served.state() == "live"


# Its sockets ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("multiplexed", [True, False])
@pytest.mark.parametrize("fault", get_args(Fault))
def test_whatever_becomes_of_an_event_on_its_way_the_list_is_the_servers_within_a_heartbeat(fault: Fault, multiplexed: bool) -> None:
    # RT-28, RT-29
    served = Served(multiplexed=multiplexed)
    served.server.wire.fault(fault)
    served.server.change("a", state="hot")
    assert served.server.wire.faulty is (fault == "reorder")  # it is held back until the next
    served.server.change("b", state="cold")
    assert not served.server.wire.faulty
    served.server.run(8_000)
    assert (served.equal(), served.state()) == (True, "live")
    assert (served.gaps > 0) is (fault != "duplicate")


def test_an_event_that_is_held_back_comes_when_all_is_healed_and_faults_that_were_to_come_do_not() -> None:
    served = Served()
    served.server.wire.fault("reorder")
    served.server.wire.fault("skip", 3)
    served.server.change("a", state="hot")
    served.server.run(300)
    assert not served.equal()
    served.server.wire.heal()
    served.server.change("b", state="cold")
    served.server.run(300)
    assert (served.equal(), served.state(), served.gaps) == (True, "live", 0)


def test_an_event_that_is_lost_without_a_word_is_missed_at_the_next_heartbeat() -> None:
    # RT-28
    served = Served()
    served.server.change("b", state="cold", silently=True)
    served.server.run(1_000)
    assert (served.equal(), served.state()) == (False, "live")
    served.server.run(6_000)
    assert (served.equal(), served.state(), served.gaps) == (True, "live", 1)


def test_a_planned_end_says_so_and_what_happened_meanwhile_is_resumed() -> None:
    # RT-27, RT-38
    served = Served()
    served.server.wire.bye(2_000)
    served.server.run(300)
    assert served.phases() == {"things": ("reconnecting", "planned")}
    served.server.change("b", state="hot")
    served.server.run(4_000)
    assert (served.equal(), served.state(), served.gaps) == (True, "live", 0)


@pytest.mark.parametrize("part_b", [True, False])
def test_a_server_that_is_stalled_or_of_part_a_ends_without_a_word(part_b: bool) -> None:
    # RT-38
    served = Served(part_b=part_b, multiplexed=False)
    served.server.run(3_000)
    served.server.wire.stalled = part_b
    served.server.wire.bye()
    served.server.run(300)
    assert served.phases() == {"things": ("reconnecting", "dropped")}


def test_in_another_life_nothing_is_resumed_and_after_a_reset_the_place_is_none() -> None:
    # RT-27, RT-38
    served = Served()
    served.server.restart()
    served.server.change("b", state="hot")
    served.server.run(6_000)
    assert (served.server.life, served.equal(), served.state()) == (2, True, "live")
    asked = served.server.requests
    served.server.wire.reset()
    served.server.run(3_000)
    assert (served.gaps, served.server.requests, served.state()) == (1, asked + 1, "live")


def test_a_server_that_accepts_and_says_nothing_is_given_up_in_time() -> None:
    # RT-26
    served = Served(look=False)
    served.server.wire.stalled = True
    served.look(THINGS)
    served.server.run(5_000)
    assert served.phases() == {"things": ("connecting", "")}
    served.server.wire.stalled = False
    served.server.run(20_000)
    assert (served.phases(), served.state()) == ({"things": ("open", "")}, "live")


@pytest.mark.parametrize(("status", "said"), [(0, ("reconnecting", "refused")), (403, ("closed", "forbidden"))])
def test_a_socket_is_refused_with_a_status_that_a_plain_request_learns_or_with_none(status: int, said: tuple[str, str]) -> None:
    # RT-25
    served = Served(look=False, multiplexed=False)
    served.server.wire.refusal = status
    served.look(THINGS)
    served.server.run(400)
    assert served.phases() == {"things": said}


def test_a_stream_that_the_server_does_not_have_is_refused_alone() -> None:
    # RT-25
    served = Served()
    served.client.use_stream(stream_key("others"), print)
    served.server.run(1_000)
    assert served.phases() == {"things": ("open", ""), "others": ("reconnecting", "unavailable")}
    assert served.state() == "live"


def test_a_server_that_remembers_the_connection_no_more_says_so_and_is_asked_for_the_whole_set() -> None:
    # RT-27, RT-64
    served = Served()
    served.server.run(6_000)
    served.server.wire.forget_connections()
    served.client.use_stream(stream_key("others"), print)
    served.server.run(1_000)
    opened = [line for line in served.sources.history if line.startswith("open ")]
    assert ["others" in line for line in opened] == [False, True]
    assert served.phases()["things"] == ("open", "")
    served.server.change("b", state="hot")
    served.server.run(300)
    assert served.equal()
