"""What a following tab makes of the records that its leader passes on: frames of its own streams (RT-60, RT-61). No I/O.

Raw frames come as they came to the leader; what became of a stream there comes in words of ours, in order with them:

    opening   the leader opens a connection for the stream, after the place in `id`: a hello follows
    lost      the leader's connection is gone: `id` is the reason, `data` the ms until somebody tries again
    refused   the server refused it for good: `data` has the status
    welcome   for one tab: a hello made by the leader, with the place of the last frame that was passed on

Whether a stream *resumes* is decided here and not by the server, which only knows the leader: a connection that begins at a place which
this tab has reached misses nothing here (the frames before that are old), and any other is a gap. A stream that was greeted once is not
greeted again without `LOST` in between, because health never survives a reconnect (RT-30): what comes meanwhile is held until it is
opened anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json

from pyapp.core.ports import FrameKind, RawFrame
from pyapp.core.streams.connection import Reason
from pyapp.core.streams.control import fields, lost, said_at, sequence
from pyapp.core.streams.envelope import open_envelope
from pyapp.core.streams.position import Position, parse_position
from pyapp.core.streams.spec import StreamKey
from pyapp.core.tabs.ports import MUX, Passed

OPENING = "opening"
LOST = "lost"
REFUSED = "refused"
WELCOME = "welcome"
_KINDS = {str(kind): kind for kind in FrameKind}
_LEADERS_OWN = frozenset({FrameKind.FAILED, FrameKind.NAMED_ERROR, FrameKind.BYE, FrameKind.LOST, FrameKind.REFUSED})
"""What comes of these the leader says, in words of ours."""


@dataclass(slots=True)
class Place:
    """One stream that this tab wants.

    Attributes:
        last: the place of the last frame handed on.
        begins: where the leader's connection begins, if it resumes.
        greeted: frames may be handed on.
        lost: it was said to be lost, and waits to be opened anew.
        held: records for when it is.
    """

    source: int
    key: StreamKey
    wire: str
    last: Position | None
    begins: Position | None = None
    greeted: bool = False
    lost: bool = False
    held: list[Passed] = field(default_factory=list[Passed])


class Follower:
    """The places of a following tab."""

    def __init__(self, now: Callable[[], float], on_server_time: Callable[[str], None]) -> None:
        self._now = now
        self._on_server_time = on_server_time
        self._places: dict[int, Place] = {}
        self._by_wire: dict[str, Place] = {}
        self._held: dict[str, list[Passed]] = {}
        self.received = self.strays = self.early = self.invalid = 0

    # The streams' side --------------------------------------------------------------------------------------------------------

    def open(self, source: int, key: StreamKey, wire: str, last: Position | None) -> Sequence[RawFrame]:
        """Take a place; what came for it while it was lost."""
        place = self._places[source] = self._by_wire[wire] = Place(source, key, wire, last)
        out: list[RawFrame] = []
        for record in self._held.pop(wire, ()):
            self._take(place, record, out)
        return out

    def close(self, source: int) -> Place | None:
        """Leave a place; what is held for it stays until the next `open` or `forget_held`."""
        place = self._places.pop(source, None)
        if place is not None and self._by_wire.get(place.wire) is place:
            del self._by_wire[place.wire]
            if place.held:
                self._held[place.wire] = place.held
        return place

    def forget_held(self) -> None:
        """What was not opened anew by now never will be."""
        self._held.clear()

    def places(self) -> Sequence[Place]:
        return tuple(self._places.values())

    def lose(self, reason: Reason, retry_at_ms: float | None = None) -> Sequence[RawFrame]:
        """Whoever led is gone: what every stream that was greeted must hear."""
        out: list[RawFrame] = []
        for place in self._places.values():
            if place.greeted and not place.lost:
                out.append(self._lost(place, reason, retry_at_ms))
            place.greeted = False
            place.held.clear()
        return out

    # The leader's side --------------------------------------------------------------------------------------------------------

    def passed(self, records: Sequence[Passed]) -> tuple[Sequence[RawFrame], bool]:
        """The frames of a batch of records; true when a lost stream may be opened anew."""
        out: list[RawFrame] = []
        ready = False
        for record in records:
            self.received += 1
            if record.label == MUX:
                opened = self._unwrapped(record)
                if opened is None:
                    continue
                record = opened
            place = self._by_wire.get(record.label)
            if place is None:
                self.strays += 1
                continue
            if record.kind == OPENING:
                ready = self._opening(place, record, out) or ready
            elif place.lost and record.kind not in (LOST, REFUSED):
                if place.held:
                    place.held.append(record)
                else:
                    self.early += 1
            else:
                self._take(place, record, out)
        return out, ready

    def _unwrapped(self, record: Passed) -> Passed | None:
        """A record of the multiplexed connection under its stream's name; what the connection says of itself ends here."""
        if record.kind != FrameKind.MESSAGE:
            if record.kind in (FrameKind.HELLO, FrameKind.HEARTBEAT):
                self._on_server_time(said_at(record.data))
            return None
        envelope = open_envelope(record.data)
        if envelope is None:
            self.invalid += 1
            return None
        if envelope.kind in _LEADERS_OWN:
            return None
        return Passed(envelope.stream, envelope.kind, envelope.id, envelope.data)

    def _opening(self, place: Place, record: Passed, out: list[RawFrame]) -> bool:
        """The leader opens a connection. A stream that was greeted hears that the one before is gone, and is opened anew."""
        if place.greeted:
            out.append(self._lost(place, Reason.FOLLOWER, None))
        place.greeted = False
        place.begins = parse_position(record.id)
        if not place.lost:
            return False
        place.held = [record]
        return True

    def _take(self, place: Place, record: Passed, out: list[RawFrame]) -> None:
        match record.kind:
            case "opening":
                place.begins = parse_position(record.id)
                return
            case "lost":
                wait = _number(record.data)
                out.append(self._lost(place, _reason(record.id), None if wait is None else self._now() + wait))
                return
            case "refused":
                place.greeted = False
                out.append(RawFrame(place.source, FrameKind.REFUSED, "", record.data))
                return
            case "welcome":
                if not (place.greeted and _reaches(place.last, fields(record.data))):
                    self._greet(place, record, out)
                return
            case _:
                kind = _KINDS.get(record.kind)
        if kind is None or kind in _LEADERS_OWN:
            return
        if kind is FrameKind.HELLO and fields(record.data).get("resumed") is True and place.begins is None and place.last is not None:
            # It resumes where the leader was, and this tab came too late to hear where that is: a welcome is on its way.
            self.early += 1
            return
        if kind is FrameKind.HELLO:
            self._greet(place, record, out)
            return
        if kind is FrameKind.OPENED:
            place.greeted = True
        elif not place.greeted:
            # Of an earlier connection, or between two: what it says comes again after the greeting, which resumes.
            self.early += 1
            return
        elif kind is FrameKind.RESET:
            place.last = None
        elif kind is FrameKind.MESSAGE:
            place.last = parse_position(record.id) or place.last
        out.append(RawFrame(place.source, kind, record.id, record.data))

    def _greet(self, place: Place, record: Passed, out: list[RawFrame]) -> None:
        """A hello, as if the connection were our own: it resumes if it begins at a place that we have reached."""
        hello = dict(fields(record.data))
        life = hello.get("epoch")
        if hello.get("resumed") is True:
            # The server speaks to the leader: its connection begins where the leader was.
            hello.pop("sequence", None)
            if place.begins is not None and place.begins.epoch == life:
                hello["sequence"] = place.begins.sequence
        hello["resumed"] = resumed = _reaches(place.last, hello)
        if not resumed:
            begins = sequence(hello)
            place.last = Position(life, begins) if isinstance(life, str) and begins is not None else None
        place.greeted = True
        out.append(RawFrame(place.source, FrameKind.HELLO, record.id, to_json(hello).decode()))

    def _lost(self, place: Place, reason: Reason, retry_at_ms: float | None) -> RawFrame:
        place.greeted = False
        place.lost = True
        place.held = []
        return lost(place.source, reason, retry_at_ms)


def _reaches(last: Position | None, hello: Mapping[str, Any]) -> bool:
    """Whether a place lies at or after the beginning of a connection."""
    begins = sequence(hello)
    return begins is not None and last is not None and last.epoch == hello.get("epoch") and last.sequence >= begins


def _reason(text: str) -> Reason:
    """A reason as another tab wrote it; one that is none of ours is that of a follower."""
    try:
        return Reason(text)
    except ValueError:
        return Reason.FOLLOWER


def _number(text: str) -> float | None:
    try:
        wait = float(text)
    except ValueError:
        return None
    return wait if 0 <= wait < 3_600_000 else None
