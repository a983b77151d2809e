"""What a person can tell the console wherever they are, by name: the keyboard, the palette and buttons say the same."""

from __future__ import annotations

from typing import Final

from pyapp.ui import Action

PALETTE: Final = "palette"
HELP: Final = "help"
REFRESH: Final = "refresh"
LIVE: Final = "live"
LINK: Final = "link"
GO: Final = "go "
"""What the names of commands begin with that lead to a page; its route follows."""


class Command(Action):
    """Keys were pressed, or a button or an entry of the palette was chosen, that stand for this."""

    name: str


class CopyText(Action):
    """Put a text on the clipboard, and say so."""

    text: str
