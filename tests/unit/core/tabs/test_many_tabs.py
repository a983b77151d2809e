"""Random histories of many tabs: hidden, shown, busy, killed, put away, taken out, new, with a server that fails; then quiet.

While it goes on, nobody says anything under a term that is not its own, nobody says live for long what is not so, and a
stream that a visible tab wants has a leader again within the time the rules give. After it, every visible tab is live and equal to the
server, one tab leads, the others cost nothing; and when all are closed nothing is held.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from tabs_world import THINGS, Tab, World

from pyapp.core.tabs.election import Role

HISTORIES = 32
BLOCKS = 8
STEPS = 30
QUIET_MS = 75_000
LED_WITHIN_MS = 2_000
"""Silence, the steal's jitter, and the way of the messages."""


class History:
    """One random history."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        part_b = self.chance.random() < 0.7
        self.world = World(
            part_b=part_b,
            multiplexed=self.chance.random() < 0.7,
            latency_ms=lambda: self.chance.choice((0.5, 1.0, 12.0, 40.0)),
            delay_ms=lambda: self.chance.choice((2.0, 30.0, 200.0)),
        )
        self.made = 0
        self.wrong: list[str] = []
        self.unled_ms = 0.0
        self.lies_ms: dict[str, float] = {}
        for _ in range(3):
            self.new()

    @property
    def alive(self) -> list[Tab]:
        return [tab for tab in self.world.tabs if tab.fake.alive]

    def new(self) -> None:
        self.made += 1
        self.world.tab(f"t{self.made}")

    def act(self) -> None:
        chance, world = self.chance, self.world
        tab = chance.choice(self.alive) if self.alive else None
        if tab is None or (len(self.alive) < 6 and chance.random() < 0.15):
            self.new()
            return
        match chance.randrange(14):
            case 0 | 1 | 2 | 3:
                for _ in range(chance.choice((1, 3, 15))):
                    world.server.change(f"x{chance.randrange(9)}", state=chance.choice(("hot", "cold")))
            case 4:
                tab.fake.page.set(hidden=not tab.fake.page.hidden())
            case 5:
                tab.fake.freeze()
            case 6 | 7:
                tab.fake.thaw()
            case 8:
                tab.fake.kill()
            case 9 if not tab.fake.busy:
                tab.close()
            case 10 if not tab.fake.busy:
                if tab.fake.away:
                    tab.fake.take_out()
                else:
                    tab.fake.put_away()
            case 11:
                world.server.drop()
            case 12:
                world.server.restart()
            case _:
                world.server.accepting = not world.server.accepting

    def run(self, ms: float) -> None:
        end = self.world.clock.now() + ms
        while self.world.clock.now() < end:
            self.world.run(50)
            self.look(50)

    def look(self, ms: float) -> None:
        """What must hold at any time."""
        able = [tab for tab in self.alive if not (tab.fake.busy or tab.fake.page.hidden() or tab.fake.away)]
        led = any(tab.tabs.role is Role.LEADING for tab in self.alive if not tab.fake.busy)
        steady = able and all(tab.tabs.since_ms <= self.world.clock.now() - LED_WITHIN_MS for tab in able)
        followed = all(tab.tabs.role in (Role.LEADING, Role.FOLLOWING) for tab in able)
        self.unled_ms = 0.0 if not able or (led and followed) else self.unled_ms + ms
        if self.unled_ms > LED_WITHIN_MS and steady:
            self.wrong.append(f"unled for {self.unled_ms} ms: {[(tab.fake.name, str(tab.tabs.role)) for tab in able]}")
            self.unled_ms = 0.0
        for tab in able:
            lies = tab.seen[THINGS] and tab.state() == "live" and not self.world.equal(tab)
            self.lies_ms[tab.fake.name] = self.lies_ms.get(tab.fake.name, 0.0) + ms if lies else 0.0
            if self.lies_ms[tab.fake.name] > LED_WITHIN_MS:
                self.wrong.append(f"{tab.fake.name} says live for {LED_WITHIN_MS} ms and is not")
                self.lies_ms[tab.fake.name] = 0.0

    def check_terms(self) -> None:
        """Nobody speaks as a leader in a term that is not its own, and terms only rise for each."""
        last: dict[str, int] = {}
        for sender, said in self.world.origin.said:
            term: Any = None
            if isinstance(said, str):
                message = json.loads(said)
                if message["say"] in ("beat", "resign"):
                    term = message["term"]
            else:
                number, _, tab = said.term.partition(":")
                term = [int(number), tab]
            if term is not None:
                if term[1] != sender:
                    self.wrong.append(f"{sender} spoke in the term of {term[1]}")
                if term[0] < last.get(sender, 0):
                    self.wrong.append(f"{sender} went back to term {term[0]}")
                last[sender] = term[0]

    def quiet(self) -> None:
        self.world.server.accepting = self.world.server.answering = True
        for tab in self.alive:
            tab.fake.thaw()
            if tab.fake.away:
                tab.fake.take_out()
            tab.fake.page.set(hidden=False)
        if not self.alive:
            self.new()
        self.world.server.run(QUIET_MS, 250)

    def settled(self) -> None:
        leaders = self.world.leaders()
        if len(leaders) != 1:
            self.wrong.append(f"{len(leaders)} lead")
        for tab in self.alive:
            if tab.state() != "live":
                self.wrong.append(f"{tab.fake.name} says {tab.result().freshness}, {tab.client.statistics().streams[0].state}")
            if not self.world.equal(tab):
                self.wrong.append(f"{tab.fake.name} differs")
            if tab.client.statistics().errors or tab.fake.errors:
                self.wrong.append(f"{tab.client.statistics().errors} {tab.fake.errors}")
        if len(self.world.origin.sources.open_urls) != 1:
            self.wrong.append(f"open: {self.world.origin.sources.open_urls}")

    def end(self) -> None:
        for tab in self.world.tabs:
            if tab.fake.alive:
                tab.client.close()
                if tab.fake.clock.statistics().pending:
                    self.wrong.append(f"{tab.fake.name} left {tab.fake.clock.statistics().pending} timers")
        self.world.clock.advance(5_000)
        if self.world.origin.locks.count() or self.world.origin.sources.open_urls:
            self.wrong.append(f"held: {self.world.origin.locks.count()} locks, {self.world.origin.sources.open_urls}")
        if any(tab.channel.is_open for tab in self.world.origin.tabs):
            self.wrong.append("a channel is open")


def history(seed: int) -> list[str]:
    one = History(seed)
    one.run(500)
    for _ in range(STEPS):
        one.act()
        one.run(one.chance.choice((0.0, 50.0, 300.0, 1_000.0, 3_000.0)))
    one.quiet()
    one.settled()
    one.check_terms()
    one.end()
    return one.wrong


@pytest.mark.parametrize("block", range(BLOCKS))
def test_after_any_history_every_tab_is_live_and_equal_and_nothing_is_held(block: int) -> None:
    # RT-60, RT-61, RT-53
    for seed in range(block * HISTORIES // BLOCKS, (block + 1) * HISTORIES // BLOCKS):
        wrong = history(seed)
        assert not wrong, f"seed {seed}: {wrong[:5]}"
