"""The named frames of a stream: part B's ``hello``, ``heartbeat``, ``reset`` and ``bye``, part A's ``error``."""

from .base import Items, Time, WireModel


class Hello(WireModel):
    """The first frame of a part-B stream (RT-26, RT-27, RT-30). ``*_ms`` are milliseconds.

    ``sequence``, where it is said, is the last event before this connection: a snapshot at or above it misses nothing.
    """

    epoch: str
    at: Time
    heartbeat_ms: int
    retry_ms: int
    resumed: bool
    sequence: int | None = None
    scopes: Items[str] = ()


class Heartbeat(WireModel):
    """Every ``heartbeat_ms``; ``sequence`` is that of the stream's last event (RT-28)."""

    at: Time
    scopes: Items[str] = ()
    sequence: int


class Reset(WireModel):
    """The server could not keep every event for this reader: a gap (RT-38)."""

    reason: str


class Bye(WireModel):
    """The server goes away on purpose; come back after ``retry_ms`` (RT-38)."""

    reason: str
    retry_ms: int


class StreamError(WireModel):
    """``event: error`` of a part-A server: the stream failed although its status was 200 (RT-24)."""

    error: str
