"""Pausing and resuming many functions: what it makes sense for, and the bar. Neither loses anything, so neither is asked for twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pyapp.contract.functions import Function
from pyapp.pages import selecting, switching
from pyapp.pages.protocol import Effect, OfShown
from pyapp.pages.selecting import MANY_MAX, Act, Batch, Selected
from pyapp.pages.switching import Switch
from pyapp.ui import TemplateResult

PANEL: Final = "functions"


class SwitchMany(OfShown):
    """Pause or resume was pressed for what is selected."""

    paused: bool


def meant(rows: Iterable[Function], selected: Selected, asked: switching.Asked, *, paused: bool) -> list[Function]:
    """The selected functions that it would change; what was asked of one and has not happened yet is not asked again."""
    fitting = (one for one in rows if one.key in selected and one.paused is not paused and not switching.find(asked, one))
    return list(fitting)[:MANY_MAX]


def start(asked: switching.Asked, functions: Sequence[Function], *, paused: bool) -> tuple[switching.Asked, Batch, tuple[Effect, ...]]:
    """Ask it of each; the coordinator sends a few at a time."""
    effects: list[Effect] = []
    for one in functions:
        asked, effect = switching.ask(asked, Switch(key=one.key, paused=paused))
        effects.append(effect)
    batch = selecting.begin(switching.MUTATIONS[paused], "Pause" if paused else "Resume", (one.key for one in functions))
    return asked, batch, tuple(effects)


def bar(rows: Sequence[Function], selected: Selected, asked: switching.Asked, batch: Batch | None) -> TemplateResult:
    """What is selected and what can be done with it."""
    acts = (
        Act("Pause", "t-pause", len(meant(rows, selected, asked, paused=True)), SwitchMany(panel=PANEL, paused=True)),
        Act("Resume", "t-play", len(meant(rows, selected, asked, paused=False)), SwitchMany(panel=PANEL, paused=False)),
    )
    return selecting.bar("function", selected, (one.key for one in rows), acts, batch)
