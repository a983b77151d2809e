"""Templates: the static text of a t-string, classified once, and the values of one evaluation.

`html(t"…")` and `svg(t"…")` carry a plan and the values. The plan belongs to the *kind and the strings*: two call
sites with equal text share one plan, one id, and one template in the browser. Python gives the same `strings` object
at each evaluation of a call site, so finding the plan is one look into a dictionary.

What a hole may be is in `scan.py`; what a value may be is in `encode.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from string.templatelib import Template
from typing import Final, Literal

from pyapp.ui.errors import TemplateError
from pyapp.ui.scan import Hole, scan

Kind = Literal["html", "svg"]

nothing: Final = None
"""What draws nothing: an absent child, an absent attribute, no handler."""

_SITES_MAX = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """One template as the browser knows it."""

    id: int
    kind: Kind
    strings: tuple[str, ...]
    holes: tuple[Hole, ...]


class TemplateResult:
    """A template with the values of one evaluation. Only `html` and `svg` make them."""

    __slots__ = ("plan", "template")

    def __init__(self, plan: Plan, template: Template) -> None:
        self.plan = plan
        self.template = template

    def __repr__(self) -> str:
        return f"<{self.plan.kind} template {self.plan.id}: {'{}'.join(self.plan.strings).strip()[:60]!r}>"


class Each[T]:
    """A keyed list; see `each`."""

    __slots__ = ("items", "key", "recycle", "render", "same")

    def __init__(
        self,
        items: Iterable[T],
        key: Callable[[T], str | int],
        render: Callable[[T], object],
        same: tuple[object, ...],
        recycle: bool,
    ) -> None:
        self.items = items
        self.key = key
        self.render = render
        self.same = same
        self.recycle = recycle


def each[T](
    items: Iterable[T],
    key: Callable[[T], str | int],
    render: Callable[[T], TemplateResult | str | None],
    same: tuple[object, ...] = (),
    *,
    recycle: bool = False,
) -> Each[T]:
    """A list whose rows keep their elements when they move.

    A row is drawn again only when its item is another object than at the last paint of this list, or when `same`
    changed. So items must be values that are replaced and never changed in place, and everything else that `render`
    reads belongs into `same`.

    Args:
        items: the items in their order.
        key: what names an item; text or a whole number, unique in this list.
        render: draws one item.
        same: what the rows depend on besides their items, for example the id of the selected one.
        recycle: when more than half of the rows are new at once, and nobody is in the list, draw them into the elements that are
            there. Much cheaper for a list that streams by; only for rows whose elements hold nothing of their own (no open
            `<details>`, no text that somebody types).
    """
    return Each(items, key, render, same, recycle)


_plans: Final[list[Plan]] = []
_by_text: Final[dict[tuple[Kind, tuple[str, ...]], Plan]] = {}
# By the identity of the strings. The strings are kept here too: an id is only good as long as its object lives.
_html_sites: Final[dict[int, tuple[tuple[str, ...], Plan]]] = {}
_svg_sites: Final[dict[int, tuple[tuple[str, ...], Plan]]] = {}


def html(template: Template) -> TemplateResult:
    """A piece of HTML: `html(t"<td>{job.name}</td>")`.

    Raises:
        TemplateError: at the first evaluation, when a hole is where no value may go.
    """
    try:
        site = _html_sites[id(template.strings)]
    except KeyError, AttributeError:
        site = _site("html", _html_sites, template)
    return TemplateResult(site[1], template)


def svg(template: Template) -> TemplateResult:
    """A piece of SVG that goes *inside* an `<svg>` element of an `html` template.

    Raises:
        TemplateError: at the first evaluation, when a hole is where no value may go.
    """
    try:
        site = _svg_sites[id(template.strings)]
    except KeyError, AttributeError:
        site = _site("svg", _svg_sites, template)
    return TemplateResult(site[1], template)


def _site(kind: Kind, sites: dict[int, tuple[tuple[str, ...], Plan]], template: Template) -> tuple[tuple[str, ...], Plan]:
    if not _is_template(template):
        raise TemplateError(f'{kind} takes a t-string, {kind}(t"…"), and this is a {type(template).__name__}.')
    text = template.strings
    plan = _by_text.get((kind, text))
    if plan is None:
        plan = Plan(len(_plans), kind, text, scan(text, svg=kind == "svg"))
        _plans.append(plan)
        _by_text[kind, text] = plan
    if len(sites) >= _SITES_MAX:
        # Templates that are put together at run time have new strings each time; they must not be kept for ever.
        sites.clear()
    site = sites[id(text)] = (text, plan)
    return site


def _is_template(given: object) -> bool:
    return isinstance(given, Template)


def plan_of(number: int) -> Plan:
    """The plan with this id."""
    return _plans[number]
