"""Random histories of a client and its server, as data: made from a seed, run, shortened when they fail, kept in a file that replays.

A history is a setup and a list of steps, all plain JSON. Running it is deterministic. All along, what says that it is live must equal
the server's answer, unless the rules allow the difference (RT-84). When it has been quiet for a while afterwards, every live query must
equal the server's answer and say that it is live, every window must be the very object that was read, and nothing may be left in the
clock (the convergence test of `quality.md`).

    python -m tests.soak histories --count 10000
    python -m tests.soak replay tests/histories/<file>.json
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pyapp.core.cache.result import Result
from pyapp.core.client import Client, QueryKey, aggregate, item, live, window
from pyapp.core.testing import FakeHttp, FakeLifecycle, FakeNetwork, FakeSources, FakeVisibility, ScriptedServer, VirtualClock

Step = list[Any]
"""A verb, what it needs, and at last how many ms pass after it."""

QUIET_MS = 75_000
"""Past the safety snapshot of a part-A server, the longest that anything may stay wrong (RT-8)."""
LAST_WORDS_MS = 8_000
"""Before any safety snapshot: what is wrong after this, nothing but the rule itself would have mended."""
SAMPLE_MS = 500
LAG_MS = 250
"""A change may be on its way for so long: a beat, and a sample that falls between two."""
UNNOTICED_A_MS = 62_000
UNNOTICED_B_MS = 6_500
"""A lost frame may go unnoticed for so long: until the safety snapshot, or the next heartbeat, and the catch-up that it owes."""
SILENT_MS = 15_000
"""A server that says nothing may be believed for so long: 2.5 heartbeats, and a beat (RT-26)."""
STEPS = 25
THINGS = 70
PAUSES_MS = (0.0, 20.0, 120.0, 700.0, 3_000.0, 14_000.0)
DELAYS_MS = (2.0, 30.0, 400.0)

KEYS: tuple[QueryKey, ...] = (live("things"), live("things", state=["hot"]), item("things", "t3"), aggregate("count"))
RANGE = window("things", after="2026-01-01T00:00:00Z", before="2027-01-01T00:00:00Z")


@dataclass(frozen=True, slots=True)
class History:
    """What happens. `seed` is that of the delays and of the client's jitter; `setup` says what kind of server it is."""

    seed: int
    setup: dict[str, Any]
    steps: list[Step]

    def to_json(self) -> str:
        return json.dumps({"seed": self.seed, "setup": self.setup, "steps": self.steps}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> History:
        return cls(**json.loads(text))


def make(seed: int) -> History:
    """The history of a seed."""
    chance = random.Random(seed)
    kind = chance.choice(("a", "b", "many"))
    setup: dict[str, Any] = {"part_b": kind != "a", "multiplexed": kind == "many"}
    verbs: list[tuple[int, Callable[[], Step]]] = [
        (8, lambda: ["change", [[chance.randrange(THINGS), _state(chance)] for _ in range(chance.choice((1, 3, 30)))]]),
        (2, lambda: ["drop"]),
        (2, lambda: ["lose", 3, _state(chance)]),
        (2, lambda: ["hide", chance.random() < 0.5]),
        (2, lambda: ["route", sorted(chance.sample(range(len(KEYS)), chance.randrange(len(KEYS) + 1)))]),
        (2, lambda: ["live", chance.randrange(len(KEYS)), chance.random() < 0.5]),
        (2, lambda: ["restart"]),
        (2, lambda: ["answering", chance.random() < 0.5]),
        (2, lambda: ["accepting", chance.random() < 0.5]),
        (1, lambda: ["refresh", chance.randrange(len(KEYS))]),
        (1, lambda: ["streaming", chance.random() < 0.5]),
        (2, lambda: ["fault", chance.choice(FAULTS), chance.randint(1, 3)]),
        (1, lambda: ["stalled", chance.random() < 0.5]),
        (1, lambda: ["bye", chance.choice((100, 3_000))]),
        (1, lambda: ["reset"]),
        (1, lambda: ["forget connections"]),
        (1, lambda: ["store down", chance.random() < 0.5]),
        (1, lambda: ["refusing", chance.choice((None, 204, 403, 404, 429, 500, 0))]),
        (1, lambda: ["online", chance.random() < 0.5]),
        (1, lambda: ["sleep", chance.choice((5_000.0, 60_000.0)), chance.random() < 0.5]),
        (1, lambda: ["away", chance.random() < 0.5]),
    ]
    weights = [weight for weight, _ in verbs]
    steps: list[Step] = []
    for _ in range(STEPS):
        verb = chance.choices(verbs, weights)[0][1]
        steps.append([*verb(), chance.choice(PAUSES_MS)])
    return History(seed, setup, steps)


FAULTS = ("skip", "garble", "duplicate", "reorder", "oversize")


def _state(chance: random.Random) -> str:
    return chance.choice(("hot", "cold"))


class _Person:
    """Looks at some of the keys, by routes."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.seen: dict[QueryKey, list[Result[Any]]] = {}
        self.observers: dict[QueryKey, Any] = {}

    def go(self, keys: list[QueryKey]) -> None:
        for key in [key for key in self.observers if key not in keys]:
            self.observers.pop(key).close()
        for key in keys:
            if key not in self.observers:
                self.observers[key] = self.client.use_query(key, self.seen.setdefault(key, []).append)


def plain(data: Any) -> Any:
    """Data as plain values."""
    if hasattr(data, "rows"):
        return [row.model_dump() for row in data.rows]
    return data.model_dump() if hasattr(data, "model_dump") else data


def _difference(shown: Any, answer: Any) -> str:
    """What differs, in few words."""
    if not isinstance(shown, list) or not isinstance(answer, list):
        return f"{shown} is not {answer}"
    ours, theirs = cast("list[object]", shown), cast("list[object]", answer)
    extra, missing = [row for row in ours if row not in theirs], [row for row in theirs if row not in ours]
    return f"{extra[:3]} are shown instead of {missing[:3]}" if extra or missing else "another order"


class Run:
    """One run of a history: everything that a step can touch."""

    def __init__(self, history: History, **client: Any) -> None:
        chance = random.Random(history.seed)
        self.clock, self.sources, self.http, self.page = VirtualClock(creep_ms=0.001), FakeSources(), FakeHttp(), FakeVisibility()
        self.network, self.life = FakeNetwork(), FakeLifecycle()
        self.server = ScriptedServer(
            self.clock,
            self.sources,
            self.http,
            part_b=history.setup["part_b"],
            multiplexed=history.setup["multiplexed"],
            delay_ms=lambda: chance.choice(DELAYS_MS),
        )
        self.client = Client(
            clock=self.clock,
            sources=self.sources,
            http=self.http,
            visibility=self.page,
            random=random.Random(history.seed),
            queries=self.server.queries(),
            streams=self.server.streams(),
            multiplexed=history.setup["multiplexed"],
            network=self.network,
            lifecycle=self.life,
            **client,
        )
        self._away = False
        self.person = _Person(self.client)
        self.history = history
        self.lies: list[str] = []
        self._changed_ms = self._lost_ms = self._silent_ms = -1e9
        self._faulty = False
        self._true: dict[QueryKey, tuple[object, int]] = {}

    def change(self, entity: str, state: str) -> None:
        self.server.change(entity, state=state)
        self._changed_ms = self.clock.now()

    def pass_time(self, ms: float, step_ms: float) -> None:
        """Let time pass, and look again and again whether what says live is true."""
        while ms > 0:
            self.server.run(min(ms, SAMPLE_MS), step_ms)
            ms -= SAMPLE_MS
            self._sample()

    def _sample(self) -> None:
        """RT-84: what says live equals the server's answer, but for what is on its way or lost unnoticed."""
        now = self.clock.now()
        unnoticed = UNNOTICED_B_MS if self.server.part_b else UNNOTICED_A_MS
        if self.server.wire.stalled:
            self._silent_ms = now
        if self._faulty:
            # What is lost, late or unreadable is lost when the next change comes.
            self._lost_ms, self._faulty = max(self._lost_ms, self._changed_ms), self.server.wire.faulty
        if self.page.hidden() or self._away or now - self._silent_ms < (SILENT_MS if self.server.part_b else UNNOTICED_A_MS):
            return
        if now - self._changed_ms < LAG_MS or now - self._lost_ms < unnoticed:
            return
        for key, observer in self.person.observers.items():
            result = observer.result
            if key is RANGE or result.freshness.state != "live":
                continue
            seen = result.data, self.server.version
            if self._true.get(key) == seen:
                continue
            answer = self.server.answer_of(key)
            if plain(result.data) != answer and not any(str(key) in lie for lie in self.lies):
                difference = _difference(plain(result.data), answer)
                self.lies.append(f"at {now:.0f} ms {key} says {result.freshness.reason}, but differs from the server: {difference}")
            else:
                self._true[key] = seen

    def step(self, step: Step) -> None:
        """Do one step and let its time pass."""
        match step[:-1]:
            case ["change", changes]:
                for number, state in changes:
                    self.change(f"t{number}", state)
            case ["lose", number, state]:
                self.server.change(f"t{number}", state=state, silently=True)
                self._lost_ms = self.clock.now()
            case ["drop"]:
                self.server.drop()
            case ["restart"]:
                self.server.restart()
            case ["hide", hidden]:
                self.page.set(hidden=hidden)
            case ["route", numbers]:
                self.person.go([RANGE, *(KEYS[number] for number in numbers)])
            case ["live", int(number), on]:
                observer = self.person.observers.get(KEYS[number])
                if observer is not None:
                    observer.set_live(on)
            case ["answering", on]:
                self.server.answering = on
            case ["accepting", on]:
                self.server.accepting = on
            case ["refresh", int(number)]:
                self.client.refresh(KEYS[number])
            case ["streaming", on]:
                self.client.set_streaming(on)
            case ["fault", fault, times]:
                self.server.wire.fault(fault, times)
                self._faulty = True
            case ["stalled", on]:
                self.server.wire.stalled = on
            case ["bye", retry_ms]:
                self.server.wire.bye(retry_ms)
            case ["reset"]:
                self.server.wire.reset()
            case ["forget connections"]:
                self.server.wire.forget_connections()
            case ["store down", down]:
                self.server.store_down = down
            case ["refusing", status]:
                self.server.wire.refusal = status
            case ["online", on]:
                self.network.set(online=on)
            case ["sleep", ms, stops]:
                self.clock.sleep(ms, clock_stops=stops)
            case ["away", away]:
                self._leave(away)
            case other:
                raise ValueError(f"{other} is no step.")
        self.pass_time(step[-1], 50)

    def _leave(self, away: bool) -> None:
        """Into the back/forward cache, and out of it."""
        if away is not self._away:
            self._away = away
            (self.life.suspend if away else self.life.resume)()

    def quiet(self) -> None:
        """Everything works again, everybody looks, a person asks for what was refused, and nothing happens for a while."""
        self._leave(False)
        self.page.set(hidden=False)
        self.network.set(online=True)
        self.server.store_down = self.server.wire.stalled = False
        self.server.wire.heal()
        self.client.set_streaming(True)
        self.server.answering = self.server.accepting = True
        self.client.try_now()
        self.person.go([RANGE, *KEYS])
        for observer in self.person.observers.values():
            observer.set_live(True)
        self.server.run(QUIET_MS, 250)

    def last_words(self) -> None:
        """Requests and events cross each other once more, with nothing to come afterwards that would mend it (RT-7)."""
        chance = random.Random(self.history.seed)
        for key in KEYS:
            self.client.refresh(key)
        for _ in range(6):
            self.server.run(chance.choice((0.0, 10.0, 100.0, 300.0)), 10)
            for number in (3, chance.randrange(THINGS)):
                self.change(f"t{number}", _state(chance))
        self.server.run(LAST_WORDS_MS, 50)

    def wrong(self, window_before: Any) -> list[str]:
        """What is not as it must be, in words."""
        wrong = list(self.lies)
        for key in KEYS:
            result = self.person.seen[key][-1]
            if plain(result.data) != self.server.answer_of(key):
                wrong.append(f"{key} differs ({result.freshness.state}): {_difference(plain(result.data), self.server.answer_of(key))}")
            if key.family == "things" and result.freshness.state != "live":
                wrong.append(f"{key} says {result.freshness.state}, {result.freshness.reason}")
            if result.error is not None:
                wrong.append(f"{key} still fails: {result.error}")
        read = [result for result in self.person.seen[RANGE] if result.has_data]
        if len({id(result.data) for result in read}) != 1:
            wrong.append("the window was written to")
        if plain(read[-1].data) != window_before:
            wrong.append("the window is not what was read")
        wrong += [f"raised: {error}" for error in self.client.statistics().errors]
        for stream in self.client.statistics().streams:
            n = stream.counts
            if n.received != n.applied + n.coalesced + n.dropped + n.invalid + n.old + n.ignored + n.waiting:
                wrong.append(f"the counts of {stream.key} do not add up: {n}")
        return wrong

    def left(self) -> int:
        """Timers that are left when the client is closed."""
        self.client.close()
        return self.clock.timers - self.server.under_way


def run(history: History) -> list[str]:
    """Run a history; returns what went wrong, in words (nothing when all is well)."""
    world = Run(history)
    for number in range(4):
        world.server.change(f"t{number}", state="cold")
    world.person.go([RANGE, *KEYS])
    world.server.run(2_000, 50)
    before = plain(world.person.seen[RANGE][-1].data)
    for step in history.steps:
        world.step(step)
    world.quiet()
    wrong = world.wrong(before)
    if not wrong:
        world.last_words()
        wrong = world.wrong(before)
    left = world.left()
    return [*wrong, *([f"{left} timers are left"] if left else [])]


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
    path = folder / f"{history.seed}.json"
    path.write_text(history.to_json(), encoding="utf-8")
    return path
