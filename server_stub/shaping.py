"""What one connection writes, and what faults make of it on the way. The ring and other connections know nothing of it.

``stall`` and ``delay`` of one stream of a multiplexed connection set its frames aside, in order, until they may leave; past
the connection's bound they are dropped and the stream is reset, as one that its client does not read. ``reorder`` holds a
data frame until its neighbour has left; the stream's heartbeats pass it by, and its end lets it go, so nothing is lost.
"""

import json
import time
from collections import deque
from math import inf
from typing import Any

from .connection import CAPACITY, Connection, Item
from .encoding import encode
from .faults import FRAMES, Faults, Form
from .frames import Frame, multiplexed
from .reader import Reader


def garbled(body: bytes, form: Form) -> bytes:
    """JSON that is none, or whose values at the top are of wrong types."""
    if form == "json":
        return body[: len(body) // 2]
    try:
        value: Any = json.loads(body)
    except ValueError:
        return b'{"garbled":true}'
    if not isinstance(value, dict):
        return b'"garbled"'
    return encode({name: _wrong(each) for name, each in value.items()})  # type: ignore[reportUnknownVariableType]


def _wrong(value: object) -> object:
    """A value that is no value of that type, nor one that could be read as such."""
    return {"garbled": True} if isinstance(value, str | int | float | bool | None) else "garbled"


class Shaper:
    """The writing end of one connection."""

    def __init__(self, faults: Faults, connection: Connection) -> None:
        self._faults = faults
        self._connection = connection
        self._aside: dict[Reader, deque[tuple[float, Frame]]] = {}
        self._lost: set[Reader] = set()
        self._swapping: dict[Reader, Frame] = {}

    def wait_s(self) -> float | None:
        """The seconds until something that is set aside may leave; None: not by time alone."""
        soonest = inf
        for reader, frames in self._aside.items():
            stall = self._faults.find_for_stream(("stall",), reader.key)
            if stall is None:
                soonest = min(soonest, frames[0][0] if frames else 0.0)
            elif stall.until is not None:
                soonest = min(soonest, stall.until)
        return None if soonest == inf else max(0.001, soonest - time.monotonic())

    def write(self, items: list[Item]) -> bytes:
        """The bytes that may leave now."""
        wire = self._connection.wire
        if not (self._faults or self._aside or self._swapping):
            return b"".join([frame.single() if reader is None else wire(frame, reader.name_json) for reader, frame in items])
        out: list[bytes] = []
        self._release(out)
        for reader, frame in items:
            if reader is None:
                out.append(frame.single())
            elif not self._set_aside(reader, frame):
                self._say(reader, frame, out)
        return b"".join(out)

    def _say(self, reader: Reader, frame: Frame, out: list[bytes]) -> None:
        wire, path = self._connection.wire, self._connection.path
        held = self._swapping.pop(reader, None)
        if frame.event == "heartbeat" and held is not None and self._swaps(reader):
            # It speaks ahead of the frame that waits for its neighbour: of a stream that seldom speaks it would else let each one go.
            self._swapping[reader] = held
            out.append(wire(frame, reader.name_json))
            return
        if frame.event != "message":
            out += [wire(each, reader.name_json) for each in (held, frame) if each is not None]
            return
        fault = self._faults.find(FRAMES, path, reader.key)
        said = [frame]
        if held is not None:
            said = [frame, held]
        elif fault is not None:
            fault.hit()
            if fault.kind == "reorder":
                self._swapping[reader] = frame
                said = []
            elif fault.kind == "skip":
                said = []
            elif fault.kind == "duplicate":
                said = [frame, frame]
            else:
                said = [frame.with_data(garbled(frame.data, fault.form))]
        out += [wire(each, reader.name_json) for each in said]

    def _swaps(self, reader: Reader) -> bool:
        """Whether frames of this stream are being swapped now."""
        fault = self._faults.find(FRAMES, self._connection.path, reader.key)
        return fault is not None and fault.kind == "reorder"

    def _set_aside(self, reader: Reader, frame: Frame) -> bool:
        if self._connection.wire is not multiplexed:
            return False
        stall = self._faults.find_for_stream(("stall",), reader.key)
        delay = self._faults.find_for_stream(("delay",), reader.key)
        if reader not in self._aside and stall is None and delay is None:
            return False
        frames = self._aside.setdefault(reader, deque())
        if stall is not None:
            stall.hits += 1
        due = time.monotonic() + (0.0 if delay is None else delay.hit().ms / 1000)
        frames.append((due, frame))
        if sum(map(len, self._aside.values())) > CAPACITY:
            frames.clear()
            self._lost.add(reader)
        return True

    def _release(self, out: list[bytes]) -> None:
        now = time.monotonic()
        for reader in list(self._aside):
            if reader.gone:
                del self._aside[reader]
                self._lost.discard(reader)
                continue
            if self._faults.find_for_stream(("stall",), reader.key) is not None:
                continue
            frames = self._aside[reader]
            if reader in self._lost:
                self._lost.discard(reader)
                frames.clear()
                self._say(reader, Frame.named("reset", {"reason": "backpressure"}, reader.name_json), out)
                reader.lag()
            while frames and frames[0][0] <= now:
                self._say(reader, frames.popleft()[1], out)
            if not frames:
                del self._aside[reader]
        for reader in [reader for reader in self._swapping if reader.gone]:
            del self._swapping[reader]
