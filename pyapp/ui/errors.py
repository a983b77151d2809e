"""The one tree of errors of the interface kit.

    UiError
    ├── TemplateError        a template that cannot be, found when it is first drawn
    ├── HoleError            a value that its hole cannot take
    ├── ListError            an `each` whose keys are not unique, or not keys
    ├── PaintError           what the browser reported about one root of a paint
    └── ActionError          an action that cannot be
        ├── ActionMisuseError     declared wrongly, found while the page is drawn
        ├── UnknownActionError    of a name that nobody declared
        └── InvalidActionError    whose arguments are not what its class says

All of them are a programmer's mistakes, except `PaintError`, `UnknownActionError` and `InvalidActionError`, which come
from the browser. Each text is one sentence that says what to do.
"""

from __future__ import annotations


class UiError(Exception):
    """What every error of the interface kit is."""


class TemplateError(UiError):
    """A template that cannot be: a hole in a place where no value may go, or markup that the policy of the page
    forbids.

    Attributes:
        strings: the template's static text, where there is one.
    """

    def __init__(self, message: str, strings: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.strings = strings


class HoleError(UiError, TypeError):
    """A value that its hole cannot take, for example a time that was not formatted."""


class ListError(UiError, ValueError):
    """An `each` whose keys are not unique, or neither text nor whole numbers."""


class PaintError(UiError):
    """What the browser reported about one root: it is not in the document, or could not be drawn."""


class ActionError(UiError):
    """An action that cannot be."""


class ActionMisuseError(ActionError, TypeError):
    """An action declared wrongly: an unknown field, or a required one that nobody gives."""


class UnknownActionError(ActionError, LookupError):
    """An action of a name that nobody declared."""


class InvalidActionError(ActionError, ValueError):
    """An action whose text or arguments are not what its class says."""
