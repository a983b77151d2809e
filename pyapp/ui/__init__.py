"""The interface kit: templates of Python, drawn by lit-html in the browser.

A page needs five names, and its tests a sixth:

    from pyapp.ui import Action, each, html, nothing, svg
    from pyapp.ui import to_html

`Encoder`, `decode_action` and the errors are for who connects them with the browser. Of ours this package imports
`pyapp.numbers` and nothing else, and no JavaScript; it needs Python 3.14.
"""

from __future__ import annotations

from pyapp.ui.actions import Action, On, decode_action
from pyapp.ui.encode import Encoder, RenderStatistics, RootError
from pyapp.ui.errors import (
    ActionError,
    ActionMisuseError,
    HoleError,
    InvalidActionError,
    ListError,
    PaintError,
    TemplateError,
    UiError,
    UnknownActionError,
)
from pyapp.ui.template import Each, TemplateResult, each, html, nothing, svg
from pyapp.ui.to_html import to_html

__all__ = [
    "Action",
    "ActionError",
    "ActionMisuseError",
    "Each",
    "Encoder",
    "HoleError",
    "InvalidActionError",
    "ListError",
    "On",
    "PaintError",
    "RenderStatistics",
    "RootError",
    "TemplateError",
    "TemplateResult",
    "UiError",
    "UnknownActionError",
    "decode_action",
    "each",
    "html",
    "nothing",
    "svg",
    "to_html",
]
