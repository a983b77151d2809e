"""A button that copies a longer text and says which: `<pen-copies>` takes it from around the button, and says that it was done."""

from __future__ import annotations

from pyapp.ui import TemplateResult, html, nothing
from pyapp.ui.components.marks import icon

COPIED_MAX = 256 * 1024
"""Longer texts have no button: the server has them, and a download."""


def copy_button(what: str, text: str) -> TemplateResult | None:
    """The button, quiet and beside what it copies; nothing where there is nothing to copy."""
    if not text or len(text) > COPIED_MAX:
        return nothing
    label = f"Copy {what}"
    return html(
        t'<span data-copy={text}><button type="button" class="copy" aria-label={label} title={label}>'
        t"{icon('t-copy', small=True)}</button></span>"
    )
