"""The workers: who is heard of, what they run, and what the page says where there is nobody."""

from __future__ import annotations

from typing import Any

import pytest
from page_fakes import ENV, LiveList, draw, elements, result, words, worker

from pyapp.contract.workers import Worker
from pyapp.core.cache.result import Result
from pyapp.core.errors import HttpError
from pyapp.core.freshness import FreshnessReason as Why
from pyapp.core.freshness import FreshnessState as State
from pyapp.pages import worker as one_page
from pyapp.pages import workers as page
from pyapp.pages.fleet import fleet_of, stale_ids
from pyapp.pages.live_control import SetLive
from pyapp.pages.panel import Reload
from pyapp.pages.protocol import Refresh
from pyapp.pages.sorting import SortBy


def busy(name: str, *ages_s: float, running: int = 2, failed: int = 1) -> Worker:
    made = worker(name, *ages_s)
    change: dict[str, Any] = {"active_jobs": running, "jobs_processed": 40, "jobs_failed": failed, "hostname": f"host-of-{name}"}
    return made.model_copy(update={"instances": tuple(one.model_copy(update=change) for one in made.instances), "functions": ("f_1",)})


def listed(*workers: Worker) -> dict[str, Result[Any]]:
    return {"workers": result(LiveList(workers, len(workers)))}


def names(drawn: str) -> list[str]:
    return [words(f"<i>{one.attributes['href']}</i>").rsplit("/", 1)[-1] for one in elements(drawn, "a", **{"class": "fn"})]


def test_a_silent_instance_is_stale_and_what_it_ran_is_not_counted() -> None:
    # RT-55: by the server's clock
    mixed = busy("mixed", 1, 31)
    fleet = fleet_of(mixed, stale_ids([mixed], ENV.now_ms))
    assert (fleet.state, fleet.instances, fleet.stale, fleet.running, fleet.capacity) == ("partly", 2, 1, 2, 4)
    silent = busy("silent", 31, 32)
    assert fleet_of(silent, stale_ids([silent], ENV.now_ms)).state == "stale"
    assert fleet_of(worker("gone"), frozenset()).state == "stopped"
    assert fleet_of(busy("fresh", 29), stale_ids([busy("fresh", 29)], ENV.now_ms)).state == "ready"


def test_a_row_says_what_the_answer_says() -> None:
    drawn = draw(page.PANELS, "workers", page.initial({}), listed(busy("billing", 1, 2)))
    assert elements(drawn, "a", href="#/workers/billing")
    said = words(drawn)
    for text in ("Ready", "billing", "2 instances", "4of 8", "80"):
        assert text in said, text
    assert elements(drawn, "svg", aria_label="Running: 4 of 8")


def test_a_name_is_quoted_in_its_link_and_shown_as_it_is() -> None:
    drawn = draw(page.PANELS, "workers", page.initial({}), listed(busy("a/b <i>", 1)))
    assert elements(drawn, "a", href="#/workers/a%2Fb%20%3Ci%3E")
    assert "a/b <i>" in words(drawn)


def test_columns_sort_both_ways_and_figures_begin_with_the_largest() -> None:
    state = page.initial({})
    fleet = listed(busy("b", 1, running=1), busy("a", 1, running=3), busy("c", 1, running=2))
    assert names(draw(page.PANELS, "workers", state, fleet)) == ["a", "b", "c"]
    running = page.update(state, SortBy(column="running"))
    assert isinstance(running, page.State)
    assert names(draw(page.PANELS, "workers", running, fleet)) == ["a", "c", "b"]
    assert page.params(running) == {"sort": "-running"}
    again = page.update(running, SortBy(column="running"))
    assert isinstance(again, page.State)
    assert names(draw(page.PANELS, "workers", again, fleet)) == ["b", "c", "a"]
    heads = [one.attributes.get("aria-sort") for one in elements(draw(page.PANELS, "workers", again, fleet), "th")]
    assert heads.count("ascending") == 1
    assert page.update(state, SortBy(column="colour")) == state


def test_what_needs_somebody_is_first_when_sorted_by_state() -> None:
    state = page.initial({"sort": "state"})
    fleet = listed(busy("ready", 1), busy("stale", 60), busy("partly", 1, 60), worker("gone"))
    assert names(draw(page.PANELS, "workers", state, fleet)) == ["stale", "partly", "gone", "ready"]


def test_the_address_round_trips_and_a_column_that_there_is_not_is_said() -> None:
    for address in ({}, {"q": "host-3"}, {"sort": "-failed", "paused": "1"}):
        assert page.params(page.initial(address)) == address
    wrong = page.initial({"sort": "colour"})
    assert wrong.problem is not None
    assert page.params(wrong) == {}


