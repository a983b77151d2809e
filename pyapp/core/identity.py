"""Who looks at the page: for flags that some people have and others do not (RT-71), and for what was forbidden (RT-36)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pyapp.core.storage import Storage

GUEST = "guest"
"""Where the guest's id is kept."""


class Identity(Protocol):
    """Somebody, by an id that stays the same from visit to visit."""

    def user(self) -> str: ...

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call back when somebody else is there from now on."""
        ...


class Visitor:
    """A guest with an id of this browser profile, until somebody is signed in.

    Args:
        storage: keeps the guest's id.
        new_id: makes one for a profile that has none.
    """

    def __init__(self, storage: Storage, new_id: Callable[[], str]) -> None:
        self._callbacks: list[Callable[[], None]] = []
        guest = storage.read(GUEST)
        if not guest:
            guest = f"guest-{new_id()}"
            storage.write(GUEST, guest)
        self._guest = guest
        self._signed_in = ""

    def user(self) -> str:
        return self._signed_in or self._guest

    def whose(self) -> str:
        """Whose tabs this one belongs to (RT-60). All guests of a browser profile are one: tabs of a new profile that begin at the same
        time each make an id, and only the last one stays."""
        return f"user:{self._signed_in}" if self._signed_in else GUEST

    def on_change(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)

    def sign_in(self, user: str) -> None:
        """Somebody is signed in from now on; empty text signs out. Those who must know are told if it is somebody else."""
        before = self.user()
        self._signed_in = user
        if self.user() != before:
            for callback in tuple(self._callbacks):
                callback()
