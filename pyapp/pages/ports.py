"""What the program of the pages needs from outside: the page in the browser, and what a person may choose. Types only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pyapp.settings import Settings


class Screen(Protocol):
    """What the program needs of the page in the browser."""

    def paint(self, text: str) -> str:
        """Draw one paint of the encoder; returns what `Encoder.report` takes."""
        ...

    def forget(self, root: str) -> None: ...

    def set_title(self, title: str) -> None: ...

    def replace_hash(self, address: str) -> None: ...

    def go(self, address: str) -> None: ...

    def set_icon(self, kind: str) -> None:
        """The icon in the browser's tab (`tab_health`)."""
        ...

    def set_clock_offset(self, ms: float) -> None:
        """How far the server's clock is ahead, for the ages that tick by themselves (RT-55)."""
        ...

    def set_moments(self, moments: str) -> None:
        """JSON: wall times in ms by the names under which ages show them (`marks.heard`)."""
        ...

    def copy(self, text: str, told: Callable[[bool], None]) -> None:
        """Put text on the clipboard; `told` learns later whether it is there."""
        ...

    def download(self, name: str, kind: str, text: str) -> None:
        """Give the browser a file to keep; `kind` is its media type."""
        ...

    def link(self) -> str:
        """The page's whole address."""
        ...


class Choices(Protocol):
    """What the page runs with, and what a person may change of it."""

    @property
    def settings(self) -> Settings: ...

    def set(self, name: str, value: bool) -> None: ...

    def unset(self, name: str) -> None: ...

    def on_change(self, callback: Callable[[], None]) -> None: ...
