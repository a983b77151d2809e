"""What the core needs of the world, as Protocols; `browser/` makes them from JavaScript, `core/testing/` fakes them.

Every port is callbacks and plain values: there is no coroutine between a frame and the cache, and a request is a callback too, so
that the whole core runs under virtual time without an event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol


class FrameKind(StrEnum):
    """What a record from an event source is.

    `OPENED` and `FAILED` are the socket's own events; the others are frames of the server. A frame that the server *named* `open` or
    `error` reaches the same listeners in a browser, and only its data tells them apart (RT-24): here it is `NAMED_OPEN` or
    `NAMED_ERROR`. `LOST` and `REFUSED` are the words of a transport that carries many streams: the connection that they share is gone
    (`id` is the reason, `data` the clock time of the next attempt), or one of them was refused (`data` has the status).
    """

    OPENED = "opened"
    FAILED = "failed"
    MESSAGE = "message"
    HELLO = "hello"
    HEARTBEAT = "heartbeat"
    RESET = "reset"
    BYE = "bye"
    NAMED_OPEN = "named-open"
    NAMED_ERROR = "named-error"
    LOST = "lost"
    REFUSED = "refused"


class RawFrame(NamedTuple):
    """One record of an event source, untouched.

    `source` is the number given to `EventSources.open`; `id` the frame's `id:` or empty; `data` its text (for `FAILED` the socket's
    `readyState` as text: `0` it would reconnect by itself, `2` it will not).
    """

    source: int
    kind: FrameKind
    id: str
    data: str


class EventSources(Protocol):
    """Event sources whose records wait on the host's side until the beat takes them all at once (RT-41)."""

    def open(self, source: int, url: str) -> None:
        """Open `url`; every record from it carries `source`."""
        ...

    def close(self, source: int) -> None:
        """Close it and forget its waiting records; unknown numbers are ignored."""
        ...

    def drain(self) -> Sequence[RawFrame]:
        """All waiting records in the order in which they came, and ask to be woken by the next."""
        ...

    def on_wake(self, callback: Callable[[], None]) -> None:
        """Call back when a record comes in while none was waiting since the last `drain`."""
        ...


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request. `url` is absolute or relative to the API's base; `body` is JSON text.

    With `head_only` the answer is told at its headers, the body is never read, and the request is over (RT-25).
    With `text_at_most` the answer is text of any kind and not JSON, of which so many bytes are read; the rest is never received.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str | None = None
    head_only: bool = False
    text_at_most: int | None = None


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back. `status` 0 means that nothing did, and `body` says why in one sentence.

    `headers` has lower-case names and only those that the port was told to read: `content-type, x-penstock-position, etag, date,
    retry-after`.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str = ""


class Cancel(Protocol):
    """Something under way that can be given up."""

    def cancel(self) -> None: ...


class Http(Protocol):
    """Plain requests."""

    def send(self, request: HttpRequest, on_answer: Callable[[HttpAnswer], None]) -> Cancel:
        """Send it; calls back once unless cancelled, never before this call returns."""
        ...


class Visibility(Protocol):
    """Whether a person can see the page."""

    def hidden(self) -> bool: ...

    def on_change(self, callback: Callable[[], None]) -> None: ...


class Network(Protocol):
    """What the browser says of the network: a hint, and no more (RT-52)."""

    def online(self) -> bool: ...

    def on_change(self, callback: Callable[[], None]) -> None: ...


class Lifecycle(Protocol):
    """The page goes and may come back (RT-53)."""

    def on_suspend(self, callback: Callable[[], None]) -> None:
        """Call back while the page is being put away or frozen: all that it holds must be given up before the callback returns."""
        ...

    def on_resume(self, callback: Callable[[], None]) -> None:
        """Call back when it was taken out again."""
        ...


class Random(Protocol):
    """Chance, for jitter; `random.Random` is one."""

    def random(self) -> float: ...
