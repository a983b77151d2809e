"""The inbox of one stream: bounded, validated in batches, coalesced, and counted so that the sum is right (RT-29, RT-40).

    received = applied + coalesced + dropped + invalid + old + ignored + waiting

Raw text waits; events with their place leave. The inbox knows nothing of sockets and nothing of the cache.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pyapp.core.streams.decode import UNKNOWN_TYPE, Invalid
from pyapp.core.streams.position import Arrival, Position, classify, parse_position
from pyapp.core.streams.spec import StreamSpec

FRAMES_LIMIT = 2_000
BYTES_LIMIT = 4 * 1024 * 1024
FRAME_LENGTH_LIMIT = 1024 * 1024
BATCH = 200
SAMPLES = 20
SAMPLE_LENGTH = 300


class Item(NamedTuple):
    """One event with its place in the stream, where frames are numbered."""

    event: Any
    position: Position | None


class Batch(NamedTuple):
    """What one `take` brought: the events in order, the last place seen, and whether something is missing.

    `begins_at` is the place before the first numbered frame, where none was known: the stream has been heard since then, and no longer.
    """

    items: Sequence[Item]
    position: Position | None
    hole: bool
    begins_at: Position | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """A frame that was not valid: why, and how it began (RT-29)."""

    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class InboxStatistics:
    """Data frames by what became of them: `received` is the sum of the six that follow and of `waiting`."""

    received: int = 0
    applied: int = 0
    coalesced: int = 0
    dropped: int = 0
    invalid: int = 0
    old: int = 0
    ignored: int = 0
    waiting: int = 0
    overflows: int = 0
    by_kind: tuple[tuple[str, int], ...] = ()
    invalid_by_reason: tuple[tuple[str, int], ...] = ()
    samples: tuple[Sample, ...] = ()


class _Decoded(NamedTuple):
    """An event that waits, with the length of its text: what it holds is bounded like the text was."""

    item: Item
    length: int


class Inbox:
    """Raw frames in, validated and coalesced events out, for one stream over all its connections."""

    def __init__(self, spec: StreamSpec, *, frames_limit: int = FRAMES_LIMIT, bytes_limit: int = BYTES_LIMIT) -> None:
        self._spec = spec
        self._frames_limit = frames_limit
        self._bytes_limit = bytes_limit
        self._raw: deque[tuple[str, str]] = deque()
        self._raw_length = self._ready_length = 0
        self._ready: list[_Decoded] = []  # decoded early, because the raw frames would not fit
        self._last: Position | None = None
        self._begins_at: Position | None = None
        self._hole = False
        self._received = self._coalesced = self._dropped = self._invalid = self._old = 0
        self._ignored = self._applied = self._overflows = 0
        self._by_kind: Counter[str] = Counter()
        self._invalid_by_reason: Counter[str] = Counter()
        self._samples: deque[Sample] = deque(maxlen=SAMPLES)

    def __len__(self) -> int:
        return len(self._raw) + len(self._ready)

    @property
    def missing(self) -> bool:
        """Something was lost that the next `take` will tell, also when no event waits."""
        return self._hole

    @property
    def received(self) -> int:
        """Data frames so far."""
        return self._received

    def restart(self, last: Position | None) -> None:
        """Begin anew after `last`: what waits belongs to a connection that is gone, and the catch-up brings it (RT-32)."""
        self._dropped += len(self)
        self._raw.clear()
        self._ready.clear()
        self._raw_length = self._ready_length = 0
        self._last = last
        self._begins_at = None
        self._hole = False

    def advance(self, last: Position | None) -> None:
        """Take `last` for seen: a heartbeat named it (RT-28)."""
        self._last = last

    def lose(self, frames: int, *, hole: bool) -> None:
        """Count data frames that never got here; with `hole` they are missed: an overflow, which is a gap (RT-40)."""
        self._received += frames
        self._dropped += frames
        if frames and hole:
            self._hole = True
            self._overflows += 1

    def put(self, frame_id: str, data: str) -> None:
        """Take one data frame. One over 1 MiB is refused (RT-29); an inbox that is full makes room (RT-40)."""
        self._received += 1
        if len(data) > FRAME_LENGTH_LIMIT:
            self._reject("too large", data)
            return
        self._raw.append((frame_id, data))
        self._raw_length += len(data)
        held = self._raw_length + self._ready_length
        if len(self._raw) + len(self._ready) > self._frames_limit or held > self._bytes_limit:
            self._make_room()

    def take(self, limit: int = BATCH) -> Batch:
        """Up to `limit` waiting events, coalesced; fewer where frames were not valid or replaced one another."""
        if len(self._ready) < limit:
            self._ready.extend(self._decode(limit - len(self._ready)))
        taken, self._ready = self._ready[:limit], self._ready[limit:]
        self._ready_length = sum(entry.length for entry in self._ready)
        hole, self._hole = self._hole, False
        begins_at, self._begins_at = self._begins_at, None
        # While decoded events are left, the place is that of the last one given: what is left is not seen yet.
        position = taken[-1].item.position if self._ready else self._last
        return Batch([entry.item for entry in self._coalesce(taken)], position, hole, begins_at)

    def count(self, *, applied: int, ignored: int) -> None:
        """What became of the events that `take` gave: used by somebody, or wanted by nobody."""
        self._applied += applied
        self._ignored += ignored

    def statistics(self) -> InboxStatistics:
        return InboxStatistics(
            received=self._received,
            applied=self._applied,
            coalesced=self._coalesced,
            dropped=self._dropped,
            invalid=self._invalid,
            old=self._old,
            ignored=self._ignored,
            waiting=len(self),
            overflows=self._overflows,
            by_kind=tuple(sorted(self._by_kind.items())),
            invalid_by_reason=tuple(sorted(self._invalid_by_reason.items())),
            samples=tuple(self._samples),
        )

    def _decode(self, limit: int) -> list[_Decoded]:
        places: list[Position | None] = []
        texts: list[str] = []
        for _ in range(min(limit, len(self._raw))):
            frame_id, data = self._raw.popleft()
            self._raw_length -= len(data)
            at = parse_position(frame_id)
            arrival = classify(self._last, at)
            if arrival is Arrival.OLD:
                self._old += 1
                continue
            if arrival is Arrival.HOLE or arrival is Arrival.OTHER_EPOCH:
                self._hole = True
            if at is not None:
                if self._last is None:
                    self._begins_at = Position(at.epoch, at.sequence - 1)
                self._last = at
            places.append(at)
            texts.append(data)
        items: list[_Decoded] = []
        for event, at, text in zip(self._spec.decoder.decode(texts), places, texts, strict=True):
            if isinstance(event, Invalid):
                self._reject(event.reason, text)
            else:
                self._by_kind[self._spec.kind_of(event)] += 1
                items.append(_Decoded(Item(event, at), len(text)))
        return items

    def _coalesce(self, items: Sequence[_Decoded]) -> list[_Decoded]:
        """Of one entity's replaceable events of a kind only the last stays, unless another event of it lies between (RT-40)."""
        spec = self._spec
        kept: list[_Decoded | None] = []
        last_of: dict[str | None, dict[str, int]] = {}
        for entry in items:
            kind = spec.kind_of(entry.item.event)
            entity = spec.entity(entry.item.event)
            if kind in spec.replaceable:
                of_entity = last_of.setdefault(entity, {})
                before = of_entity.get(kind)
                if before is not None:
                    kept[before] = None
                    self._coalesced += 1
                of_entity[kind] = len(kept)
            else:
                last_of.pop(entity, None)
            kept.append(entry)
        return [entry for entry in kept if entry is not None]

    def _make_room(self) -> None:
        """Overflow: replaced events go first, then replaceable ones, then the oldest; losing one of those is a gap (RT-40)."""
        self._overflows += 1
        self._ready.extend(self._decode(len(self._raw)))
        self._ready = self._coalesce(self._ready)
        # Down to three quarters, so that a flood pays for this once in many frames.
        frames = len(self._ready) - self._frames_limit * 3 // 4
        length = sum(entry.length for entry in self._ready) - self._bytes_limit * 3 // 4
        for replaceable in (True, False):
            kept: list[_Decoded] = []
            for entry in self._ready:
                may_go = not replaceable or self._spec.kind_of(entry.item.event) in self._spec.replaceable
                if may_go and (frames > 0 or length > 0):
                    frames -= 1
                    length -= entry.length
                    self._dropped += 1
                    self._hole = self._hole or not replaceable
                else:
                    kept.append(entry)
            self._ready = kept
        self._ready_length = sum(entry.length for entry in self._ready)

    def _reject(self, reason: str, text: str) -> None:
        # What it said is not known. A type that this version does not know says nothing that it shows; anything else may have.
        self._hole = self._hole or reason != UNKNOWN_TYPE
        self._invalid += 1
        self._invalid_by_reason[reason] += 1
        self._samples.append(Sample(reason, text[:SAMPLE_LENGTH]))
