"""A share of a whole as a ring, in SVG: how much is taken, and the figure in its middle."""

from __future__ import annotations

from pyapp.numbers import count
from pyapp.ui.template import TemplateResult, html, nothing, svg

_RADIUS = 42.0
_AROUND = 100.0
"""The ring is measured in hundredths (`pathLength`), so that a share is a length."""
_SLIM = 1.0
"""The least that a share above nothing shows: one of a thousand must be seen."""


def donut(label: str, taken: int, whole: int, *, fill: str = "active") -> TemplateResult:
    """A ring.

    Args:
        label: what it shows, in words, for who cannot see it.
        taken, whole: the share; where there is no whole the ring is empty.
        fill: the style sheet's `a-…` class.
    """
    share = _AROUND * min(1.0, taken / whole) if whole > 0 else 0.0
    length = max(_SLIM, share) if taken > 0 and whole > 0 else 0.0
    arc = (
        svg(
            t'<circle class="arc a-{fill}" cx="50" cy="50" r="{_RADIUS:g}" pathLength="100" '
            t'stroke-dasharray="{length:.2f} 100" transform="rotate(-90 50 50)"></circle>'
        )
        if length
        else nothing
    )
    return html(
        t'<svg class="donut" role="img" aria-label={label} viewBox="0 0 100 100">'
        t'<circle class="arc" cx="50" cy="50" r="{_RADIUS:g}"></circle>{arc}'
        t'<text class="big" x="50" y="50" text-anchor="middle">{count(taken)}</text>'
        t'<text x="50" y="66" text-anchor="middle">of {count(whole)}</text></svg>'
    )
