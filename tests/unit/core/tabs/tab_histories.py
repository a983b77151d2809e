"""Random histories of many tabs, as data: made from a seed, run, shortened when they fail, kept in a file that replays.

Tabs are opened, closed and crash, are hidden and shown, frozen, stalled for a while, overloaded for a while, put away and taken out,
look at other things, share and do not, while things change at a server that drops, restarts and refuses. All along:

- nobody speaks under a term that is not its own, and terms only rise for each; what a tab took in was sent by the leader of its term,
  and no term came after a higher one;
- a visible tab that can run is led, or leads, again within the time that the rules give;
- nobody says live for long what is not so, and no event is told twice;
- a tab that was closed says and holds nothing any more.

Then it is quiet: every tab is live and equal to the server, one leads, and when all are closed nothing is held.

    python -m tests.soak tabs --count 2000
    python -m tests.soak replay FILE
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabs_world import THINGS, Tab, World

from pyapp.core.client import item, stream_key
from pyapp.core.tabs.election import Role

Step = list[Any]
"""A verb, what it needs, and at last how many ms pass after it. Tabs go by number, modulo how many there are."""

KIND = "tabs"
STEPS = 30
TABS_AT_MOST = 6
PAUSES_MS = (0.0, 50.0, 300.0, 1_000.0, 3_000.0)
LATENCIES_MS = (0.5, 1.0, 12.0, 40.0)
DELAYS_MS = (2.0, 30.0, 200.0)
QUIET_MS = 75_000
SAMPLE_MS = 50
TAKEOVER_MS = 700
"""The jitter of a theft, the way of its messages, a sample on either side, and the way of a lock."""
LIES_MS = 2_000
"""A beat, a request, and what a takeover takes."""
PERSONS = ("ann", "bob")
WATCHED = (THINGS, item("things", "x3"))


@dataclass(frozen=True, slots=True)
class History:
    """What happens. `seed` is that of the delays; `setup` says what kind of server it is."""

    seed: int
    setup: dict[str, Any]
    steps: list[Step]

    def to_json(self) -> str:
        return json.dumps({"kind": KIND, "seed": self.seed, "setup": self.setup, "steps": self.steps}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> History:
        said = json.loads(text)
        return cls(said["seed"], said["setup"], said["steps"])


def make(seed: int) -> History:
    """The history of a seed."""
    chance = random.Random(seed)
    setup = {"part_b": chance.random() < 0.7, "multiplexed": chance.random() < 0.7}

    def tab() -> int:
        return chance.randrange(TABS_AT_MOST)

    def flip() -> bool:
        return chance.random() < 0.5

    verbs: list[tuple[int, Callable[[], Step]]] = [
        (6, lambda: ["change", [[chance.randrange(9), chance.choice(("hot", "cold"))] for _ in range(chance.choice((1, 3, 15)))]]),
        (3, lambda: ["open"]),
        (2, lambda: ["hide", tab(), flip()]),
        (1, lambda: ["freeze", tab()]),
        (3, lambda: ["thaw", tab()]),
        (2, lambda: ["stall", tab(), chance.choice((400.0, 900.0, 1_400.0, 1_800.0, 3_000.0))]),
        (1, lambda: ["slow", tab(), chance.choice((0, 20, 60, 150))]),
        (1, lambda: ["crash", tab()]),
        (1, lambda: ["close", tab()]),
        (2, lambda: ["away", tab(), flip()]),
        (1, lambda: ["look", tab(), chance.randrange(len(WATCHED)), flip()]),
        (1, lambda: ["sharing", tab(), flip()]),
        (1, lambda: ["identity", tab(), chance.choice(PERSONS)]),
        (1, lambda: ["drop"]),
        (1, lambda: ["restart"]),
        (1, lambda: ["accepting", flip()]),
        (1, lambda: ["bye", chance.choice((100, 3_000))]),
        (1, lambda: ["reset"]),
        (1, lambda: ["echo", chance.random()]),
    ]
    weights = [weight for weight, _ in verbs]
    steps: list[Step] = [["open", 300.0], ["open", 300.0], ["open", 300.0]]
    for _ in range(STEPS):
        steps.append([*chance.choices(verbs, weights)[0][1](), chance.choice(PAUSES_MS)])
    return History(seed, setup, steps)


class Watched:
    """What a run remembers of one tab."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.observers = {THINGS: tab.look(THINGS)}
        self.unled_since: float | None = None
        self.lies_since: float | None = None
        self.stalls = 0
        self.slow = False
        self.told: list[int] = []
        tab.client.use_stream(stream_key("things"), lambda event: self.told.append(event.thing.version))

    @property
    def able(self) -> bool:
        """It can run, and somebody can see it."""
        fake = self.tab.fake
        return fake.alive and not (fake.busy or fake.away or self.slow or fake.page.hidden())


