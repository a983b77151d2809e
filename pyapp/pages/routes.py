"""Which page a hash names: `#/jobs?status=failed` is the route `jobs` with its parameters.

A part of a route in braces stands for a name: `#/workers/w-1` is `workers/{name}`, and its page gets the name with the parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast
from urllib.parse import parse_qsl, unquote, urlencode

from pyapp.pages import api, apis, dashboard, function, functions, job, jobs, settings, worker, workers
from pyapp.pages.protocol import Page

DEFAULT: Final = "dashboard"

ROUTES: Final[Mapping[str, Page]] = {
    "dashboard": cast("Page", dashboard),
    "jobs": cast("Page", jobs),
    "jobs/{job_id}": cast("Page", job),
    "functions": cast("Page", functions),
    "functions/{key}": cast("Page", function),
    "apis": cast("Page", apis),
    "apis/{name}": cast("Page", api),
    "workers": cast("Page", workers),
    "workers/{name}": cast("Page", worker),
    "settings": cast("Page", settings),
}
"""The pages by their route. A module is a `Page` by its names, which the checker cannot see through a mapping: a test does."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where the address points.

    Attributes:
        route: the path as it is written, for example `jobs` or `workers/w-1`; the default one for an empty hash.
        params: the parameters; of a repeated one the last counts.
    """

    route: str
    params: Mapping[str, str] = field(default_factory=dict[str, str])


def parse(address: str) -> Location:
    """The location of `location.hash`. Anything is a location; `page_of` says whether there is a page."""
    path, _, query = address.removeprefix("#").partition("?")
    return Location(path.strip("/") or DEFAULT, dict(parse_qsl(query)))


def build(location: Location) -> str:
    """The hash of a location; equal locations give equal text."""
    query = urlencode(sorted(location.params.items()), safe=":,")
    return f"#/{location.route}?{query}" if query else f"#/{location.route}"


def page_of(location: Location) -> Page | None:
    """The page, or `None` where there is none: then the shell shows `not_found`."""
    found = _find(location.route)
    return ROUTES[found[0]] if found else None


def pattern_of(location: Location) -> str:
    """The route as the table names it, `workers/{name}`; the path itself where there is no page."""
    found = _find(location.route)
    return found[0] if found else location.route


def given(location: Location) -> dict[str, str]:
    """What the address tells its page: the parameters, and the names in the path, which nothing in the parameters replaces."""
    found = _find(location.route)
    return {**location.params, **(found[1] if found else {})}


def _find(route: str) -> tuple[str, dict[str, str]] | None:
    parts = route.split("/")
    for pattern in ROUTES:
        wanted = pattern.split("/")
        if len(wanted) != len(parts):
            continue
        pairs = list(zip(wanted, parts, strict=True))
        if all(part if want.startswith("{") else want == part for want, part in pairs):
            return pattern, {want[1:-1]: unquote(part) for want, part in pairs if want.startswith("{")}
    return None
