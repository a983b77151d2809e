"""Places in a stream: `<server epoch>:<sequence>` (RT-27, RT-28)."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Position(NamedTuple):
    """Everything of this stream up to and including `sequence` of the server's life `epoch`.

    A named tuple and no dataclass: one is made per frame, and a frozen dataclass costs four times as much to make.
    """

    epoch: str
    sequence: int

    def __str__(self) -> str:
        return f"{self.epoch}:{self.sequence}"

    def covers(self, other: Position) -> bool:
        """Whether what happened at `other` is contained in this."""
        return self.epoch == other.epoch and self.sequence >= other.sequence


def parse_position(text: str | None) -> Position | None:
    """The position of an id or of `X-Penstock-Position`, or `None` where the text is not one (a part-A server sends none)."""
    if not text:
        return None
    epoch, _, sequence = text.rpartition(":")
    # No server counts to 10^18 events; a longer number is nonsense, and Python refuses to read the longest at all.
    if not epoch or len(sequence) > 18 or not (sequence.isascii() and sequence.isdecimal()):
        return None
    return Position(epoch, int(sequence))


class Arrival(Enum):
    """How a frame's id stands to what was seen before."""

    NEXT = "next"
    OLD = "old"
    HOLE = "hole"
    OTHER_EPOCH = "other epoch"
    UNNUMBERED = "unnumbered"


def classify(last: Position | None, at: Position | None) -> Arrival:
    """RT-28: a hole is a gap, at or below the last seen is old, another epoch is always a gap (RT-27).

    The first numbered frame after a fresh start is `NEXT`, whatever its number: what came before it is in the snapshot.
    """
    if at is None:
        return Arrival.UNNUMBERED
    if last is None:
        return Arrival.NEXT
    if at.epoch != last.epoch:
        return Arrival.OTHER_EPOCH
    if at.sequence <= last.sequence:
        return Arrival.OLD
    return Arrival.NEXT if at.sequence == last.sequence + 1 else Arrival.HOLE
