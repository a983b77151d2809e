"""Who is told what the streams do: the feeds."""

from __future__ import annotations

from typing import Protocol

from pyapp.core.streams import connection as c
from pyapp.core.streams.inbox import Batch
from pyapp.core.streams.position import Position
from pyapp.core.streams.spec import StreamKey


class Listener(Protocol):
    """What the manager reports."""

    def stream_changed(self, key: StreamKey, state: c.Connection) -> None:
        """A public state, a confirmation, a reason, or what makes a confirmed connection doubtful changed."""
        ...

    def stream_confirmed(self, key: StreamKey, confirmed: c.Confirmed) -> None: ...

    def stream_gap(self, key: StreamKey, cause: str) -> None: ...

    def stream_placed(self, key: StreamKey, position: Position) -> None:
        """A heartbeat told where the stream is, before any event of it came."""
        ...

    def stream_delivered(self, key: StreamKey, batch: Batch) -> int:
        """Events to apply; returns how many of them somebody used."""
        ...

    def stream_alive(self, key: StreamKey) -> None:
        """A hello or a heartbeat came: a delivery without data (RT-30)."""
        ...

    def server_time(self, wall_ms_text: str) -> None:
        """The server's clock, as hello and heartbeats carry it (RT-55)."""
        ...
