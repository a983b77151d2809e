"""Live / Pause, for panels without a history to choose a window from: the same words on every page (RT-5)."""

from __future__ import annotations

from pyapp.ui import Action, TemplateResult
from pyapp.ui.components.controls import Choice, segments


class SetLive(Action):
    """Let a panel go on, or stop it where it is."""

    panel: str
    live: bool


def live_control(panel: str, *, live: bool) -> TemplateResult:
    """What is asked for: beside it stands what was measured."""
    return segments(
        "Live or pause",
        [
            Choice("Live", live, SetLive(panel=panel, live=True)),
            Choice("Pause" if live else "Paused", not live, SetLive(panel=panel, live=False)),
        ],
    )
