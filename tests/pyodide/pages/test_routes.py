from __future__ import annotations

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.pages.addresses import to
from pyapp.pages.protocol import Env, Page, Panel
from pyapp.pages.routes import ROUTES, Location, build, page_of, parse, pattern_of
from pyapp.pages.routes import given as names_of


def test_an_empty_address_is_the_overview() -> None:
    assert parse("").route == parse("#").route == parse("#/").route == "dashboard"


def test_filters_and_windows_are_in_the_address() -> None:
    location = parse("#/jobs?status=failed&after=2026-11-20T06:00:00Z&before=2026-11-20T07:00:00Z")
    assert location.route == "jobs"
    assert location.params["after"] == "2026-11-20T06:00:00Z"
    assert build(location) == "#/jobs?after=2026-11-20T06:00:00Z&before=2026-11-20T07:00:00Z&status=failed"


def test_a_route_that_there_is_not_has_no_page() -> None:
    assert page_of(parse("#/nowhere")) is None
    assert page_of(parse("#/jobs/job_1/more")) is None


def test_a_name_in_the_path_is_given_to_the_page_and_no_parameter_replaces_it() -> None:
    location = parse("#/workers/a%2Fb%20c?name=other&paused=1")
    assert pattern_of(location) == "workers/{name}"
    assert names_of(location) == {"name": "a/b c", "paused": "1"}
    assert build(location) == "#/workers/a%2Fb%20c?name=other&paused=1"
    assert pattern_of(parse("#/nowhere/at/all")) == "nowhere/at/all"


@given(st.text(min_size=1, max_size=12))
def test_a_link_leads_to_what_it_names(name: str) -> None:
    assert names_of(parse(to("workers", name))) == {"name": name}


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=20), max_size=4))
def test_parameters_survive_their_way_through_the_address(params: dict[str, str]) -> None:
    assert parse(build(Location("jobs", params))).params == params


@given(st.text(max_size=60))
def test_any_text_is_a_location(address: str) -> None:
    assert isinstance(parse(f"#{address}"), Location)


@pytest.mark.parametrize("page", ROUTES.values(), ids=ROUTES.keys())
def test_a_page_has_every_name_of_the_protocol(page: Page) -> None:
    for name, declared in inspect.getmembers(Page, inspect.isfunction):
        if not name.startswith("_"):
            wanted = [parameter for parameter in inspect.signature(declared).parameters if parameter != "self"]
            assert list(inspect.signature(getattr(page, name)).parameters) == wanted, name
    assert page.heading(page.initial({"name": "one"})).word


@pytest.mark.parametrize("page", ROUTES.values(), ids=ROUTES.keys())
def test_every_panel_has_a_root_in_the_layout_and_reads_needs_that_exist(page: Page) -> None:
    from page_fakes import elements

    from pyapp.ui import to_html

    named = {"name": "one", "key": "one"}
    state = page.initial({**named, "after": "2026-11-20T06:00:00Z", "before": "2026-11-20T07:00:00Z"})
    roots = [one.attributes["data-root"] for one in elements(to_html(page.layout(state, Env())), "div", **{"class": "root"})]
    assert sorted(roots) == sorted(f"panel {name}" for name in page.PANELS)
    chosen = page.initial({**named, "type": "each", "tab": "artifacts", "artifact": "a"})
    possible = {*page.needs(page.initial(named)), *page.needs(chosen), *page.needs(state)}
    for name, panel in page.PANELS.items():
        assert isinstance(panel, Panel)
        fixed = {need for need in panel.needs if not need.startswith("asked-")}
        assert fixed <= possible, name
