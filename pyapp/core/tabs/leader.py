"""What a leading tab remembers of its streams, so that it can tell a tab that comes later how each stands (RT-60). No I/O.

It looks at every record that its own transport brings, and changes none. Frames reach the other tabs raw, at arrival; what is made here
are the words that followers cannot read from the frames: that a stream is being opened and from where, that it is lost and why, and the
`welcome` of one tab to a stream that is open already, which brings it from where it is to the last frame that was passed on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json

from pyapp.core.ports import FrameKind, RawFrame
from pyapp.core.streams.connection import Connection, Phase, Reason
from pyapp.core.streams.control import fields
from pyapp.core.streams.control import sequence as sequence_of
from pyapp.core.streams.decode import Invalid
from pyapp.core.streams.position import Position, parse_position
from pyapp.core.streams.spec import Control, StreamSpec
from pyapp.core.tabs.follower import LOST, OPENING, REFUSED, WELCOME
from pyapp.core.tabs.ports import Passed

RECENT = 256
RECENT_LENGTH = 256 * 1024
"""So many frames of a stream, of so many characters, are kept for tabs that come later."""


@dataclass(slots=True)
class _Line:
    """One stream that is open or opening."""

    wire: str
    spec: StreamSpec
    begins: Position | None
    last: Position | None
    opened: bool = False
    hello: Mapping[str, Any] | None = None
    recent: deque[tuple[int, RawFrame]] = field(default_factory=deque[tuple[int, RawFrame]])
    """The last frames with their numbers, without a hole; of a stream that says the whole state each time only the last one."""
    length: int = 0
    synced: str | None = None
    """What confirmed a scoped stream."""


class Leader:
    """The streams of a leading tab."""

    def __init__(self) -> None:
        self._lines: dict[int, _Line] = {}
        self._by_wire: dict[str, _Line] = {}
        self._gone: dict[str, Passed] = {}
        """How those stand that are not open."""

    def open(self, source: int, wire: str, spec: StreamSpec, last: Position | None) -> Passed:
        """A connection is being opened; what all tabs must hear of it."""
        line = self._lines[source] = self._by_wire[wire] = _Line(wire, spec, last, last)
        self._gone.pop(wire, None)
        return _opening(line)

    def close(self, source: int) -> None:
        line = self._lines.pop(source, None)
        if line is not None and self._by_wire.get(line.wire) is line:
            del self._by_wire[line.wire]

    def note(self, frame: RawFrame) -> None:
        """Look at a record on its way to this tab's own streams."""
        line = self._lines.get(frame.source)
        if line is None:
            return
        match frame.kind:
            case FrameKind.MESSAGE:
                line.opened = True
                _keep(line, frame)
                if line.spec.scoped:
                    _note_control(line, frame.data)
            case FrameKind.OPENED:
                line.opened = True
            case FrameKind.NAMED_OPEN:
                pass
            case FrameKind.HELLO:
                hello = line.hello = fields(frame.data)
                line.opened = True
                if hello.get("resumed") is not True:
                    life, begins = hello.get("epoch"), sequence_of(hello)
                    line.last = Position(life, begins) if isinstance(life, str) and begins is not None else None
                    _forget(line)
            case FrameKind.HEARTBEAT:
                told = sequence_of(fields(frame.data))
                if told is not None and line.last is not None and told > line.last.sequence:
                    line.last = Position(line.last.epoch, told)
                    _forget(line)
            case FrameKind.RESET:
                line.last = line.synced = None
                _forget(line)
            case _:
                line.opened = False

    def changed(self, wire: str, state: Connection, now_ms: float) -> Passed | None:
        """A connection of ours changed; what all tabs must hear of it, if anything."""
        if state.phase is Phase.CLOSED and state.reason is Reason.NOT_WANTED:
            self._gone.pop(wire, None)
            return None
        if state.phase is Phase.CLOSED and state.ended:
            status = 204 if state.ended is Reason.ENDED else 403
            said = Passed(wire, REFUSED, "", to_json({"status": status}).decode())
        elif state.phase in (Phase.RECONNECTING, Phase.CLOSED):
            wait = "" if state.retry_at_ms is None else repr(max(0.0, state.retry_at_ms - now_ms))
            said = Passed(wire, LOST, str(state.reason), wait)
        else:
            return None
        line = self._by_wire.get(wire)
        if line is not None:
            line.opened = False
        self._gone[wire] = said
        return said

    def standing(self, wire: str, last: Position | None) -> Sequence[Passed]:
        """How a stream stands, for a tab that has it up to `last`; nothing where nothing is known yet: it will hear with all others."""
        gone = self._gone.get(wire)
        if gone is not None:
            return (gone,)
        line = self._by_wire.get(wire)
        if line is None:
            return ()
        if not line.opened:
            return (_opening(line),)
        return _welcome(line, last)

    def anew(self, wire: str, last: Position | None) -> Sequence[Passed]:
        """How a stream stands, for a tab that has it up to `last` and missed something since: as if it were lost and opened anew."""
        standing = self.standing(wire, last)
        lost = Passed(wire, LOST, str(Reason.FOLLOWER), "")
        if standing and standing[0].kind in (WELCOME, FrameKind.OPENED):
            return (lost, Passed(wire, OPENING, "", ""), *standing)
        return (lost, *standing)


