"""Many tabs of one origin in memory: their locks, their channel, their storage, and each tab's own clock, event sources and requests.

    origin = Origin(clock := VirtualClock(creep_ms=0.001))
    server = ScriptedServer(clock, origin.sources, origin.http)
    one, two = origin.tab("a"), origin.tab("b")
    client = Client(clock=one.clock, sources=one.sources, http=one.http, visibility=one.page, tabs=one.ports("group"), …)
    one.freeze()          # busy: nothing of it runs, and what comes waits
    one.thaw()
    one.slow(lambda: 40)  # overloaded: whatever happens to it takes so many ms, one after the other; 0 ends that
    one.kill()            # crashed: its lock is free, its sockets are closed, and it said nothing

What one tab posts reaches the others after `latency_ms()`, in order for each sender; locks are granted and lost after that time, too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from pyapp.core.clock import Timer, TimerHeap
from pyapp.core.ports import FrameKind, HttpAnswer, HttpRequest, RawFrame
from pyapp.core.tabs.ports import MUX, Passed, TabPorts
from pyapp.core.testing.fakes import FakeHttp, FakeLifecycle, FakeSources, FakeVisibility, Pending
from pyapp.core.testing.virtual import VirtualClock


class OriginSources(FakeSources):
    """Every tab's event sources, as a server sees them: numbers of its own, and each record goes to the tab that opened its source."""

    def __init__(self) -> None:
        super().__init__()
        self._owners: dict[int, tuple[FakeTab, int]] = {}
        self._numbers: dict[tuple[str, int], int] = {}
        self._made = 0

    def open_for(self, tab: FakeTab, source: int, url: str) -> None:
        self.close_for(tab, source)
        self._made += 1
        self._owners[self._made] = (tab, source)
        self._numbers[tab.name, source] = self._made
        self.open(self._made, url)

    def close_for(self, tab: FakeTab, source: int) -> None:
        number = self._numbers.pop((tab.name, source), None)
        if number is not None:
            del self._owners[number]
            self.close(number)

    def close_all_of(self, tab: FakeTab) -> None:
        for name, source in [pair for pair in self._numbers if pair[0] == tab.name]:
            assert name == tab.name
            self.close_for(tab, source)

    def open_of(self, tab: FakeTab) -> list[str]:
        """The addresses that a tab has open."""
        return [self.open_urls[number] for number, (owner, _) in self._owners.items() if owner is tab]

    def record(self, source: int, kind: FrameKind, data: str = "", frame_id: str = "") -> None:
        owner = self._owners.get(source)
        if owner is not None:
            tab, own = owner
            tab.run(lambda: tab.sources.arrived(source, RawFrame(own, kind, frame_id, data)))

    def owns(self, source: int) -> bool:
        return source in self._owners


class TabSources:
    """`EventSources` of one tab; what arrives is passed on if the tab's channel says so, as the browser's side does."""

    def __init__(self, tab: FakeTab) -> None:
        self._tab = tab
        self._records: list[RawFrame] = []
        self._wake: Callable[[], None] = lambda: None
        self._armed = True

    def open(self, source: int, url: str) -> None:
        self._tab.origin.sources.open_for(self._tab, source, url)

    def close(self, source: int) -> None:
        self._tab.origin.sources.close_for(self._tab, source)
        self._records = [record for record in self._records if record.source != source]

    def drain(self) -> Sequence[RawFrame]:
        records, self._records = self._records, []
        self._armed = True
        return records

    def on_wake(self, callback: Callable[[], None]) -> None:
        self._wake = callback

    def arrived(self, number: int, frame: RawFrame) -> None:
        if not self._tab.origin.sources.owns(number):
            return  # closed while the tab was busy
        self._tab.channel.tee(frame)
        self._records.append(frame)
        if self._armed:
            self._armed = False
            self._wake()


class _Call(NamedTuple):
    pending: Pending

    def cancel(self) -> None:
        self.pending.cancel()


