"""What the browser's tab says of the page that it holds: its title and its icon.

    page                                   title                                  icon
    nobody sees it, nothing moves          Paused · … (with what failed then)     paused, `paused failing`
    the connection has trouble             Offline · …, Error · …                 trouble
    something on the page fails            ● 3 failing · …                        failing
    else                                   the page's heading                     calm

Connecting and catching up are passing states: they say nothing here, so that a tab does not blink. Only what changed is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Literal

from pyapp.pages.protocol import Connection, ConnectionView, Heading

NAME: Final = "Penstock"
Icon = Literal["calm", "failing", "trouble", "paused", "paused failing"]

_TROUBLE: Final = (Connection.OFFLINE, Connection.ERROR, Connection.FORBIDDEN, Connection.RECONNECTING)


def title_and_icon(heading: Heading, connection: ConnectionView, alarms: Iterable[str], *, paused: bool) -> tuple[str, Icon]:
    """The table above.

    Args:
        alarms: what fails, in words: `3 failing`.
        paused: nobody sees the page, so nothing is kept up to date.
    """
    failing = ", ".join(alarms)
    page = f"{heading} · {NAME}"
    if paused:
        return (f"Paused · {failing} · {page}", "paused failing") if failing else (f"Paused · {page}", "paused")
    if connection.state in _TROUBLE:
        return f"{connection.words} · {page}", "trouble"
    return (f"● {failing} · {page}", "failing") if failing else (page, "calm")


class TabHealth:
    """Writes title and icon where they are others than before."""

    def __init__(self, set_title: Callable[[str], None], set_icon: Callable[[str], None]) -> None:
        self._set_title = set_title
        self._set_icon = set_icon
        self._title = ""
        self._icon: Icon = "calm"

    def show(self, heading: Heading, connection: ConnectionView, alarms: Iterable[str], *, paused: bool) -> None:
        """What is true now."""
        title, icon = title_and_icon(heading, connection, alarms, paused=paused)
        if title != self._title:
            self._title = title
            self._set_title(title)
        if icon != self._icon:
            self._icon = icon
            self._set_icon(icon)
