"""APIs and their routes as rows: the list, and the routes of one as a tree of path segments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pyapp.contract.apis import Api, Endpoint
from pyapp.pages import addresses, figures, formats
from pyapp.pages.formats import Quantity
from pyapp.pages.rows import Column, Table
from pyapp.pages.sorting import Sort
from pyapp.ui import TemplateResult, html, nothing
from pyapp.ui.components.marks import icon, quantity

Serving = Literal["active", "inactive"]

SERVING: tuple[Serving, ...] = ("active", "inactive")
SERVING_WORDS: Mapping[Serving, str] = {"active": "Active", "inactive": "Not serving"}
_SHAPES: Mapping[Serving, str] = {"active": "complete", "inactive": "warn"}

COLUMNS: Final = (
    Column("State", "w8 w-st", "w4", sort="state"),
    Column("API", "", "w2", sort="api"),
    Column("Instances", "w7 num p2", "w2", sort="instances"),
    Column("Routes", "w6 num p2", "w2", sort="routes"),
    Column("Requests, 24 h", "w8 num p1", "w3", sort="requests"),
    Column("Per minute", "w7 num p3", "w3", sort="rate"),
    Column("Latency", "w6 num w-age", "w3", sort="latency"),
    Column("Errors", "w6 num w-time", "w2", sort="errors"),
)
LARGEST_FIRST: Final = frozenset({"instances", "routes", "requests", "rate", "latency", "errors"})
DEFAULT_SORT = Sort(column="api")

_ROUTES: Final = (
    Column("Route", "", "w2"),
    Column("Requests, 24 h", "w8 num p1", "w3"),
    Column("Per minute", "w7 num p3", "w3"),
    Column("Mean", "w6 num w-age", "w3"),
    Column("p95", "w6 num p2", "w3"),
    Column("4xx", "w5 num p2", "w2"),
    Column("5xx", "w5 num p2", "w2"),
    Column("Errors", "w6 num w-time", "w2"),
)
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def serving(api: Api) -> Serving:
    """Whether any instance of it is heard of."""
    return "active" if api.active else "inactive"


def state_mark(api: Api) -> TemplateResult:
    """Shape and word."""
    state = serving(api)
    kind = _SHAPES[state]
    return html(t'<span class="st" data-st={kind}>{icon(f"s-{kind}")}<span class="word">{SERVING_WORDS[state]}</span></span>')


def errors(requests: int, rate: float) -> Quantity:
    """The rate of errors; without a request there is none."""
    return formats.percent(rate) if requests else formats.NO_QUANTITY


def errors_level(requests: int, rate: float) -> str:
    """`bad` or `warn` where the rate is out of the ordinary."""
    return figures.errors_level(rate) if requests else ""


KEYS: Final[Mapping[str, Callable[[Api], Any]]] = {
    "state": lambda one: one.active,
    "api": lambda one: one.name.casefold(),
    "instances": lambda one: one.instance_count,
    "routes": lambda one: one.endpoint_count,
    "requests": lambda one: one.requests_24h,
    "rate": lambda one: one.requests_per_min,
    "latency": lambda one: one.avg_latency_ms if one.requests_24h else None,
    "errors": lambda one: one.error_rate if one.requests_24h else None,
}


def name_of(api: Api) -> str:
    return api.name


def apis_table(sort: Sort, left: frozenset[str] = frozenset()) -> Table[Api]:
    """Every API with the figures of its last day."""

    def row(one: Api) -> TemplateResult:
        gone = "left" if one.name in left else nothing
        asked = one.requests_24h
        return html(
            t"<tr class={gone}><td>{state_mark(one)}</td>"
            t'<td><a class="fn" href={addresses.to("apis", one.name)}><bdi>{one.name}</bdi></a>'
            t'<span class="sub-line">{formats.plural(asked, "request")}</span></td>'
            t'<td class="num p2">{formats.count(one.instance_count)}</td><td class="num p2">{formats.count(one.endpoint_count)}</td>'
            t'<td class="num p1">{formats.count(asked)}</td>'
            t'<td class="num p3">{formats.figures(one.requests_per_min)}</td>'
            t'<td class="num">{quantity(_latency(asked, one.avg_latency_ms))}</td>'
            t'<td class="num {errors_level(asked, one.error_rate)}">{quantity(errors(asked, one.error_rate))}</td></tr>'
        )

    return Table("apis", "APIs", COLUMNS, key=name_of, render=row, bones=4, sort=sort)


def _latency(requests: int, ms: float | None) -> Quantity:
    return formats.duration(ms) if requests else formats.NO_QUANTITY


# -- Routes as a tree -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Node:
    children: dict[str, _Node] = field(default_factory=dict[str, "_Node"])
    endpoints: list[Endpoint] = field(default_factory=list[Endpoint])


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of the tree: a part of a path, and the endpoint that ends there, if one does.

    Attributes:
        path: from the root to here.
        words: what the line shows: the segments that only lead here stand in it together.
        depth: how far it is indented.
        endpoint: the method that ends here; `None` for a line that only leads on.
    """

    path: str
    words: str
    depth: int
    endpoint: Endpoint | None

    @property
    def key(self) -> str:
        return f"{self.endpoint.method if self.endpoint else ''} {self.path}"


