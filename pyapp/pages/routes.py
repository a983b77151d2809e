"""Which page a hash names: `#/jobs?status=failed` is the route `jobs` with its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast
from urllib.parse import parse_qsl, urlencode

from pyapp.pages import dashboard, jobs
from pyapp.pages.protocol import Page

DEFAULT: Final = "dashboard"

ROUTES: Final[Mapping[str, Page]] = {
    "dashboard": cast("Page", dashboard),
    "jobs": cast("Page", jobs),
}
"""The pages by their route. A module is a `Page` by its names, which the checker cannot see through a mapping: a test does."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where the address points.

    Attributes:
        route: the path, for example `jobs`; the default one for an empty hash.
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
    return ROUTES.get(location.route)
