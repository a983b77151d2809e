"""What a control record of a stream says: fields of untrusted text, and the machine's event for it (RT-24, RT-26, RT-38)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pydantic_core import from_json

from pyapp.core.ports import FrameKind, RawFrame
from pyapp.core.streams import connection as c
from pyapp.core.streams.refusal import RETRY_AFTER_AT_MOST_MS, verdict_of

WAIT_AT_MOST_MS = 3_600_000.0
"""No interval that a server names is believed beyond an hour: a typing error there must not silence a page for ever."""
SEQUENCE_AT_MOST = 10**18
"""No server counts further; see `position.parse_position`."""


def fields(text: str) -> Mapping[str, Any]:
    """A control frame's fields; anything that is no object has none."""
    try:
        value = from_json(text)  # not `json`: on deep nesting it takes the whole interpreter of a browser down
    except (ValueError, TypeError):  # the latter for a lone surrogate
        return {}
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def number(values: Mapping[str, Any], name: str, at_most: float = WAIT_AT_MOST_MS) -> float:
    """A time; what is none, negative or no number is 0."""
    value = values.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not value >= 0:
        return 0.0
    return float(min(value, at_most))


def sequence(values: Mapping[str, Any]) -> int | None:
    """A place within a life of the server; what cannot be one is none."""
    value = values.get("sequence")
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < SEQUENCE_AT_MOST else None


def said_at(text: str) -> str:
    """The server's time in a hello or heartbeat; empty where it says none (RT-55)."""
    at = fields(text).get("at")
    return at if isinstance(at, str) else ""


def event_of(frame: RawFrame, epoch: int) -> c.FrameEvent | None:
    """What a record that is not data means to a connection; `None` for one that means nothing."""
    match frame.kind:
        case FrameKind.OPENED:
            return c.SocketOpened(epoch)
        case FrameKind.FAILED:
            return c.SocketFailed(epoch, final=frame.data == "2")
        case FrameKind.LOST:
            return _lost(frame, epoch)
        case FrameKind.REFUSED:
            return _refused(frame, epoch)
        case FrameKind.NAMED_ERROR:
            return c.ErrorFrame(epoch)
        case FrameKind.HELLO:
            hello = fields(frame.data)
            interval = number(hello, "heartbeat_ms")
            if interval <= 0:
                return None  # not a hello we can rely on: the stream goes on as one without
            server_epoch, resumed = hello.get("epoch"), hello.get("resumed") is True
            life = server_epoch if isinstance(server_epoch, str) else ""
            return c.Hello(epoch, life, interval, number(hello, "retry_ms"), resumed, sequence(hello))
        case FrameKind.HEARTBEAT:
            return c.Beaten(epoch, sequence(fields(frame.data)))
        case FrameKind.RESET:
            return c.WasReset(epoch)
        case FrameKind.BYE:
            return c.Bye(epoch, number(fields(frame.data), "retry_ms"))
        case FrameKind.NAMED_OPEN | FrameKind.MESSAGE:  # pragma: no branch - there is no other
            return None


def lost(source: int, reason: c.Reason, retry_at_ms: float | None) -> RawFrame:
    """The record that tells a stream that its shared connection is gone, and when somebody else tries again."""
    return RawFrame(source, FrameKind.LOST, str(reason), "" if retry_at_ms is None else repr(retry_at_ms))


def _lost(frame: RawFrame, epoch: int) -> c.SocketLost:
    return c.SocketLost(epoch, c.Reason(frame.id), float(frame.data) if frame.data else None)


def _refused(frame: RawFrame, epoch: int) -> c.Refused:
    said = fields(frame.data)
    status = said.get("status")
    wait = number(said, "retry_after_s", RETRY_AFTER_AT_MOST_MS / 1000) * 1000
    return c.Refused(epoch, verdict_of(status if isinstance(status, int) else 0), wait)
