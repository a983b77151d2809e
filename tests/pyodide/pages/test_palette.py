"""The palette: what it finds, how one moves in it, and what it is for a screen reader."""

from __future__ import annotations

from page_fakes import elements, result, words, worker

from pyapp.contract.apis import Api
from pyapp.contract.functions import Function
from pyapp.core.cache.lists import LiveList
from pyapp.pages import findable, palette
from pyapp.pages.findable import Entry, found, job, pages
from pyapp.pages.palette import State, Step, Type, update, view
from pyapp.ui import to_html

FUNCTION = Function.model_validate({"key": "fn_1", "name": "resize_image", "type": "task", "active": True, "paused": False})
_FIGURES = ("instance_count", "endpoint_count", "requests_24h", "avg_latency_ms", "error_rate", "requests_per_min")
API = Api.model_validate({"name": "orders", "active": True, **dict.fromkeys(_FIGURES, 0)})
RESULTS = {
    "functions": result(LiveList((FUNCTION,), 1)),
    "workers": result(LiveList((worker("w-main", 1.0),), 1)),
    "apis": result(LiveList((API,), 1)),
}


def entries() -> list[Entry]:
    return [*pages(), *findable.things(RESULTS)]


def ids(query: str, *recent: str) -> list[str]:
    return [entry.id for entry in found(query, entries(), recent)]


def test_pages_functions_workers_and_apis_are_found_by_name_key_and_instance() -> None:
    assert ids("jobs")[0] == "page jobs"
    assert ids("resize")[0] == ids("fn_1")[0] == "function fn_1"
    assert ids("w-main_0")[0] == "worker w-main"
    assert ids("orders")[0] == "api orders"
    of = {entry.id: entry.address for entry in entries()}
    assert of["function fn_1"] == "#/functions/fn_1"
    assert of["worker w-main"] == "#/workers/w-main"
    assert of["api orders"] == "#/apis/orders"


def test_an_id_of_a_job_leads_to_its_page() -> None:
    assert found("job_00ff", entries(), ())[0] == job("job_00ff")
    assert job("a b/c").address == "#/jobs/a%20b%2Fc"
    uuid = "0b0c7f3e-1111-4222-8333-0123456789ab"
    assert found(f" {uuid} ", entries(), ())[0].address == f"#/jobs/{uuid}"
    # What may be one is offered last, behind everything that is called that.
    assert ids("fn_1") == ["function fn_1", "job fn_1"]
    assert ids("resize") == ["function fn_1"]


def test_without_a_query_the_recent_ones_are_first_and_nothing_is_there_twice() -> None:
    shown = ids("", "api orders", "job job_9", "worker gone", "page jobs")
    assert shown[:3] == ["api orders", "job job_9", "page jobs"]
    assert len(shown) == len(set(shown))
    assert "worker gone" not in shown


def test_of_equally_good_ones_the_recent_one_is_first() -> None:
    twins = [Entry("a", "Function", "send", "n-fn"), Entry("b", "Function", "send", "n-fn")]
    assert [entry.id for entry in found("send", twins, ())] == ["a", "b"]
    assert [entry.id for entry in found("send", twins, ("b",))] == ["b", "a"]


def test_arrows_go_around_the_ends_and_pages_stop_there() -> None:
    state = State(open=True)
    walked: list[int] = []
    for key in ("ArrowDown", "ArrowUp", "ArrowUp", "PageUp", "PageDown", "ArrowDown"):
        state = update(state, Step(key=key), 3)
        walked.append(state.at)
    assert walked == [1, 0, 2, 0, 2, 0]
    assert update(state, Step(key="ArrowDown"), 0) == state
    assert update(State(open=True, at=2), Type(value="x"), 3) == State(open=True, query="x")


def test_the_field_is_a_combobox_that_names_the_marked_option() -> None:
    drawn = to_html(view(State(open=True, at=1), found("", entries(), ())))
    field = elements(drawn, "input")[0].attributes
    options = elements(drawn, "li", role="option")
    assert field["role"] == "combobox"
    assert field["aria-controls"] == elements(drawn, "ul", role="listbox")[0].attributes["id"]
    assert field["aria-activedescendant"] == options[1].attributes["id"]
    assert [one.attributes["aria-selected"] for one in options[:3]] == ["false", "true", "false"]


def test_what_is_not_found_says_so_and_a_closed_palette_draws_no_entries() -> None:
    assert "Nothing is called that." in words(to_html(view(State(open=True, query="zzz"), ())))
    assert elements(to_html(view(State(), ())), "li") == []
    assert "still on their way" in words(to_html(view(State(open=True), pages(), waiting=True)))


def test_hostile_names_are_text() -> None:
    hostile = "<script>alert(1)</script>\u202e"
    drawn = to_html(view(State(open=True), [Entry("x", "Function", hostile, "n-fn", hostile)]))
    assert elements(drawn, "script") == []
    assert hostile in words(drawn)
    assert palette.option_id(0) in drawn
