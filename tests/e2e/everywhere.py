"""Every page of the console, by the table of routes: what concerns all of them must not forget the newest."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from conftest import Console, Server

from pyapp.inventory import VIEWS

WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 390, "height": 844}

_FIRST: Mapping[str, Callable[[Server], str]] = {
    "/jobs/{job_id}": lambda server: str(server.get("api/v1/jobs?limit=1")["jobs"][0]["id"]),
    "/functions/{key}": lambda server: str(server.get("api/v1/functions")["functions"][0]["key"]),
    "/apis/{name}": lambda server: str(server.get("api/v1/apis")["apis"][0]["name"]),
    "/workers/{name}": lambda server: str(server.get("api/v1/workers")["workers"][0]["name"]),
}
"""A thing that a page of one thing can show."""


def addresses(server: Server) -> dict[str, str]:
    """The hash of every page by its route; a page of one thing shows the first that the server has."""
    found: dict[str, str] = {}
    for view in VIEWS:
        path = view.route
        if "{" in path:
            path = f"{path[: path.index('{')]}{_FIRST[view.route](server)}"
        found[view.route] = f"#{path}"
    return found


def show(console: Console, address: str) -> None:
    """Go to a page and wait until its panels are there and none is loading."""
    console.page.evaluate("(hash) => { location.hash = hash; }", address)
    console.until(
        """(hash) => location.hash.split("?")[0] === hash.split("?")[0]
            && document.querySelector("main [data-panel]")
            && !document.querySelector("[data-freshness=loading]")""",
        address,
    )
