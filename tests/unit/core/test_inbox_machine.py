"""Random histories of one inbox, small enough to overflow (RT-40): its sum is right at every moment, the order per entity is that of
the stream, and an event that nothing replaces is lost only where a gap says so."""

from __future__ import annotations

import json
from typing import Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from pydantic import BaseModel

from pyapp.core.streams.decode import Decoder
from pyapp.core.streams.inbox import Inbox
from pyapp.core.streams.position import Position
from pyapp.core.streams.spec import StreamSpec


class Event(BaseModel):
    type: Literal["progress", "done"]
    entity: str
    n: int


SPEC = StreamSpec("s", "s", Decoder(Event), 1, frozenset({"progress"}), lambda event: event.entity)
ENTITIES = st.sampled_from("abc")


class InboxMachine(RuleBasedStateMachine):
    """One life of a server that numbers its frames from 1."""

    def __init__(self) -> None:
        super().__init__()
        self.inbox = Inbox(SPEC, frames_limit=6, bytes_limit=600)
        self.inbox.restart(Position("e1", 0))
        self.sent = 0
        self.put = self.heard = 0
        self.missing: set[int] = set()
        """Numbers of events that nothing replaces, and that are still to come out or to be said to be missed."""
        self.shown: dict[str, int] = {}

    def frame(self, kind: str, entity: str, *, pad: int = 0) -> str:
        self.sent += 1
        if kind == "done":
            self.missing.add(self.sent)
        return json.dumps({"type": kind, "entity": entity, "n": self.sent, "pad": "x" * pad})

    def give(self, number: int, text: str) -> None:
        self.put += 1
        self.heard = max(self.heard, number)
        self.inbox.put(f"e1:{number}", text)

    @rule(kind=st.sampled_from(["progress", "progress", "done"]), entity=ENTITIES, pad=st.sampled_from([0, 0, 0, 300, 700]))
    def comes(self, kind: str, entity: str, pad: int) -> None:
        text = self.frame(kind, entity, pad=pad)
        self.give(self.sent, text)

    @rule(kind=st.sampled_from(["progress", "done"]), entity=ENTITIES)
    def is_lost_on_its_way(self, kind: str, entity: str) -> None:
        self.frame(kind, entity)

    @rule(entity=ENTITIES)
    def comes_torn(self, entity: str) -> None:
        text = self.frame("done", entity)
        self.give(self.sent, text[: len(text) // 2])

    @rule(back=st.integers(0, 5))
    def comes_again(self, back: int) -> None:
        number = max(1, self.heard - back)
        if self.heard:
            self.give(number, json.dumps({"type": "progress", "entity": "z", "n": number}))

    @rule(frames=st.integers(1, 3), hole=st.booleans())
    def never_gets_here(self, frames: int, hole: bool) -> None:
        """Lost before the inbox, on this side: an overflow of what waits behind a control record."""
        self.put += frames
        self.inbox.lose(frames, hole=hole)

    @rule(used=st.integers(0, 8))
    def is_taken(self, used: int) -> None:
        batch = self.inbox.take()
        numbers = [item.event.n for item in batch.items if item.event.entity != "z"]
        for item in batch.items:
            entity, number = item.event.entity, item.event.n
            assert entity == "z" or number > self.shown.get(entity, 0)
            self.shown[entity] = number
        self.missing -= set(numbers)
        applied = min(used, len(batch.items))
        self.inbox.count(applied=applied, ignored=len(batch.items) - applied)
        reached = batch.position.sequence if batch.position is not None else 0
        late = {number for number in self.missing if number <= reached} if not len(self.inbox) else set[int]()
        if late:
            assert batch.hole, f"{late} are lost and nothing says so"
        if batch.hole and not len(self.inbox):
            self.missing -= late

    @rule()
    def begins_anew(self) -> None:
        self.inbox.restart(Position("e1", self.sent))
        self.missing.clear()
        self.heard = self.sent

    @invariant()
    def the_sum_is_right(self) -> None:
        s = self.inbox.statistics()
        assert s.received == self.put
        assert s.received == s.applied + s.coalesced + s.dropped + s.invalid + s.old + s.ignored + s.waiting
        assert s.waiting == len(self.inbox) <= 6
        assert s.invalid == sum(count for _, count in s.invalid_by_reason)


InboxMachine.TestCase.settings = settings(max_examples=120, stateful_step_count=30, deadline=None, derandomize=True)
# RT-40
test_the_sum_and_the_order_are_right_and_no_loss_is_silent_whatever_comes = InboxMachine.TestCase
