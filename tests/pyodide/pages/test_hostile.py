"""Hostile text in every field of every page is shown as text: it makes no element, no attribute, no address, and nothing raises."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hostile import CONTROL, MARKUP, TEXTS, Answers, as_json
from page_fakes import ENV, elements, words
from pydantic import BaseModel

from pyapp.contract import apis, artifacts, dashboard, functions, jobs, workers
from pyapp.core.client import Client
from pyapp.core.testing import FakeHttp, FakeSources, FakeVisibility, VirtualClock
from pyapp.inventory import mutation_specs, query_specs, stream_specs
from pyapp.pages.routes import ROUTES, given, parse
from pyapp.reducers import REDUCERS
from pyapp.ui import to_html

ANSWERS: tuple[tuple[str, type[BaseModel]], ...] = (
    (r"jobs", jobs.JobsPage),
    (r"jobs/stats", jobs.JobsStats),
    (r"jobs/trends", jobs.JobTrends),
    (r"jobs/[^/]+/artifacts", artifacts.ArtifactsPage),
    (r"jobs/[^/]+/timeline", jobs.Timeline),
    (r"jobs/[^/]+", jobs.Job),
    (r"functions", functions.FunctionsPage),
    (r"functions/[^/]+", functions.FunctionDetail),
    (r"workers", workers.WorkersPage),
    (r"apis", apis.ApisPage),
    (r"apis/events", apis.RequestsPage),
    (r"apis/trends", apis.ApiTrends),
    (r"apis/[^/]+", apis.ApiDetail),
    (r"dashboard/stats", dashboard.DashboardStats),
)


def plain(text: str) -> str:
    """A harmless text of the same length and the same path segments, which a tree of routes shows as branches."""
    return re.sub("[^/]", "p", text, flags=re.DOTALL)


WINDOW = "after=2026-11-20T06:00:00Z&before=2026-11-20T08:00:00Z"


def answer_to(path: str, answers: Answers) -> str:
    """The hostile answer of an endpoint; a new endpoint must be named above."""
    model = next((model for pattern, model in ANSWERS if re.fullmatch(pattern, path)), None)
    assert model is not None, f"no model is named for the answers of {path}"
    more = {"has_more": False, "next_cursor": None} if "has_more" in model.model_fields else {}
    return as_json(answers.of(model, **{name: value for name, value in more.items() if name in model.model_fields}))


def drawn(route: str, text: str, query: Callable[[str], str] = lambda _: "") -> dict[str, str]:
    """Every panel of a page as HTML, with that text in its path, its parameters and every answer."""
    clock, http = VirtualClock(creep_ms=0.001), FakeHttp()
    client = Client(
        clock=clock,
        sources=FakeSources(),
        http=http,
        visibility=FakeVisibility(),
        random=random.Random(1),
        queries=query_specs(REDUCERS),
        streams=stream_specs(),
        mutations=mutation_specs(),
    )
    safe = quote(text.encode("utf-8", "replace"), safe="")[:3_000]
    page = ROUTES[route]
    state = page.initial(given(parse(f"#/{re.sub(r'{.*?}', safe, route)}?{query(safe)}")))
    needs = page.needs(state)
    for need in needs.values():
        client.use_query(need.key, lambda result: None, live=need.live)
    answers = Answers(text)
    for _ in range(4):
        clock.advance(200)
        for pending in http.waiting:
            pending.reply(answer_to(pending.request.url.partition("?")[0], answers))
    clock.advance(200)
    results = {name: client.peek(need.key) for name, need in needs.items()}
    assert [name for name, result in results.items() if result is None or not result.has_data] == []
    panels = {
        name: to_html(panel.view(state, {need: found for need in panel.needs if (found := results.get(need))}, ENV))
        for name, panel in page.PANELS.items()
    }
    return {**panels, "layout": to_html(page.layout(state, ENV)), "heading": str(page.heading(state))}


def shape(text: str) -> list[tuple[str, ...]]:
    """The elements of a page and the names of their attributes: what no data may change."""
    return [(one.tag, *one.attributes) for one in elements(text)]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("route", ROUTES)
def test_no_text_of_the_server_makes_an_element_or_an_address(route: str, text: str) -> None:
    harmless, hostile = drawn(route, plain(text)), drawn(route, text)
    for name in harmless.keys() - {"heading"}:
        assert shape(hostile[name]) == shape(harmless[name]), name
        for link in elements(hostile[name], "a"):
            assert link.attributes["href"].startswith(("#", "http://", "https://")), name


@pytest.mark.parametrize("route", [route for route in ROUTES if route != "settings"])
def test_the_text_is_there_to_be_read(route: str) -> None:
    shown = drawn(route, MARKUP)
    assert any(MARKUP in words(panel) for name, panel in shown.items() if name != "heading")


@pytest.mark.parametrize("text", [MARKUP, CONTROL], ids=["markup", "control"])
@pytest.mark.parametrize("route", ROUTES)
def test_no_text_of_the_address_makes_an_element(route: str, text: str) -> None:
    def query(safe: str) -> str:
        names = ("q", "function", "worker", "type", "state", "status", "sort", "minutes", "runbook", "paused", "tab")
        return "&".join(f"{name}={safe}" for name in names)

    harmless, hostile = drawn(route, plain(text), query), drawn(route, text, query)
    for name in harmless.keys() - {"heading"}:
        assert {one.tag for one in elements(hostile[name])} <= {one.tag for one in elements(harmless[name])} | {"br", "button", "span"}


@pytest.mark.parametrize("route", ["jobs", "functions/{key}", "apis/{name}"])
def test_a_window_of_hostile_rows_is_as_safe(route: str) -> None:
    harmless, hostile = (drawn(route, text, lambda _: WINDOW) for text in (plain(MARKUP), MARKUP))
    for name in harmless.keys() - {"heading"}:
        assert shape(hostile[name]) == shape(harmless[name]), name