def test_the_search_looks_at_names_instances_and_hosts() -> None:
    fleet = listed(busy("billing", 1), busy("mail", 1))
    for text in ("BILL", "billing_0", "host-of-billing"):
        assert names(draw(page.PANELS, "workers", page.initial({"q": text}), fleet)) == ["billing"]
    nothing = draw(page.PANELS, "workers", page.initial({"q": "nobody"}), fleet)
    assert "No worker has “nobody” in it." in words(nothing)
    assert elements(nothing, "button", **{"class": "btn"})


@pytest.mark.parametrize("module", [page, one_page])
def test_pausing_keeps_the_data_and_gives_the_stream_up(module: Any) -> None:
    # RT-5
    state = module.update(module.initial({"name": "a"}), SetLive(panel="workers", live=False))
    assert module.needs(state)["workers"].live is False
    assert module.params(state) == {"paused": "1"}
    assert module.needs(module.update(state, SetLive(panel="workers", live=True)))["workers"].live is True


@pytest.mark.parametrize("module", [page, one_page])
def test_refresh_is_an_effect_and_changes_nothing(module: Any) -> None:
    # RT-37
    state = module.initial({"name": "a"})
    assert module.update(state, Reload(needs=("workers",))) == (state, Refresh("workers"))


def test_no_worker_at_all_says_what_that_means() -> None:
    assert "Jobs wait in the queue until one starts." in words(draw(page.PANELS, "workers", page.initial({}), listed()))


def test_a_first_load_that_failed_says_why_and_offers_a_retry() -> None:
    failed = {"workers": result(None, State.ERROR, Why.SERVER, error=HttpError("The server answered 503.", status=503))}
    one = one_page.initial({"name": "a"})
    for drawn in (draw(page.PANELS, "workers", page.initial({}), failed), draw(one_page.PANELS, "capacity", one, failed)):
        assert "did not load" in words(drawn)
        assert "503" in words(drawn)


def test_one_worker_shows_its_room_its_instances_and_its_functions() -> None:
    made = busy("billing", 1, 60).model_copy(update={"functions": ("k_2", "k_1"), "function_names": {"k_1": "charge", "k_2": "refund"}})
    state = one_page.initial({"name": "billing"})
    capacity = draw(one_page.PANELS, "capacity", state, listed(made))
    assert elements(capacity, "svg", aria_label="2 of 4 slots running")
    assert "2, 1 stale" in words(capacity)
    instances = draw(one_page.PANELS, "instances", state, listed(made))
    assert [one.attributes["href"] for one in elements(instances, "a", **{"class": "mono"})] == [
        "#/jobs?worker=billing_0",
        "#/jobs?worker=billing_1",
    ]
    assert "Stale" in words(instances)
    functions = draw(one_page.PANELS, "functions", state, listed(made))
    assert words(functions).index("charge") < words(functions).index("refund")
    assert str(one_page.heading(state)) == "billing · Workers"


def test_a_worker_that_is_not_there_is_said_once_with_the_way_back() -> None:
    state = one_page.initial({"name": "nobody"})
    said = [draw(one_page.PANELS, name, state, listed(busy("a", 1))) for name in one_page.PANELS]
    assert sum("No worker is named nobody." in words(drawn) for drawn in said) == 1
    assert elements(said[0], "a", href="#/workers")


def test_only_a_change_of_who_is_silent_makes_the_clock_paint() -> None:
    clock = page.PANELS["workers"].clock
    assert clock is not None
    fleet = listed(busy("a", 10))
    assert clock(fleet, ENV.now_ms) == clock(fleet, ENV.now_ms + 5_000) == frozenset()
    assert clock(fleet, ENV.now_ms + 25_000) == {"a_0"}


def test_instances_sort_by_every_column_and_the_address_keeps_it() -> None:
    made = busy("w", 3, 40, 1)
    counts = {"w_0": 5, "w_1": 9, "w_2": 7}
    changed = tuple(one.model_copy(update={"jobs_processed": counts[one.id]}) for one in made.instances)
    results = listed(made.model_copy(update={"instances": changed}))

    def order(state: one_page.State) -> list[str]:
        drawn = draw(one_page.PANELS, "instances", state, results)
        return [one.attributes["data-copy"] for one in elements(drawn, "td") if "data-copy" in one.attributes]

    state = one_page.initial({"name": "w"})
    assert order(state) == ["w_0", "w_1", "w_2"]
    for column, first in (("processed", "w_1"), ("state", "w_1"), ("heartbeat", "w_2")):
        sorted_by = one_page.update(state, SortBy(column=column))
        assert isinstance(sorted_by, one_page.State)
        assert order(sorted_by)[0] == first
        assert one_page.initial({"name": "w", **one_page.params(sorted_by)}) == sorted_by
    assert one_page.initial({"name": "w", "sort": "nonsense"}).problem is not None