def branches(endpoints: Iterable[Endpoint]) -> tuple[Branch, ...]:
    """The endpoints as a tree by path segment, from top to bottom.

    A path is a line; its methods are lines under it, unless it has one only. Segments that lead to one place stand in one line.
    """
    root = _Node()
    for endpoint in endpoints:
        node = root
        for segment in endpoint.path.strip("/").split("/"):
            node = node.children.setdefault(segment, _Node())
        node.endpoints.append(endpoint)
    return tuple(_walk(root, "", 0))


def _walk(node: _Node, path: str, depth: int) -> Iterable[Branch]:
    for segment, child in sorted(node.children.items()):
        words, here, inner = f"/{segment}", f"{path}/{segment}", child
        while not inner.endpoints and len(inner.children) == 1:
            ((more, inner),) = inner.children.items()
            words, here = f"{words}/{more}", f"{here}/{more}"
        ordered = sorted(inner.endpoints, key=lambda one: (_METHODS.index(one.method) if one.method in _METHODS else 99, one.method))
        if len(ordered) == 1:
            yield Branch(here, words, depth, ordered[0])
        else:
            yield Branch(here, words, depth, None)
            for endpoint in ordered:
                yield Branch(here, "", depth + 1, endpoint)
        yield from _walk(inner, here, depth + 1)


def routes_table() -> Table[Branch]:
    """The routes of one API; a line that only leads on has no figures."""

    def row(line: Branch) -> TemplateResult:
        # A width through the CSSOM: the policy allows no style attribute.
        indent = {"--depth": str(line.depth)}
        method = html(t'<span class="method">{line.endpoint.method}</span>') if line.endpoint else nothing
        name = html(t'<span class="branch" .style={indent}><bdi class="mono">{line.words}</bdi>{method}</span>')
        return html(t"<tr><td title={line.path}>{name}</td>{_figures(line.endpoint)}</tr>")

    return Table("routes", "Routes", _ROUTES, key=lambda line: line.key, render=row, bones=6)


def _figures(one: Endpoint | None) -> TemplateResult:
    if one is None:
        return html(
            t'<td class="p1"></td><td class="p3"></td><td></td><td class="p2"></td><td class="p2"></td><td class="p2"></td><td></td>'
        )
    asked = one.requests_24h
    # A real server of part A says 0 for percentiles that it does not work out.
    slow = one.p95_latency_ms if one.p95_latency_ms > 0 else None
    return html(
        t'<td class="num p1">{formats.count(asked)}</td><td class="num p3">{formats.figures(one.requests_per_min)}</td>'
        t'<td class="num">{quantity(_latency(asked, one.avg_latency_ms))}</td><td class="num p2">{quantity(_latency(asked, slow))}</td>'
        t'<td class="num p2">{_count(one.status_4xx)}</td><td class="num p2">{_count(one.status_5xx)}</td>'
        t'<td class="num {errors_level(asked, one.error_rate)}">{quantity(errors(asked, one.error_rate))}</td>'
    )


def _count(number: int) -> TemplateResult:
    return html(t"{formats.count(number)}") if number else html(t'<span class="dim">0</span>')