class TabHttp:
    """`Http` of one tab: its answers wait while it is busy, and are lost with it."""

    def __init__(self, tab: FakeTab) -> None:
        self._tab = tab
        self._sent: list[Pending] = []

    def send(self, request: HttpRequest, on_answer: Callable[[HttpAnswer], None]) -> _Call:
        def answered(answer: HttpAnswer) -> None:
            def told() -> None:
                if not pending.cancelled:
                    on_answer(answer)

            self._tab.run(told)

        pending = self._tab.origin.http.send(request, answered)
        self._sent = [one for one in self._sent if not (one.answered or one.cancelled)] + [pending]
        return _Call(pending)

    def cancel_all(self) -> None:
        for pending in self._sent:
            pending.cancel()


class PassedOn(NamedTuple):
    """A record on the channel of a group, with who said it."""

    group: str
    sender: str
    term: str
    to: str
    record: Passed


class FakeChannel:
    """`Channel` of one tab. `posted` and `passed` count what it said; `applied` are the records that were drained."""

    def __init__(self, tab: FakeTab) -> None:
        self._tab = tab
        self._on_message: Callable[[str], None] | None = None
        self._waiting: list[PassedOn] = []
        self._wake: Callable[[], None] = lambda: None
        self._armed = True
        self._followed = self._forwarded = ""
        self._labels: dict[int, str] = {}
        self._kept: frozenset[str] = frozenset()
        self.group = ""
        self.opened = 0
        self.posted = self.passed = 0
        self.applied: list[PassedOn] = []

    @property
    def is_open(self) -> bool:
        return self._on_message is not None

    @property
    def followed(self) -> str:
        return self._followed

    @property
    def forwarded(self) -> str:
        return self._forwarded

    def open(self, group: str, on_message: Callable[[str], None]) -> None:
        self.group = group
        self.opened += 1
        self._on_message = on_message

    def close(self) -> None:
        self._on_message = None
        self._waiting.clear()

    def post(self, text: str, to: Collection[str] = ()) -> None:
        if self.is_open:
            self.posted += 1
            self._tab.origin.broadcast(self._tab, text, to)

    def pass_on(self, term: str, to: str, record: Passed) -> None:
        if self.is_open:
            self.passed += 1
            self._tab.origin.broadcast(self._tab, PassedOn(self.group, self._tab.name, term, to, record))

    def follow(self, term: str) -> None:
        self._followed = term

    def keep(self, labels: Collection[str]) -> None:
        self._kept = frozenset(labels)

    def forward(self, term: str) -> None:
        self._forwarded = term

    def name_source(self, source: int, label: str) -> None:
        if label:
            self._labels[source] = label
        else:
            self._labels.pop(source, None)

    def drain(self) -> Sequence[Passed]:
        waiting, self._waiting = self._waiting, []
        self._armed = True
        self.applied.extend(waiting)
        return [message.record for message in waiting]

    def on_wake(self, callback: Callable[[], None]) -> None:
        self._wake = callback

    def tee(self, frame: RawFrame) -> None:
        """What an event source of this tab brought."""
        label = MUX if frame.source < 0 else self._labels.get(frame.source, "")
        if self._forwarded and label:
            self.pass_on(self._forwarded, "", Passed(label, frame.kind, frame.id, frame.data))

    def _concerns(self, record: Passed) -> bool:
        head = '{"stream":"'
        if record.label != MUX or record.kind != FrameKind.MESSAGE or not record.data.startswith(head):
            return record.label == MUX or record.label in self._kept
        return record.data[len(head) :].partition('"')[0] in self._kept

    def arrived(self, said: str | PassedOn) -> None:
        if self._on_message is None:
            return
        if isinstance(said, str):
            self._on_message(said)
        elif said.term == self._followed and said.to in ("", self._tab.name) and self._concerns(said.record):
            self._waiting.append(said)
            if self._armed:
                self._armed = False
                self._wake()


class _Asked:
    """One request for a lock."""

    def __init__(self, locks: FakeLocks, tab: FakeTab, name: str, granted: Callable[[], None], lost: Callable[[], None]) -> None:
        self._locks = locks
        self.tab = tab
        self.name = name
        self._told = {"granted": granted, "lost": lost}
        self.over = False

    def tell(self, word: str) -> None:
        def told() -> None:
            if not self.over:
                self.over = word == "lost"
                self._told[word]()

        self._locks.origin.later(lambda: self.tab.run(told))

    def cancel(self) -> None:
        self.over = True
        self._locks.release(self)


