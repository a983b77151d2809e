"""The same template as text: for tests without a browser, for copying and for print.

What goes into an element's text and attributes is the same as in the browser, by the same rules (`values.py`).
Handlers and properties have no text and are left out, except what a reader of the page sees: `.value` becomes the
`value` attribute, or the text of a `<textarea>`, and `.checked` becomes `checked`. A `<select>` shows its choice only
if its options use `?selected`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from pyapp.ui.encode import Renderable
from pyapp.ui.errors import ListError
from pyapp.ui.scan import Hole, HoleKind
from pyapp.ui.template import Each, TemplateResult
from pyapp.ui.values import child_text, hole_value, interpolated, key_of, unknown_child

_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_ATTRIBUTE = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


def to_html(content: Renderable) -> str:
    """The HTML of a template.

    Raises:
        HoleError: a value that its hole cannot take, as at a paint.
        ListError: a list whose keys are not unique, or not keys.
    """
    text = _child(content, in_svg=isinstance(content, TemplateResult) and content.plan.kind == "svg", where="content")
    # A surrogate that stands alone is no text.
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _child(value: object, *, in_svg: bool, where: str) -> str:
    if isinstance(value, TemplateResult):
        if (value.plan.kind == "svg") is not in_svg:
            raise unknown_child(value, where, in_svg=in_svg)
        return _template(value)
    if isinstance(value, list | tuple):
        items = cast("Sequence[object]", value)
        return "".join(_child(item, in_svg=in_svg, where=where) for item in items)
    if isinstance(value, Each):
        return _each(cast("Each[Any]", value), in_svg=in_svg, where=where)
    text = child_text(value, where)
    return "" if text is None else str(text).translate(_TEXT)


def _each(shown: Each[Any], *, in_svg: bool, where: str) -> str:
    seen: set[str | int] = set()
    out: list[str] = []
    for item in shown.items:
        key = key_of(shown.key(item), where)
        if key in seen:
            raise ListError(f"Two rows of the list {{{where}}} have the key {key!r}: keys name one row each.")
        seen.add(key)
        out.append(_child(shown.render(item), in_svg=in_svg, where=where))
    return "".join(out)


def _template(result: TemplateResult) -> str:
    strings, holes = result.plan.strings, result.plan.holes
    out: list[str] = []
    position = 0  # where the next static text begins, behind an attribute that was written already
    attribute: list[str] = []
    inner = ""  # the text of a <textarea>, due behind its tag
    for index, (hole, part) in enumerate(zip(holes, result.template.interpolations, strict=True)):
        static = strings[index]
        value = interpolated(part)
        if hole.kind is HoleKind.CHILD:
            inner = _static(out, static[position:], inner)
            out.append(_child(value, in_svg=hole.in_svg, where=part.expression))
            position = 0
            continue
        wire = hole_value(hole, value, part.expression)
        if hole.kind is HoleKind.TEXT:
            inner = _static(out, static[position:], inner)
            out.append("" if wire is None else str(wire).translate(_TEXT))
            position = 0
            continue
        if hole.first:
            inner = _static(out, static[position : hole.start], inner)
            attribute = [hole.prefix]
        else:
            attribute.append(static)
        if hole.kind in (HoleKind.ATTRIBUTE, HoleKind.PART):
            attribute.append("" if wire is None else str(wire))
        position = 0
        if hole.last:
            if hole.tag == "textarea" and hole.kind is HoleKind.FIELD:
                inner = str(wire)
            else:
                out.append(_attribute(hole, wire, "".join(attribute), strings[index + 1]))
            position = hole.end
    _static(out, strings[-1][position:], inner)
    return "".join(out)


def _static(out: list[str], text: str, inner: str) -> str:
    """Writes static text, and `inner` behind the first tag that ends in it; returns what is still due."""
    if inner and ">" in text:
        tag, _, rest = text.partition(">")
        out.append(f"{tag}>{inner.translate(_TEXT)}{rest}")
        return ""
    out.append(text)
    return inner


def _attribute(hole: Hole, wire: Any, text: str, behind: str) -> str:
    shown = True
    match hole.kind:
        case HoleKind.BOOLEAN:
            shown = bool(wire)
            text = ""
        case HoleKind.FIELD:
            shown = bool(wire) and hole.tag != "select"
            text = "" if wire is True else str(wire)
        case HoleKind.ATTRIBUTE:
            shown = wire is not None
        case HoleKind.PART:
            suffix = behind[: hole.end]
            text += suffix[:-1] if suffix[-1:] in ('"', "'") else suffix
        case _:
            shown = False
    return f' {hole.name}="{text.translate(_ATTRIBUTE)}"' if shown else ""
