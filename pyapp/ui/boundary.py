"""What a root shows when it could not be drawn."""

from __future__ import annotations

from pyapp.ui.template import TemplateResult, html


def boundary(details: str) -> TemplateResult:
    """One sentence, and the details folded away; `web/src/bridge/boundary.mjs` makes the same of a browser's error."""
    return html(
        t'<div class="boundary" role="alert"><p>This panel could not be drawn.</p>'
        t"<details><summary>Details</summary><pre>{details}</pre></details></div>"
    )
