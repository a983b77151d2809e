"""What the scripted server says on its sockets: one stream each, or many in envelopes; a ring to resume from; and faults.

wire.fault("skip", 2)              # the next two events are lost on their way
wire.fault("garble")               # one arrives torn; also: "duplicate", "reorder", "oversize"
wire.stalled = True                # sockets are accepted and nothing is said on any
wire.refusal = 403                 # new sockets are refused, and a plain request says why; 0 is no answer at all
wire.bye(4_000)                    # a planned end
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from pyapp.core.ports import FrameKind
from pyapp.core.testing.fakes import FakeSources

RING = 20
SINGLE = "things/stream"
MANY = "streams"
KNOWN = "things"
"""The wire key of the one stream."""

Fault = Literal["skip", "garble", "duplicate", "reorder", "oversize"]


@dataclass(slots=True)
class _Reader:
    """One stream on one socket; `wire` is empty where the socket is the stream's own."""

    source: int
    wire: str


class Wire:
    """The sockets of the server, as `FakeSources` has them.

    Attributes:
        part_b: hello, ids and heartbeats; without, the framing of part A.
        multiplexed: whether there is the one connection for many streams.
        stalled: nothing is said, not even that a socket is open.
        refusal: the status with which new sockets are refused, `None` to accept them.
        life, sequence: the server's epoch and the number of the last event.
    """

    def __init__(self, sources: FakeSources, *, part_b: bool, multiplexed: bool, heartbeat_ms: float) -> None:
        self._sources = sources
        self.part_b = part_b
        self.multiplexed = multiplexed
        self._heartbeat_ms = heartbeat_ms
        self.stalled = False
        self.refusal: int | None = None
        self.life = 1
        self.sequence = 0
        self._ring: deque[tuple[int, str]] = deque(maxlen=RING)
        self._readers: list[_Reader] = []
        self._connections: dict[str, int] = {}
        self._made = 0
        self._faults: deque[Fault] = deque()
        self._held: tuple[int, str] | None = None

    # What happens -------------------------------------------------------------------------------------------------------------

    def fault(self, fault: Fault, times: int = 1) -> None:
        """What becomes of the next events, one each, on every socket."""
        self._faults.extend(fault for _ in range(times))

    @property
    def faulty(self) -> bool:
        """Whether something will still become of the next event, or one is held back."""
        return bool(self._faults) or self._held is not None

    def heal(self) -> None:
        """Nothing more becomes of events."""
        self._faults.clear()
        self._let_go()

    def publish(self, text: str, *, silently: bool = False) -> None:
        """One event to every reader; `silently` it is lost on its way."""
        self.sequence += 1
        self._ring.append((self.sequence, text))
        if not silently:
            self._send(self.sequence, text)

    def beat(self) -> None:
        """A heartbeat to every reader, and to every connection of many."""
        self._let_go()
        for reader in self._open():
            self._record(reader, "heartbeat", {"at": "", "sequence": self.sequence})
        for source in self._of_many():
            self._sources.record(source, FrameKind.HEARTBEAT, json.dumps({"at": ""}))

    def bye(self, retry_ms: int = 1_000) -> None:
        """A planned end of every socket; a stalled one and a part-A server say nothing before it."""
        if self.stalled or not self.part_b:
            self.drop()
            return
        for source in {reader.source for reader in self._open()} | self._of_many():
            self._sources.record(source, FrameKind.BYE, json.dumps({"retry_ms": retry_ms}))
        self._forget()

    def drop(self) -> None:
        """Every socket that was answered breaks, also of a server that is stalled: its end closes them."""
        answered = {reader.source for reader in self._readers} | set(self._connections.values())
        for source in sorted(answered & set(self._sources.open_urls)):
            self._sources.record(source, FrameKind.FAILED, "0")
        self._forget()

    def restart(self) -> None:
        """A new life: every socket breaks, numbers begin anew, nothing can be resumed."""
        self.drop()
        self.life += 1
        self.sequence = 0
        self._ring.clear()

    def reset(self) -> None:
        """The server threw something away: every reader is told."""
        for reader in self._open():
            self._record(reader, "reset", {})

    # Sockets ------------------------------------------------------------------------------------------------------------------

    def greet(self, source: int) -> None:
        """Answer a socket, if it is still there."""
        url = self._sources.open_urls.get(source)
        if url is None or self.stalled:
            return
        path = urlsplit(url).path
        if self.status_of(path) != 200:
            self._sources.record(source, FrameKind.FAILED, "2")
            return
        self._sources.record(source, FrameKind.OPENED)
        asked = parse_qs(urlsplit(url).query)
        if path == SINGLE:
            self._begin(_Reader(source, ""), asked.get("last_event_id", [""])[0])
            return
        self._made += 1
        name = f"c{self._made}"
        self._connections[name] = source
        hello = {"connection": name, **self._hello()}
        self._sources.record(source, FrameKind.HELLO, json.dumps(hello))
        self._add(source, json.loads(asked["want"][0]))

    def status_of(self, path: str) -> int:
        """What a plain request for a stream is answered with; 0 for nothing."""
        if path not in ((SINGLE, MANY) if self.multiplexed else (SINGLE,)):
            return 404
        return 200 if self.refusal is None else self.refusal

    def change(self, name: str, wanted: Mapping[str, Any]) -> bool:
        """Change what a connection carries; false if there is none of that name."""
        source = self._connections.get(name)
        if source is None or source not in self._sources.open_urls:
            return False
        removed = set(wanted.get("remove", ()))
        self._readers = [reader for reader in self._readers if reader.source != source or reader.wire not in removed]
        self._add(source, wanted.get("add", ()))
        return True

    def forget_connections(self) -> None:
        """The server remembers the connections no more, although they are open."""
        self._connections.clear()

    def _add(self, source: int, wanted: Sequence[Mapping[str, str]]) -> None:
        for each in wanted:
            reader = _Reader(source, each["stream"])
            if reader.wire == KNOWN:
                self._readers = [other for other in self._readers if other != reader]
                self._begin(reader, each.get("last_event_id", ""))
            else:
                self._record(reader, "refused", {"status": 404, "detail": "no such stream"})

    def _begin(self, reader: _Reader, last: str) -> None:
        self._let_go()
        self._readers.append(reader)
        if not self.part_b:
            self._sources.record(reader.source, FrameKind.NAMED_OPEN, "connected")
            return
        life, _, number = last.rpartition(":")
        oldest = self._ring[0][0] if self._ring else self.sequence + 1
        resumed = life == f"e{self.life}" and oldest - 1 <= int(number) <= self.sequence
        self._record(reader, "hello", {**self._hello(), "resumed": resumed, "scopes": []})
        if resumed:
            for sequence, text in self._ring:
                if sequence > int(number):
                    self._event(reader, sequence, text)

    def _hello(self) -> dict[str, Any]:
        return {"epoch": f"e{self.life}", "at": "", "heartbeat_ms": self._heartbeat_ms, "retry_ms": 1_000}

    def _open(self) -> list[_Reader]:
        """The readers whose socket is still there; none is heard while the server is stalled."""
        self._readers = [reader for reader in self._readers if reader.source in self._sources.open_urls]
        return [] if self.stalled else list(self._readers)

    def _of_many(self) -> set[int]:
        return set() if self.stalled else {source for source in self._connections.values() if source in self._sources.open_urls}

    def _forget(self) -> None:
        self._readers.clear()
        self._connections.clear()
        self._held = None

    # Frames -------------------------------------------------------------------------------------------------------------------

    def _send(self, sequence: int, text: str) -> None:
        fault = self._faults.popleft() if self._faults else None
        if fault == "reorder" and self._held is None:
            self._held = (sequence, text)
            return
        if fault == "garble":
            text = text[: len(text) // 2]
        elif fault == "oversize":
            text = text + " " * (1024 * 1024)
        if fault != "skip":
            for reader in self._open():
                for _ in range(2 if fault == "duplicate" else 1):
                    self._event(reader, sequence, text)
        self._let_go()

    def _let_go(self) -> None:
        """The frame that was held back comes after all, late."""
        if self._held is not None:
            held, self._held = self._held, None
            for reader in self._open():
                self._event(reader, *held)

    def _event(self, reader: _Reader, sequence: int, text: str) -> None:
        frame_id = f"e{self.life}:{sequence}" if self.part_b else ""
        if reader.wire:
            envelope = f'{{"stream":{json.dumps(reader.wire)},"id":"{frame_id}","event":"message","data":{text}}}'
            self._sources.record(reader.source, FrameKind.MESSAGE, envelope)
        else:
            self._sources.record(reader.source, FrameKind.MESSAGE, text, frame_id)

    def _record(self, reader: _Reader, event: str, said: Mapping[str, Any]) -> None:
        data = json.dumps(said)
        if reader.wire:
            envelope = f'{{"stream":{json.dumps(reader.wire)},"id":"","event":"{event}","data":{data}}}'
            self._sources.record(reader.source, FrameKind.MESSAGE, envelope)
        else:
            self._sources.record(reader.source, FrameKind(event), data)
