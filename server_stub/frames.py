"""One frame of a stream and its forms on the wire.

- ``single``: ``id: <epoch>:<sequence>`` and ``data: <payload>``; of another than a data frame ``event: <name>`` and ``data: …``;
- ``multiplexed``, an envelope: ``data: {"stream":<key>,"id":"<epoch>:<sequence>","event":"message","data":<payload>}``; of another
  than a data frame with its name and ``"id":""``.

The fields of an envelope come in exactly this order and without spaces, and its stream is a JSON string, in which every
quotation mark has a backslash before it. So the first ``,"data":`` of an envelope always stands before its payload,
whatever a stream is called: a client may cut there and leave the payload unread until somebody wants it.

Each form is made at most once per frame and shared by all who read it. Only a reader that spells its stream's key in
another than the canonical way has an envelope of its own, around the same payload.
"""

from collections.abc import Callable
from typing import Self

from .encoding import encode


class Frame:
    """An event, or something that a stream says about itself."""

    __slots__ = ("_envelope", "_single", "_stream", "data", "event", "id")

    def __init__(self, stream: bytes, event: str, data: bytes, frame_id: str = "") -> None:
        """``stream`` is the canonical key as JSON; ``data`` is the payload as JSON."""
        self.event = event
        self.id = frame_id
        self.data = data
        self._stream = stream
        self._single: bytes | None = None
        self._envelope: bytes | None = None

    @classmethod
    def named(cls, event: str, value: object, stream: bytes = b'""') -> Self:
        """A frame with a name and without an id."""
        return cls(stream, event, encode(value))

    @classmethod
    def ready(cls, text: bytes) -> Self:
        """A frame whose form is made already."""
        frame = cls(b'""', "", b"")
        frame._single = text
        return frame

    def single(self) -> bytes:
        """The frame on a connection of its own stream, or about the connection itself."""
        if self._single is None:
            first = f"id: {self.id}" if self.event == "message" else f"event: {self.event}"
            self._single = b"%b\ndata: %b\n\n" % (first.encode(), self.data)
        return self._single

    def envelope(self, stream: bytes) -> bytes:
        """The frame among those of other streams; ``stream`` is the key, as JSON, as the reader spells it."""
        if stream != self._stream:
            return self._enclose(stream)
        if self._envelope is None:
            self._envelope = self._enclose(stream)
        return self._envelope

    def with_data(self, data: bytes) -> "Frame":
        """The same frame with another payload."""
        return Frame(self._stream, self.event, data, self.id)

    def _enclose(self, stream: bytes) -> bytes:
        return b'data: {"stream":%b,"id":"%b","event":"%b","data":%b}\n\n' % (
            stream,
            self.id.encode(),
            self.event.encode(),
            self.data,
        )


OPENED = b"event: open\ndata: connected\n\n"
"""The first frame of a part-A stream."""
KEEP_ALIVE = b": keep-alive\n\n"
"""What a part-A stream says when it has nothing to say: a comment, which a browser does not pass on."""
ERROR = Frame(b'""', "error", b'{"error": "stream disconnected"}')
"""The last frame of a part-A stream that failed, and of any stream whose store is down."""

Wire = Callable[[Frame, bytes], bytes]
"""How a connection writes a frame of a stream; the second argument is the stream's key as JSON."""


def single(frame: Frame, stream: bytes) -> bytes:
    """A connection that carries one stream."""
    return frame.single()


def part_a(frame: Frame, stream: bytes) -> bytes:
    """A connection of a server that speaks part A only: its first frame says ``open``, data frames have no ids, that is all."""
    if frame.event == "message":
        return b"data: %b\n\n" % frame.data
    return OPENED if frame.event == "hello" else b""


def multiplexed(frame: Frame, stream: bytes) -> bytes:
    """A connection that carries many."""
    return frame.envelope(stream)
