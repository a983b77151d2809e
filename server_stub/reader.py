"""What one client reads of one stream: held back while its first frames are put together, then flowing.

A reader of its own connection, or one of many of a multiplexed one; how much may wait is the connection's matter.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from .encoding import encode
from .frames import Frame

if TYPE_CHECKING:
    from .connection import Connection


class Reader:
    """Made by ``Connection.attach``; opened and closed by the hub."""

    def __init__(self, connection: "Connection", key: str, name: str) -> None:
        """``name`` is the key as the client spells it."""
        self.connection = connection
        self.key = key
        self.name = name
        self.name_json = encode(name)
        self.sent = 0
        self.held = True
        """Held back while its first frames are put together; frames offered meanwhile wait in order."""
        self.greeted = False
        """Whether its hello has left: what has not been greeted begins anew after a reset."""
        self.stale = False
        """Whether frames were dropped while it was held back."""
        self.gone = False
        self.floor = 0
        """Frames up to this sequence are in what the reader was given first."""
        self.on_lag: Callable[[Reader], None] | None = None
        """Called when a reset leaves, or should have: the hub sends a snapshot behind it, or begins anew."""
        self.waiting: list[Frame] = []

    @property
    def pending(self) -> int:
        """Frames that wait in the connection (of a multiplexed one: those of every stream)."""
        return self.connection.pending

    @property
    def resets(self) -> int:
        """How often the connection was reset."""
        return self.connection.resets

    @property
    def path(self) -> str:
        """The path of the connection's request."""
        return self.connection.path

    def offer(self, frame: Frame) -> None:
        """Keep a frame for the client, within the connection's bound."""
        self.connection.offer(self, frame)

    def begin(self, first: list[Frame]) -> None:
        """Put the first frames before what was offered meanwhile, and let them flow."""
        self.connection.begin(self, first)

    def lag(self) -> None:
        """Tell the hub that frames were dropped."""
        if self.on_lag is not None:
            self.on_lag(self)