class FakeLocks:
    """The origin's locks: one holder per name, a queue, and theft, which leaves the queue as it is."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.held: dict[str, _Asked] = {}
        self._queue: dict[str, deque[_Asked]] = {}

    def ask(self, asked: _Asked, *, steal: bool) -> None:
        holder = self.held.get(asked.name)
        if steal:
            self.held[asked.name] = asked
            asked.tell("granted")
            if holder is not None:
                holder.tell("lost")
        elif holder is None:
            self.held[asked.name] = asked
            asked.tell("granted")
        else:
            self._queue.setdefault(asked.name, deque()).append(asked)

    def release(self, asked: _Asked) -> None:
        queue = self._queue.setdefault(asked.name, deque())
        if asked in queue:
            queue.remove(asked)
        if self.held.get(asked.name) is asked:
            del self.held[asked.name]
            if queue:
                heir = self.held[asked.name] = queue.popleft()
                heir.tell("granted")

    def asked_by(self, tab: FakeTab) -> list[_Asked]:
        """The requests of a tab that hold or wait."""
        return [one for one in [*(one for queue in self._queue.values() for one in queue), *self.held.values()] if one.tab is tab]

    def release_all_of(self, tab: FakeTab) -> None:
        for asked in self.asked_by(tab):
            asked.cancel()

    def count(self) -> int:
        """Requests that hold or wait."""
        return len(self.held) + sum(len(queue) for queue in self._queue.values())


class TabLocks:
    """`Locks` of one tab."""

    def __init__(self, tab: FakeTab) -> None:
        self._tab = tab

    def request(self, name: str, *, steal: bool, granted: Callable[[], None], lost: Callable[[], None]) -> _Asked:
        locks = self._tab.origin.locks
        asked = _Asked(locks, self._tab, name, granted, lost)
        locks.ask(asked, steal=steal)
        return asked


class TabStorage:
    """`Storage` over the origin's."""

    def __init__(self, items: dict[str, str]) -> None:
        self._items = items

    def get(self, name: str) -> str | None:
        return self._items.get(name)

    def set(self, name: str, value: str) -> None:
        if value:
            self._items[name] = value
        else:
            self._items.pop(name, None)


