"""The APIs: who serves, the tree of routes, and the request log."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_fakes import LiveList, WindowData, draw, elements, request, result, words

from pyapp.contract.apis import Api, ApiDetail, Endpoint
from pyapp.core.cache.keys import item, live
from pyapp.core.cache.result import Result
from pyapp.pages import api as one_page
from pyapp.pages import apis as page
from pyapp.pages.apis_table import branches
from pyapp.pages.live_control import SetLive
from pyapp.pages.sorting import SortBy


def api(name: str, **fields: Any) -> Api:
    figures = {"endpoint_count": 2, "requests_24h": 100, "avg_latency_ms": 17.3, "error_rate": 1.0, "requests_per_min": 3.0}
    return Api.model_validate({"name": name, "active": True, "instance_count": 1, **figures, **fields})


def endpoint(path: str, method: str = "GET", **fields: Any) -> Endpoint:
    rates = ("error_rate", "success_rate", "client_error_rate", "server_error_rate", "requests_per_min")
    times = ("avg_latency_ms", "p50_latency_ms", "p95_latency_ms", "p99_latency_ms")
    counts = ("requests_24h", "status_2xx", "status_4xx", "status_5xx")
    return Endpoint.model_validate({"method": method, "path": path, **dict.fromkeys((*rates, *times, *counts), 0), **fields})


def listed(*apis: Api) -> dict[str, Result[Any]]:
    return {"apis": result(LiveList(apis, len(apis)))}


def names(drawn: str) -> list[str]:
    return [one.attributes["href"].rsplit("/", 1)[-1] for one in elements(drawn, "a", **{"class": "fn"})]


def lines(*endpoints: Endpoint) -> list[tuple[int, str, str]]:
    return [(one.depth, one.words, one.endpoint.method if one.endpoint else "") for one in branches(endpoints)]


def test_routes_are_a_tree_by_segment_and_what_only_leads_on_stands_in_one_line() -> None:
    assert lines(endpoint("/a/b/c"), endpoint("/a/b/d")) == [(0, "/a/b", ""), (1, "/c", "GET"), (1, "/d", "GET")]
    assert lines(endpoint("/items"), endpoint("/items/{id}", "DELETE")) == [(0, "/items", "GET"), (1, "/{id}", "DELETE")]
    assert lines(endpoint("/items", "POST"), endpoint("/items")) == [(0, "/items", ""), (1, "", "GET"), (1, "", "POST")]
    assert lines(endpoint("/")) == [(0, "/", "GET")]
    assert lines() == []


@given(st.lists(st.tuples(st.text("ab/{}", max_size=6), st.sampled_from(["GET", "POST"])), max_size=8, unique=True))
def test_every_endpoint_is_in_the_tree_once_under_a_key_of_its_own(pairs: list[tuple[str, str]]) -> None:
    tree = branches(endpoint(path, method) for path, method in pairs)
    assert sum(one.endpoint is not None for one in tree) == len(pairs)


def test_a_row_says_what_the_answer_says_and_without_a_request_there_is_no_rate() -> None:
    asked, quiet = api("shop", error_rate=6.2), api("new", requests_24h=0, avg_latency_ms=0, error_rate=0, active=False)
    drawn = draw(page.PANELS, "apis", page.initial({}), listed(asked, quiet))
    for text in ("shop", "17.3", "6.2", "Not serving", "2 APIs"):
        assert text in words(drawn), text
    assert elements(drawn, "td", **{"class": "num bad"})
    assert elements(drawn, "a", href="#/apis/shop")


def test_the_address_round_trips_and_what_there_is_not_is_said() -> None:
    for address in ({}, {"q": "sh"}, {"state": "inactive", "sort": "-errors"}, {"paused": "1"}):
        assert page.params(page.initial(address)) == address
    for wrong in ({"state": "gone"}, {"sort": "colour"}):
        assert page.initial(wrong).problem is not None
        assert page.params(page.initial(wrong)) == {}


def test_filters_and_order() -> None:
    fleet = listed(api("shop", error_rate=1), api("admin", error_rate=7), api("old", active=False, requests_24h=0))
    assert names(draw(page.PANELS, "apis", page.initial({"q": "SHO"}), fleet)) == ["shop"]
    assert names(draw(page.PANELS, "apis", page.initial({"state": "inactive"}), fleet)) == ["old"]
    worst = page.update(page.initial({}), SortBy(column="errors"))
    assert isinstance(worst, page.State)
    assert names(draw(page.PANELS, "apis", worst, fleet)) == ["admin", "shop", "old"]
    assert "No API is like that." in words(draw(page.PANELS, "apis", page.initial({"q": "zzz"}), fleet))
    assert "No API has been seen." in words(draw(page.PANELS, "apis", page.initial({}), listed()))
    cleared = page.update(page.initial({"q": "zzz"}), page.ClearFilters())
    assert isinstance(cleared, page.State)
    assert page.params(cleared) == {}


def test_one_api_needs_itself_and_its_requests_only() -> None:
    # RT-20
    state = one_page.initial({"name": "shop"})
    assert {name: need.key for name, need in one_page.needs(state).items()} == {
        "api": item("apis", "shop"),
        "requests": live("requests", api_name="shop"),
    }
    paused = one_page.update(state, SetLive(panel="routes", live=False))
    assert isinstance(paused, one_page.State)
    assert one_page.needs(paused)["api"].live is False
    assert one_page.params(paused) == {"paused": "1"}


def test_one_api_shows_its_figures_and_its_routes() -> None:
    detail = ApiDetail(
        api=api("shop", client_error_rate=3.2, server_error_rate=0.4, docs_url="javascript:alert(1)"),
        endpoints=(endpoint("/items", requests_24h=5, status_4xx=2), endpoint("/items/{id}", "DELETE")),
        total_endpoints=2,
    )
    read = {"api": result(detail)}
    summary = draw(one_page.PANELS, "summary", one_page.initial({"name": "shop"}), read)
    assert "3.2 % 4xx, 0.4 % 5xx" in words(summary)
    assert not elements(summary, "a"), "only a web address is a link"
    routes = draw(one_page.PANELS, "routes", one_page.initial({"name": "shop"}), read)
    assert [one.attributes["title"] for one in elements(routes, "td") if "title" in one.attributes] == ["/items", "/items/{id}"]


def test_an_unknown_name_that_is_answered_with_zeros_is_nobody() -> None:
    zeros = ApiDetail(api=api("nobody", active=False, instance_count=0, requests_24h=0), endpoints=(), total_endpoints=0)
    drawn = draw(one_page.PANELS, "summary", one_page.initial({"name": "nobody"}), {"api": result(zeros)})
    assert "No API is named nobody." in words(drawn)
    assert elements(drawn, "a", href="#/apis")


@pytest.mark.parametrize("live_list", [True, False])
def test_a_class_of_status_narrows_what_is_loaded_and_counts_it(*, live_list: bool) -> None:
    rows = (request(1, 200), request(2, 404), request(3, 503), request(4, 404))
    data = LiveList(rows, 900) if live_list else WindowData(rows, 4)
    bounds = {} if live_list else {"after": "2026-11-20T06:00:00Z", "before": "2026-11-20T07:00:00Z"}
    state = one_page.initial({"name": "demo", "status": "4xx", **bounds})
    drawn = draw(one_page.PANELS, "requests", state, {"requests": result(data)})
    assert len(elements(drawn, "tr")) == 3
    assert ("latest 2" if live_list else "2, read") in words(drawn)
    assert one_page.params(state)["status"] == "4xx"
    assert one_page.initial({"name": "demo", "status": "9xx"}).problem is not None
    chosen = one_page.update(state, one_page.ChooseStatus(status=None))
    assert isinstance(chosen, one_page.State)
    assert "status" not in one_page.params(chosen)