def _opening(line: _Line) -> Passed:
    return Passed(line.wire, OPENING, str(line.begins) if line.begins else "", "")


def _welcome(line: _Line, last: Position | None) -> Sequence[Passed]:
    """What a connection of the tab's own would have said by now: a hello, and the frames since the place that it has."""
    if line.hello is None:
        greeting = Passed(line.wire, FrameKind.OPENED, "", "")
        return (greeting, *_frames(line, line.last.sequence if line.last else -1))
    begins = _begins(line, last)
    hello = {**line.hello, "resumed": False}
    hello.pop("sequence", None)
    if begins is not None:
        hello["sequence"] = begins
    out = [Passed(line.wire, WELCOME, "", to_json(hello).decode())]
    if line.synced is not None:
        out.append(Passed(line.wire, FrameKind.MESSAGE, "", line.synced))  # without its place, which lies behind
    return (*out, *(_frames(line, begins) if begins is not None else ()))


def _begins(line: _Line, last: Position | None) -> int | None:
    """After which frame a tab goes on: the last that it has, if all since are kept; else the last that there was."""
    if line.last is None:
        return None
    if line.recent:
        oldest = line.recent[0][0] - 1
        if line.spec.whole:
            return oldest  # its state is the last frame once more
        if last is not None and last.epoch == line.last.epoch and oldest <= last.sequence:
            return min(last.sequence, line.last.sequence)
    return line.last.sequence


def _frames(line: _Line, after: int) -> Sequence[Passed]:
    return [Passed(line.wire, FrameKind.MESSAGE, frame.id, frame.data) for number, frame in line.recent if number > after]


def _keep(line: _Line, frame: RawFrame) -> None:
    at = parse_position(frame.id)
    if line.spec.whole or (at is not None and line.last is not None and at != (line.last.epoch, line.last.sequence + 1)):
        _forget(line)
    line.last = at or line.last
    if at is None and not line.spec.whole:
        return  # without numbers nobody knows what another tab has
    line.recent.append((at.sequence if at is not None else 0, frame))
    line.length += len(frame.data)
    while len(line.recent) > RECENT or (line.length > RECENT_LENGTH and len(line.recent) > 1):
        line.length -= len(line.recent.popleft()[1].data)


def _forget(line: _Line) -> None:
    line.recent.clear()
    line.length = 0


def _note_control(line: _Line, text: str) -> None:
    for event in line.spec.decoder.decode([text]):
        control = None if isinstance(event, Invalid) else line.spec.control(event)
        if control is Control.SYNCED:
            line.synced = text
        elif control is not None:
            line.synced = None