class Run:
    """One run of a history."""

    def __init__(self, history: History) -> None:
        self.chance = random.Random(history.seed)
        self.part_b: bool = history.setup["part_b"]
        self.world = World(
            part_b=self.part_b,
            multiplexed=history.setup["multiplexed"],
            latency_ms=lambda: self.chance.choice(LATENCIES_MS),
            delay_ms=lambda: self.chance.choice(DELAYS_MS),
        )
        self.all: list[Watched] = []
        self.wrong: list[str] = []
        self.said_at_close: dict[str, int] = {}
        self.disturbed_ms = 0.0

    @property
    def now(self) -> float:
        return self.world.clock.now()

    @property
    def alive(self) -> list[Watched]:
        return [one for one in self.all if one.tab.fake.alive]

    # What happens -------------------------------------------------------------------------------------------------------------

    def step(self, step: Step) -> None:
        server = self.world.server
        match step[:-1]:
            case ["open"]:
                if len(self.alive) < TABS_AT_MOST:
                    self.all.append(Watched(self.world.tab(f"t{len(self.all)}", look=False)))
            case ["change", changes]:
                for number, state in changes:
                    server.change(f"x{number}", state=state)
            case ["drop"]:
                server.drop()
            case ["restart"]:
                server.restart()
            case ["accepting", on]:
                server.accepting = on
            case ["bye", retry_ms]:
                server.wire.bye(retry_ms)
            case ["reset"]:
                server.wire.reset()
            case ["echo", at]:
                self.echo(at)
            case [str(verb), int(number), *rest]:
                if self.alive:
                    self.disturbed_ms = self.now
                    self.with_tab(self.alive[number % len(self.alive)], verb, rest)
            case other:
                raise ValueError(f"{other} is no step.")
        self.pass_time(step[-1])

    def with_tab(self, one: Watched, verb: str, rest: list[Any]) -> None:
        fake = one.tab.fake
        match verb, rest:
            case "hide", [hidden]:
                fake.run(lambda: fake.page.set(hidden=hidden))
            case "freeze", []:
                fake.freeze()
            case "thaw", []:
                fake.thaw()
            case "stall", [ms]:
                fake.freeze()
                self.world.clock.call_at(self.now + ms, fake.thaw)
            case "slow", [ms]:
                one.slow = ms > 0
                fake.slow(lambda: ms * self.chance.random())
            case "crash", []:
                self.gone(one)
                fake.kill()
            case "close", []:
                if not fake.busy:
                    one.tab.client.close()
                    if fake.clock.statistics().pending:
                        self.wrong.append(f"{fake.name} left {fake.clock.statistics().pending} timers when it was closed")
                    self.gone(one)
                    fake.kill()
            case "away", [away]:
                if not fake.busy and fake.away is not away:
                    (fake.put_away if away else fake.take_out)()
                    origin = self.world.origin
                    if away and (origin.sources.open_of(fake) or fake.channel.is_open or origin.locks.asked_by(fake)):
                        self.wrong.append(f"{fake.name} holds something although it is put away")
            case "look", [which, on]:
                self.look_at(one, WATCHED[which], on)
            case "identity", [who]:
                fake.run(lambda: one.tab.client.identity_changed(who))
            case "sharing", [on]:
                fake.run(lambda: one.tab.client.set_sharing(on))
            case other:
                raise ValueError(f"{other} is no step.")

    def look_at(self, one: Watched, key: Any, on: bool) -> None:
        if on and key not in one.observers:
            one.observers[key] = one.tab.look(key)
        elif not on and key in one.observers:
            one.observers.pop(key).close()

    def gone(self, one: Watched) -> None:
        self.said_at_close[one.tab.fake.name] = sum(sender == one.tab.fake.name for sender, _ in self.world.origin.said)

    def echo(self, at: float) -> None:
        """Something that was said long ago comes once more, as from a tab that was frozen while it spoke."""
        said = self.world.origin.said
        records = [row for row in said if not isinstance(row[1], str)]
        if records:
            _, record = records[int(at * len(records))]
            assert not isinstance(record, str)
            for one in self.alive:
                fake = one.tab.fake
                if record.term != fake.channel.followed:
                    fake.run(lambda fake=fake: fake.channel.arrived(record) if record.term != fake.channel.followed else None)

    # What must hold -----------------------------------------------------------------------------------------------------------

    def pass_time(self, ms: float) -> None:
        while ms > 0:
            self.world.server.run(min(ms, SAMPLE_MS))
            ms -= SAMPLE_MS
            self.sample()

    def sample(self) -> None:
        leading = {one.tab.tabs.term for one in self.alive if one.tab.tabs.role is Role.LEADING and not one.tab.fake.busy}
        for one in self.alive:
            tabs = one.tab.tabs
            if not one.able or tabs.role is Role.OUT:
                one.unled_since = one.lies_since = None
                one.stalls = tabs.stalls
                continue
            if tabs.role is Role.LEADING or (tabs.role is Role.FOLLOWING and tabs.term in leading):
                one.unled_since = None
                one.stalls = tabs.stalls
            elif one.unled_since is None:
                one.unled_since = self.now
            since = max(one.unled_since, self.disturbed_ms) if one.unled_since is not None else None
            allowed = tabs.patience_ms * (1 + (tabs.stalls > one.stalls)) + TAKEOVER_MS
            if since is not None and self.now - since > allowed and not any(other.slow for other in self.alive):
                self.wrong.append(f"at {self.now:.0f} ms {one.tab.fake.name} is {tabs.role} and unled since {since:.0f} ms")
                one.unled_since = self.now
            # What a slow leader has to pass on waits behind all that it has to do, and its followers cannot know.
            self.sample_truth(one, max(LIES_MS, allowed) + LIES_MS * any(other.slow for other in self.alive))

    def sample_truth(self, one: Watched, allowed: float) -> None:
        seen = one.tab.seen.get(THINGS)
        lies = THINGS in one.observers and seen and one.tab.state() == "live" and not self.world.equal(one.tab)
        if not lies:
            one.lies_since = None
        elif one.lies_since is None:
            one.lies_since = self.now
        elif self.now - one.lies_since > allowed:
            self.wrong.append(f"at {self.now:.0f} ms {one.tab.fake.name} says live since {one.lies_since:.0f} ms, and is not")
            one.lies_since = None

    def quiet(self) -> None:
        self.world.server.accepting = self.world.server.answering = True
        if not self.alive:
            self.step(["open", 0.0])
        for one in self.alive:
            fake = one.tab.fake
            one.slow = False
            fake.slow(lambda: 0.0)
            fake.thaw()
            if fake.away:
                fake.take_out()
            fake.page.set(hidden=False)
            one.tab.client.set_sharing(True)
            one.tab.client.identity_changed(PERSONS[0])
            self.look_at(one, THINGS, True)
        self.world.server.run(QUIET_MS, 250)

    def settled(self) -> None:
        leaders = self.world.leaders()
        if len(leaders) != 1:
            self.wrong.append(f"{len(leaders)} lead")
        for one in self.alive:
            tab, said = one.tab, one.tab.client.statistics()
            if tab.state() != "live":
                self.wrong.append(f"{tab.fake.name} says {tab.result().freshness}, {said.streams[0].state}")
            if not self.world.equal(tab):
                self.wrong.append(f"{tab.fake.name} differs")
            if said.errors or tab.fake.errors:
                self.wrong.append(f"{said.errors} {tab.fake.errors}")
        if len(self.world.origin.sources.open_urls) != 1:
            self.wrong.append(f"open: {self.world.origin.sources.open_urls}")

    def check_terms(self) -> None:
        """Who spoke under which term, and who listened."""
        last: dict[tuple[str, str], int] = {}
        count: dict[str, int] = {}
        for (sender, said), group in zip(self.world.origin.said, self.world.origin.groups, strict=True):
            count[sender] = count.get(sender, 0) + 1
            term: Any = None
            if isinstance(said, str):
                message = json.loads(said.partition("\n")[0])
                if message.get("say") in ("beat", "resign"):
                    term = message["term"]
            else:
                number, _, tab = said.term.partition(":")
                term = [int(number), tab]
            if term is not None:
                if term[1] != sender:
                    self.wrong.append(f"{sender} spoke in the term of {term[1]}")
                if term[0] < last.get((sender, group), 0):
                    self.wrong.append(f"{sender} went back to term {term[0]} of {group}")
                last[sender, group] = term[0]
        for name, before in self.said_at_close.items():
            if count.get(name, 0) > before:
                self.wrong.append(f"{name} spoke after it was closed")
        for one in self.all:
            highest: dict[str, tuple[int, str]] = {}
            for passed in one.tab.fake.channel.applied:
                number, _, leader = passed.term.partition(":")
                if passed.sender != leader:
                    self.wrong.append(f"{one.tab.fake.name} took what {passed.sender} said under {passed.term}")
                if (int(number), leader) < highest.get(passed.group, (0, "")):
                    self.wrong.append(f"{one.tab.fake.name} took something of {passed.term} after {highest[passed.group]}")
                highest[passed.group] = (int(number), leader)
            if self.part_b and any(after <= before for before, after in zip(one.told, one.told[1:], strict=False)):
                self.wrong.append(f"{one.tab.fake.name} was told an event twice, or out of order")

    def end(self) -> None:
        for one in self.alive:
            one.tab.client.close()
            if one.tab.fake.clock.statistics().pending:
                self.wrong.append(f"{one.tab.fake.name} left {one.tab.fake.clock.statistics().pending} timers")
        self.world.clock.advance(5_000)
        if self.world.origin.locks.count() or self.world.origin.sources.open_urls:
            self.wrong.append(f"held: {self.world.origin.locks.count()} locks, {self.world.origin.sources.open_urls}")
        if any(tab.channel.is_open for tab in self.world.origin.tabs):
            self.wrong.append("a channel is open")


def run(history: History) -> list[str]:
    """Run a history; returns what went wrong, in words (nothing when all is well)."""
    one = Run(history)
    for step in history.steps:
        one.step(step)
    one.quiet()
    one.settled()
    one.check_terms()
    one.end()
    return one.wrong


def shortened(history: History) -> History:
    """A history that still fails and none of whose steps can be left out."""
    steps = list(history.steps)
    at = 0
    while at < len(steps):
        fewer = History(history.seed, history.setup, [*steps[:at], *steps[at + 1 :]])
        try:
            fails = bool(run(fewer))
        except Exception:
            fails = True
        if fails:
            steps = fewer.steps
        else:
            at += 1
    return History(history.seed, history.setup, steps)


def keep(history: History, folder: Path) -> Path:
    """Write a failing history where `replay` finds it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"tabs-{history.seed}.json"
    path.write_text(history.to_json(), encoding="utf-8")
    return path
