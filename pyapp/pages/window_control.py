"""The Live / Window control: one for every list, page and width (RT-4)."""

from __future__ import annotations

from pyapp.pages import formats
from pyapp.pages.listing import BackToLive, ListState, Range, ShiftWindow, ShowWindow
from pyapp.ui import TemplateResult, each, html, nothing
from pyapp.ui.components.controls import popover
from pyapp.ui.components.marks import icon, span

PRESETS = ((5, "5m"), (15, "15m"), (60, "1h"), (360, "6h"), (1440, "24h"), (10080, "7d"))
"""Minutes and words of the ranges that one press chooses; they end now, and stand still from then on (RT-4)."""


def window_control(panel: str, state: ListState) -> TemplateResult:
    """Live, or the window that is shown, with the popover that chooses another.

    Args:
        panel: the list's name in its page; the actions carry it.
        state: the list.
    """
    chosen = state.range
    name = f"window-{panel}"
    words = html(t"Window")
    if chosen:
        bounds = span(formats.iso(chosen.after), formats.iso(chosen.before), brief=True)
        words = html(t"{icon('g-window', small=True)}<span>{bounds}</span>")
    return html(
        t'<div class="seg small" role="group" aria-label="Live or window">'
        t'<button type="button" aria-pressed={_pressed(state.live)} @click={BackToLive(panel=panel)}>Live</button>'
        t'<button type="button" aria-pressed={_pressed(not state.live)} popovertarget={name} aria-haspopup="dialog">'
        t"{words}{icon('t-down', small=True)}</button></div>"
        t"{popover(name, 'Choose a time window', _form(panel, chosen))}"
    )


def _form(panel: str, chosen: Range | None) -> TemplateResult:
    after, before = (formats.iso(chosen.after), formats.iso(chosen.before)) if chosen else (None, None)
    minutes = chosen.length.total_seconds() / 60 if chosen else None
    presets = each(
        PRESETS,
        key=lambda preset: preset[0],
        render=lambda preset: html(
            t'<button type="button" data-minutes={preset[0]} aria-pressed={_pressed(preset[0] == minutes)}>{preset[1]}</button>'
        ),
        same=(minutes,),
    )
    return html(
        t"<pen-window after={after} before={before} @window={ShowWindow.on('after', 'before', panel=panel)}>"
        t'<form><div class="presets">{presets}</div>'
        t'<div class="two"><label class="field">From<span class="input">'
        t'<input type="datetime-local" step="1" name="after" required></span></label>'
        t'<label class="field">To<span class="input"><input type="datetime-local" step="1" name="before" required></span></label></div>'
        t'<p class="problem" role="alert" hidden></p>'
        t'<p class="note">Fixed when chosen. Nothing moves in this window until you refresh it. '
        t'Times are <span class="zone"></span>.</p>'
        t'<div class="row">{_neighbours(panel) if chosen else nothing}<span class="grow"></span>'
        t'{_back(panel) if chosen else nothing}<button type="submit" class="btn primary">Show window</button></div></form></pen-window>'
    )


def _neighbours(panel: str) -> TemplateResult:
    return html(
        t'<button type="button" class="btn quiet" @click={ShiftWindow(panel=panel, to="earlier")}>Earlier</button>'
        t'<button type="button" class="btn quiet" @click={ShiftWindow(panel=panel, to="later")}>Later</button>'
    )


def _back(panel: str) -> TemplateResult:
    return html(t'<button type="button" class="btn" @click={BackToLive(panel=panel)}>Back to live</button>')


def _pressed(chosen: bool) -> str:
    return "true" if chosen else "false"
