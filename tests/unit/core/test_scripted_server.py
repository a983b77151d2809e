"""The scripted server refuses, forgets and fails as a real one does."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from core_world import THINGS

from pyapp.core.client import Client, stream_key
from pyapp.core.testing import FakeHttp, FakeSources, FakeVisibility, ScriptedServer, VirtualClock


class Served:
    """A multiplexed client of a scripted server, which knows the stream `things` and not the stream `others`."""

    def __init__(self) -> None:
        self.clock, self.sources, http = VirtualClock(creep_ms=0.001), FakeSources(), FakeHttp()
        self.server = ScriptedServer(self.clock, self.sources, http, multiplexed=True)
        self.server.change("a", state="cold")
        streams = self.server.streams()
        self.client = Client(
            clock=self.clock,
            sources=self.sources,
            http=http,
            visibility=FakeVisibility(),
            random=random.Random(1),
            queries=self.server.queries(),
            streams={**streams, "others": replace(streams["things"], name="others", path="others/stream")},
            multiplexed=True,
        )
        self.seen: list[Any] = []

    def phases(self) -> dict[str, tuple[str, str]]:
        rows = self.client.statistics().streams
        return {str(row.key): (str(row.state.phase), str(row.state.reason)) for row in rows}


def test_a_stream_that_the_server_does_not_have_is_refused_alone() -> None:
    # RT-25
    served = Served()
    served.client.use_query(THINGS, served.seen.append)
    served.client.use_stream(stream_key("others"), print)
    served.server.run(1_000)
    assert served.phases() == {"things": ("open", ""), "others": ("reconnecting", "unavailable")}
    assert str(served.seen[-1].freshness.state) == "live"


def test_a_server_that_remembers_the_connection_no_more_says_so_and_is_asked_for_the_whole_set() -> None:
    # RT-27, RT-64
    served = Served()
    served.client.use_query(THINGS, served.seen.append)
    served.server.run(6_000)
    served.server.wire.forget_connections()
    served.client.use_stream(stream_key("others"), print)
    served.server.run(1_000)
    opened = [line for line in served.sources.history if line.startswith("open ")]
    assert ["others" in line for line in opened] == [False, True]
    assert served.phases()["things"] == ("open", "")
    served.server.change("b", state="hot")
    served.server.run(300)
    assert [row.id for row in served.seen[-1].data.rows] == ["b", "a"]


def test_while_its_store_is_away_it_answers_503_and_refuses_sockets_and_afterwards_all_is_live() -> None:
    # RT-33
    served = Served()
    served.server.store_down = True
    served.client.use_query(THINGS, served.seen.append)
    served.server.run(2_000)
    assert served.server.store_down
    assert (str(served.seen[-1].freshness.state), str(served.seen[-1].error.kind)) == ("error", "server")
    assert served.phases()["things"][0] == "reconnecting"
    served.server.store_down = False
    served.server.run(40_000)
    assert str(served.seen[-1].freshness.state) == "live"
