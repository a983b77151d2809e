"""Icons, status marks, numbers with units, ages: what a cell is made of.

Every status has a shape and a word; colour only repeats them. Icons come from one sprite that is part of the page.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyapp.ui.template import TemplateResult, html, nothing

_STATUS_WORDS = {
    "pending": "Pending",
    "queued": "Queued",
    "active": "Active",
    "retrying": "Retrying",
    "complete": "Complete",
    "failed": "Failed",
    "cancelled": "Cancelled",
}


def icon(name: str, *, small: bool = False) -> TemplateResult:
    """One symbol of the sprite. It says nothing to a screen reader: a word must stand beside it, or a label around it."""
    size = "i i-s" if small else "i"
    return html(t'<svg class="{size}" aria-hidden="true"><use href="#{name}"></use></svg>')


def status_word(status: str) -> str:
    """The word of a status; one that this version does not know is shown as the server wrote it."""
    return _STATUS_WORDS.get(status, status)


def status(name: str) -> TemplateResult:
    """A job's status: shape and word."""
    shape = f"s-{name if name in _STATUS_WORDS else 'pending'}"
    return html(t'<span class="st" data-st={name}>{icon(shape)}<span class="word">{status_word(name)}</span></span>')


def code(number: int) -> TemplateResult:
    """An HTTP status: below 400 calm, from 400 a warning, from 500 a failure."""
    kind = "complete" if number < 400 else "warn" if number < 500 else "failed"
    return html(t'<span class="st" data-st={kind}>{icon(f"s-{kind}")}{number}</span>')


def quantity(value: tuple[str, str]) -> TemplateResult:
    """Digits, and the unit in a slot of fixed width, so that a column lines up by its digits."""
    digits, unit = value
    if not unit:
        return html(t'<span class="dim">{digits}</span><span class="u fx"></span>')
    return html(t'{digits}<span class="u fx">{unit}</span>')


def figure(value: tuple[str, str]) -> TemplateResult:
    """A large number: its unit follows, smaller."""
    digits, unit = value
    return html(t'{digits}<span class="u">{unit}</span>')


def age(at: str | float | None, *, here: bool = False, plain: bool = False, until: bool = False) -> TemplateResult:
    """How long ago, ticking by itself: see `web/src/elements/age.mjs`.

    Args:
        at: ISO text or wall time in ms.
        here: `at` is of this machine's clock, not the server's (RT-55).
        plain: as text for a sentence, without a slot for the unit.
        until: how long it will take instead of how long ago it was.
    """
    return html(t"<pen-age at={at} ?here={here} ?plain={plain} ?until={until}></pen-age>")


def heard(at: float | None, of: str = "") -> TemplateResult:
    """How long ago this machine last heard of something, for a sentence. Below ten seconds it says so and stands still.

    Args:
        at: wall time in ms.
        of: the name of a moment that moves by itself (`Screen.set_moments`); it counts where it is later than `at`.
    """
    return html(t"<pen-age at={at} of={of or nothing} here plain calm></pen-age>")


def time(at: str | float | None, *, brief: bool = False) -> TemplateResult:
    """The time of day in the viewer's zone; `brief` leaves whole minutes without seconds."""
    return html(t"<pen-time at={at} ?brief={brief}></pen-time>")


def span(start: str | None, end: str | None, *, brief: bool = False) -> TemplateResult:
    """A range of time in the viewer's zone and words; `brief` leaves the weekday, and today's date."""
    return html(t"<pen-span from={start} to={end} ?brief={brief}></pen-span>")


def progress(percent: int) -> TemplateResult:
    """How far a job is, as a bar and a figure."""
    return html(
        t'<span class="prog"><progress max="100" value={percent} aria-label="Progress"></progress>'
        t'<span class="p">{percent}<span class="u fx">%</span></span></span>'
    )


def bones(widths: Sequence[str]) -> tuple[TemplateResult, ...]:
    """Cells of a row that is not there yet: `w1` to `w4` from short to long; an empty text leaves the cell empty."""
    return tuple(html(t'<span class="bone {width}"></span>') if width else html(t"") for width in widths)