class _TabTimer:
    """`HostTimer` over the world's clock; while the tab is busy it does not fire."""

    def __init__(self, tab: FakeTab) -> None:
        self._tab = tab
        self._timer: Timer | None = None

    def now(self) -> float:
        return self._tab.origin.clock.now()

    def wall(self) -> float:
        return self._tab.origin.clock.wall()

    def arm(self, delay_ms: float) -> None:
        self.disarm()
        clock = self._tab.origin.clock
        self._timer = clock.call_at(clock.now() + delay_ms, lambda: self._tab.run_once("timer", self._tab.clock.fire))

    def disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class FakeTab:
    """One tab: its ports, and what may happen to it. `errors` are what its timers raised."""

    def __init__(self, origin: Origin, name: str) -> None:
        self.origin = origin
        self.name = name
        self.page = FakeVisibility()
        self.lifecycle = FakeLifecycle()
        self.errors: list[Exception] = []
        self.timer = _TabTimer(self)
        self.clock = TimerHeap(self.timer, self.errors.append)
        self.channel = FakeChannel(self)
        self.sources = TabSources(self)
        self.http = TabHttp(self)
        self.alive = True
        self.busy = False
        self.away = False
        self._task_ms: Callable[[], float] = lambda: 0.0
        self._next: Timer | None = None
        self._waiting: list[tuple[str, Callable[[], None]]] = []

    def ports(self, group: str = "penstock", *, locks: bool = True, channel: bool = True, storage: bool = True) -> TabPorts:
        """What `Client` and `Tabs` take; a browser may lack any of them."""
        return TabPorts(
            self.name,
            group,
            TabLocks(self) if locks else None,
            self.channel if channel else None,
            TabStorage(self.origin.items) if storage else None,
        )

    def run(self, callback: Callable[[], None]) -> None:
        """Something happens to the tab: now, or when it has time again; never if it is gone."""
        self.run_once("", callback)

    def run_once(self, name: str, callback: Callable[[], None]) -> None:
        if not self.alive:
            return
        task_ms = self._task_ms()
        if self.busy or self._waiting or task_ms > 0:
            if not name or all(name != one for one, _ in self._waiting):
                self._waiting.append((name, callback))
            self._go_on(task_ms)
            return
        callback()

    def _go_on(self, task_ms: float) -> None:
        if not self.busy and self._next is None and self._waiting:
            self._next = self.origin.clock.call_at(self.origin.clock.now() + task_ms, self._one)

    def _one(self) -> None:
        """A slow tab does what waits one by one."""
        self._next = None
        if self._waiting and not self.busy:
            _, callback = self._waiting.pop(0)
            callback()
        self._go_on(self._task_ms())

    def slow(self, task_ms: Callable[[], float]) -> None:
        """Overloaded: whatever happens to it waits for its turn, and takes so long; 0 ms ends that."""
        self._task_ms = task_ms

    def freeze(self) -> None:
        """Busy, or frozen without a word: nothing of it runs, and it keeps what it holds."""
        self.busy = True

    def thaw(self) -> None:
        """It runs again; what came meanwhile comes now."""
        self.busy = False
        waiting, self._waiting = self._waiting, []
        for name, callback in waiting:
            self.run_once(name, callback)

    def put_away(self) -> None:
        """Into the back/forward cache, or frozen with a word before."""
        self.away = True
        self.lifecycle.suspend()

    def take_out(self) -> None:
        """Out of it again."""
        self.away = False
        self.lifecycle.resume()

    def kill(self) -> None:
        """Closed or crashed without a word: the browser gives up what it held."""
        self.alive = False
        self._waiting.clear()
        self.timer.disarm()
        self.channel.close()
        self.http.cancel_all()
        self.origin.sources.close_all_of(self)
        self.origin.locks.release_all_of(self)

    def holds(self) -> bool:
        """Whether it has a connection, a lock, a channel or a timer."""
        locked = bool(self.origin.locks.asked_by(self))
        return bool(self.origin.sources.open_of(self)) or locked or self.channel.is_open or self.clock.statistics().pending > 0


class Origin:
    """All tabs of one origin.

    Attributes:
        latency_ms: how long a message or a lock takes, by a function that is asked each time.
        said: every message and record, with who said it, in the order in which they were said; `groups` of whose tabs each was.
    """

    def __init__(self, clock: VirtualClock, latency_ms: Callable[[], float] = lambda: 1.0) -> None:
        self.clock = clock
        self.latency_ms = latency_ms
        self.sources = OriginSources()
        self.http = FakeHttp()
        self.locks = FakeLocks(self)
        self.items: dict[str, str] = {}
        self.tabs: list[FakeTab] = []
        self.said: list[tuple[str, str | PassedOn]] = []
        self.groups: list[str] = []
        self._arrives: dict[tuple[str, str], float] = {}

    def tab(self, name: str) -> FakeTab:
        """A new tab."""
        tab = FakeTab(self, name)
        self.tabs.append(tab)
        return tab

    def later(self, do: Callable[[], None]) -> None:
        """After the origin's latency."""
        self.clock.call_at(self.clock.now() + self.latency_ms(), do)

    def broadcast(self, sender: FakeTab, said: str | PassedOn, to: Collection[str] = ()) -> None:
        """To the channel of every other tab, or of those named, in order."""
        self.said.append((sender.name, said))
        self.groups.append(sender.channel.group)
        for tab in self.tabs:
            if to and tab.name not in to:
                continue
            if tab is not sender and tab.channel.group == sender.channel.group and tab.alive and tab.channel.is_open:
                pair = (sender.name, tab.name)
                at = max(self.clock.now() + self.latency_ms(), self._arrives.get(pair, 0.0))
                self._arrives[pair] = at
                self.clock.call_at(at, lambda tab=tab, opened=tab.channel.opened: tab.run(lambda: self._arrived(tab, opened, said)))

    @staticmethod
    def _arrived(tab: FakeTab, opened: int, said: str | PassedOn) -> None:
        if tab.channel.opened == opened:  # a channel that was opened later hears nothing of before
            tab.channel.arrived(said)
