"""What may go into a hole, and how it is said in JSON. The encoder and `to_html` agree because both come here.

| hole | takes | `None` | `True`, `False` |
|---|---|---|---|
| child | text, numbers, templates, lists, `each(…)` | nothing | nothing, so that `{failed and html(t"…")}` works |
| attribute | text, numbers | removes it | `true`, `false`, as ARIA has it |
| part of an attribute | text, numbers | empty | `true`, empty |
| `?boolean` | anything, by its truth | absent | |
| `.property` | any JSON | `null` | |
| `.style` | a dict of text and numbers | removes that declaration | |
| `@event` | an action, or `Action.on(…)` | no handler | `False`: no handler |

Numbers in text positions are written as Python writes them, so 5.0 is "5.0". Whole numbers beyond 2⁵³ become text,
because JavaScript would round them. NaN, infinities and everything else are errors: a time or a set has many ways to
be written, and the page must choose.
"""

from __future__ import annotations

import math
import re
from string.templatelib import Interpolation, convert
from typing import Any, Final, cast

from pyapp.ui.actions import Action, On, to_wire
from pyapp.ui.errors import HoleError, ListError
from pyapp.ui.scan import Hole, HoleKind

Wire = Any

_SAFE_INTEGER: Final = 2**53 - 1
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
# What a browser skips in an address before it looks for the scheme.
_SKIPPED = re.compile(r"[\x00-\x20]+")
_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", "blob"})
_DECLARATION = re.compile(r"--[^\s:;{}]+|-?[a-z][a-z-]*")


def interpolated(part: Interpolation[object]) -> object:
    """The value with its conversion (`!r`) and format (`:.1f`) applied."""
    value = part.value
    if part.conversion is not None:
        value = convert(value, part.conversion)
    if not part.format_spec:
        return value
    try:
        return format(value, part.format_spec)
    except (ValueError, TypeError) as error:
        raise HoleError(
            f"{{{part.expression}}} is a {type(value).__name__}, which does not take the format {part.format_spec!r}."
        ) from error


def child_text(value: object, where: str) -> str | int | None:
    """Text, a number or nothing, where a child may be."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str):
        return str.__str__(value)  # an enum's text, not its name
    if isinstance(value, int | float):
        return _number(value, where)
    raise unknown_child(value, where)


def hole_value(hole: Hole, value: object, where: str) -> Wire:
    """The JSON of a value in any hole but a child's.

    Raises:
        HoleError: the hole does not take it.
    """
    match hole.kind:
        case HoleKind.EVENT:
            return _handler(hole, value, where)
        case HoleKind.BOOLEAN:
            return bool(value)
        case HoleKind.PROPERTY:
            return _property(hole, value, where)
        case HoleKind.STYLE:
            return _style(value, where)
        case HoleKind.FIELD:
            return _field(hole, value, where)
        case HoleKind.TEXT:
            return child_text(value, where)
        case HoleKind.PART:
            return "" if value is None or value is False else _attribute(hole, value, where)
        case _:
            return None if value is None else _attribute(hole, value, where)


def key_of(key: object, where: str) -> str | int:
    """The key of a row.

    Raises:
        ListError: it is neither text nor a whole number.
    """
    if type(key) is str:
        return key
    if isinstance(key, str):
        return str.__str__(key)
    if isinstance(key, int) and not isinstance(key, bool):
        return int(key) if -_SAFE_INTEGER <= key <= _SAFE_INTEGER else str(int(key))
    raise ListError(f"A key of the list {{{where}}} is a {type(key).__name__}: give text or a whole number.")


def unknown_child(value: object, where: str, *, in_svg: bool | None = None) -> HoleError:
    """The error for a value that cannot be a child."""
    if in_svg is not None:
        here, kind = ("inside an <svg>", "svg") if in_svg else ("outside of an <svg>", "html")
        return HoleError(f'{{{where}}} stands {here}: make the template with {kind}(t"…").')
    if isinstance(value, Action | On):
        return HoleError(f"{{{where}}} is an action: write @click={{…}}.")
    if callable(value):
        return HoleError(f"{{{where}}} is a function: call it.")
    return HoleError(f"{{{where}}} is a {type(value).__name__}: {_advice(value)}.")


def _advice(value: object) -> str:
    name = type(value).__name__
    if name == "Template":
        return 'a t-string must go through html(t"…") or svg(t"…")'
    if name in ("datetime", "date", "time", "timedelta"):
        return "format it, the page decides how a time is written"
    if name in ("set", "frozenset", "dict", "generator", "map", "filter"):
        return "make a list of it, in an order"
    if name in ("bytes", "bytearray", "memoryview"):
        return "decode it"
    return "give text, a number, a template or a list of these"


def _number(value: float, where: str) -> str | int:
    if isinstance(value, int):
        return int(value) if -_SAFE_INTEGER <= value <= _SAFE_INTEGER else int.__repr__(value)
    if not math.isfinite(value):
        raise HoleError(f"{{{where}}} is {value}: decide what to show instead.")
    return float.__repr__(value)


def _attribute(hole: Hole, value: object, where: str) -> str | int:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = str.__str__(value)
        return safe_url(text) if hole.url else text
    if isinstance(value, int | float):
        return _number(value, where)
    raise HoleError(f"{{{where}}} in {hole.name!r} is a {type(value).__name__}: an attribute takes text and numbers.")


def safe_url(text: str) -> str:
    """The address, disarmed if it would run a script: `javascript:…` becomes `unsafe:javascript:…`."""
    scheme = _SCHEME.match(_SKIPPED.sub("", text))
    return text if scheme is None or scheme[1].lower() in _SCHEMES else f"unsafe:{text}"


def _handler(hole: Hole, value: object, where: str) -> Wire:
    if isinstance(value, Action | On):
        return to_wire(value)
    if value is None or value is False:
        return None
    if isinstance(value, type):
        raise HoleError(f"@{hole.name}={{{where}}} is a class: write an instance of an action, or its .on(…).")
    raise HoleError(f"@{hole.name}={{{where}}} is a {type(value).__name__}: handlers are data, give an Action.")


def _property(hole: Hole, value: object, where: str) -> Wire:
    if hole.url and isinstance(value, str):
        return safe_url(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _number(value, where)
    # Lists and dicts are looked at when the paint is made JSON of, and only then: they can be long.
    return value


def _style(value: object, where: str) -> dict[str, str | None]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise HoleError(f".style={{{where}}} is a {type(value).__name__}: give a dict such as {{'--width': '40%'}}.")
    out: dict[str, str | None] = {}
    for name, given in cast("dict[object, object]", value).items():
        if not isinstance(name, str) or not _DECLARATION.fullmatch(name):
            raise HoleError(f".style={{{where}}} has the name {name!r}: write it as CSS does, like 'background-color' or '--width'.")
        if given is None:
            continue
        if isinstance(given, bool) or not isinstance(given, str | int | float):
            raise HoleError(f".style={{{where}}} has a {type(given).__name__} as {name!r}: give text or a number.")
        out[name] = str.__str__(given) if isinstance(given, str) else str(_number(given, where))
    return out


def _field(hole: Hole, value: object, where: str) -> str | bool | None:
    if hole.name == "checked":
        return bool(value)
    if value is None:
        return ""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(_number(value, where))
    raise HoleError(f".value={{{where}}} is a {type(value).__name__}: a control takes text and numbers.")
