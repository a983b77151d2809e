"""Ticking rows and asking the same of all of them: jobs and functions."""

from __future__ import annotations

from typing import Any

from page_fakes import ENV, LiveList, WindowData, draw, elements, job, result, take, words

from pyapp.contract.functions import Function
from pyapp.contract.jobs import Job
from pyapp.pages import functions, jobs, jobs_many, selecting
from pyapp.pages.asked import FOLLOWED, Cancel
from pyapp.pages.functions_many import SwitchMany
from pyapp.pages.jobs_many import AskMany, CancelMany, KeepMany
from pyapp.pages.jobs_state import Search, State
from pyapp.pages.protocol import Effect, Mutate, MutationDone, MutationFailed, ShowToast, ToastLevel, WithShown
from pyapp.pages.selecting import MANY_MAX, ClearSelection, Select, SelectShown
from pyapp.pages.sorting import SortBy

ROWS = (job(1, "active"), job(2, "failed"), job(3, "complete"), job(4, "queued"))
ALL = frozenset(row.id for row in ROWS)


def step(state: State, *messages: Any) -> State:
    for message in messages:
        state, _ = take(jobs.update(state, message))
    return state


def ticked(*ids: str) -> State:
    return step(jobs.initial({}), *(Select(panel="jobs", id=name, checked=True) for name in ids))


def shown(action: SelectShown | AskMany | SwitchMany, rows: tuple[Any, ...] = ROWS) -> WithShown:
    return WithShown(action, rows)


def ask(verb: Any) -> AskMany:
    return AskMany(panel="jobs", verb=verb)


def the_bar(state: State, rows: tuple[Job, ...] = ROWS) -> str:
    return draw(jobs.PANELS, "picked", state, {"jobs": result(LiveList(rows, len(rows)))})


def mutations(effects: tuple[Effect, ...]) -> list[str]:
    return [f"{one.name} {one.args['job_id']}" for one in effects if isinstance(one, Mutate)]


# -- Ticking


def test_a_row_is_ticked_by_its_id_and_unticked_and_all_at_once() -> None:
    state = ticked("job_1", "job_2")
    assert state.selected == {"job_1", "job_2"}
    assert step(state, Select(panel="jobs", id="job_1", checked=False)).selected == {"job_2"}
    assert step(state, ClearSelection()).selected == frozenset()


def test_the_head_ticks_what_is_shown_and_leaves_what_is_not() -> None:
    state = ticked("job_9")
    state = step(state, shown(SelectShown(panel="jobs", checked=True)))
    assert state.selected == ALL | {"job_9"}
    assert step(state, shown(SelectShown(panel="jobs", checked=False))).selected == {"job_9"}


def head(state: State, rows: tuple[Job, ...] = ROWS) -> str:
    return draw(jobs.PANELS, "jobs", state, {"jobs": result(LiveList(rows, len(rows)))})


def test_every_row_has_a_box_with_a_name_of_its_own() -> None:
    drawn = head(ticked("job_2"))
    labels = [one.attributes["aria-label"] for one in elements(drawn, "input", type="checkbox")]
    assert labels == ["Select all that is shown", *(f"Select leaf job_{number}" for number in range(1, 5))]
    assert [one.attributes["data-id"] for one in elements(drawn, "tr") if "data-id" in one.attributes] == [row.id for row in ROWS]
    assert [one.attributes.get("class") for one in elements(drawn, "tr", data_id="job_2")] == ["ticked"]


def test_a_selection_survives_live_rows_and_filters_and_what_is_filtered_away_is_left_alone_and_said() -> None:
    state = step(ticked("job_1", "job_4"), Search(value="job_1"))
    assert state.selected == {"job_1", "job_4"}
    drawn = words(the_bar(state))
    assert "2 jobs selected" in drawn
    assert "1 not shown: left alone" in drawn
    assert "Cancel 1" in drawn
    # The program hands over what is shown: the other is not among it.
    state = step(state, WithShown(ask("cancel"), ROWS[:1]))
    assert state.many is not None
    assert state.many.ids == ("job_1",)


# -- Acting


def test_the_bar_offers_what_makes_sense_and_says_for_how_many() -> None:
    drawn = words(the_bar(ticked(*ALL)))
    assert "4 jobs selected" in drawn
    assert "Cancel 2" in drawn
    assert "Retry 1" in drawn
    assert "Nothing can be done" in words(the_bar(ticked("job_3")))
    assert words(the_bar(jobs.initial({}))) == ""


def test_cancelling_many_is_asked_for_twice_and_says_how_many() -> None:
    state = step(ticked(*ALL), shown(ask("cancel")))
    drawn = draw(jobs.PANELS, "many", state, {})
    assert "Cancel 2 jobs?" in words(drawn)
    assert step(state, KeepMany()).many is None
    after, effects = take(jobs.update(state, CancelMany()))
    assert mutations(effects) == ["jobs.cancel job_1", "jobs.cancel job_4"]
    assert after.many is None
    # What was asked is ticked no more, so that nothing is asked twice by a second press.
    assert after.selected == {"job_2", "job_3"}
    assert {one.job_id for one in after.asked} == {"job_1", "job_4"}
    assert all(one.phase == "sent" for one in after.asked)


def test_retrying_many_destroys_nothing_and_is_done_at_once() -> None:
    after, effects = take(jobs.update(ticked(*ALL), shown(ask("retry"))))
    assert mutations(effects) == ["jobs.retry job_2"]
    assert after.many is None


def test_what_was_asked_and_has_not_happened_yet_is_not_asked_again() -> None:
    state = step(ticked("job_1", "job_4"), Cancel(job_id="job_1"))
    assert [one.id for one in jobs_many.meant(ROWS, state.selected, state.asked, "cancel")] == ["job_4"]


def test_nothing_to_do_opens_nothing_and_sends_nothing() -> None:
    state, effects = take(jobs.update(ticked("job_3"), shown(ask("cancel"))))
    assert (state.many, effects) == (None, ())
    state, effects = take(jobs.update(ticked("job_3"), shown(ask("retry"))))
    assert (state.batch, effects) == (None, ())


def answer(job_id: str, refused: str = "") -> MutationDone | MutationFailed:
    args = {"job_id": job_id}
    return MutationFailed("jobs.cancel", args, refused) if refused else MutationDone("jobs.cancel", args)


def test_each_row_tells_its_own_answer_and_one_message_sums_them_up() -> None:
    state = step(ticked(*ALL), shown(ask("cancel")), CancelMany())
    assert "0 of 2 answered" in words(the_bar(state))
    state, effects = take(jobs.update(state, answer("job_1", "Job job_1 is complete.")))
    assert effects == ()
    assert "1 of 2 answered" in words(the_bar(state))
    assert "Job job_1 is complete." in words(head(state))
    state, effects = take(jobs.update(state, answer("job_4")))
    assert effects == (ShowToast(ToastLevel.WARNING, "Cancel: 1 accepted, 1 refused", "1: Job … is complete."),)
    assert state.batch is None
    # Accepted is not done: the row says what the job says of itself.
    assert next(one for one in state.asked if one.job_id == "job_4").phase == "accepted"


def test_reasons_that_are_the_same_are_said_once() -> None:
    batch = selecting.begin("jobs.cancel", "Cancel", [f"job_{number}" for number in range(5)])
    said: list[Effect] = []
    for number in range(5):
        after, effects = selecting.settle(batch, answer(f"job_{number}", f"No job_{number} here."))
        said.extend(effects)
        batch = after or batch
    assert said == [ShowToast(ToastLevel.ERROR, "Cancel: 0 accepted, 5 refused", "5: No … here.")]


def test_an_answer_of_a_single_action_is_not_one_of_the_batch() -> None:
    batch = selecting.begin("jobs.cancel", "Cancel", ["job_1"])
    assert not selecting.concerns(batch, answer("job_2"))
    assert not selecting.concerns(batch, MutationDone("jobs.retry", {"job_id": "job_1"}))
    assert not selecting.concerns(None, answer("job_1"))


def test_so_many_at_once_and_no_more_and_a_window_follows_the_latest_of_them() -> None:
    rows = tuple(job(number, "active") for number in range(1, MANY_MAX + 50))
    state = step(jobs.initial({}), shown(SelectShown(panel="jobs", checked=True), rows), shown(ask("cancel"), rows), CancelMany())
    assert state.batch is not None
    assert state.batch.total == MANY_MAX
    window = jobs.initial({"after": "2026-11-20T06:00:00Z", "before": "2026-11-20T07:00:00Z"}).model_copy(update={"asked": state.asked})
    assert sum(name.startswith("asked-") for name in jobs.needs(window)) == FOLLOWED


# -- Functions


def function(key: str, *, paused: bool = False) -> Function:
    return Function.model_validate({"key": key, "name": key, "type": "task", "active": True, "paused": paused})


def test_functions_are_paused_and_resumed_together() -> None:
    rows = (function("a"), function("b", paused=True), function("c"))
    state = functions.initial({})
    state, _ = take(functions.update(state, WithShown(SelectShown(panel="functions", checked=True), rows)))
    results = {"functions": result(LiveList(rows, 3))}
    drawn = words(draw(functions.PANELS, "picked", state, results))
    assert "Pause 2" in drawn
    assert "Resume 1" in drawn
    state, effects = take(functions.update(state, WithShown(SwitchMany(panel="functions", paused=True), rows)))
    assert [one.args["key"] for one in effects if isinstance(one, Mutate)] == ["a", "c"]
    assert state.selected == {"b"}
    for key in ("a", "c"):
        state, effects = take(functions.update(state, MutationDone("functions.pause", {"key": key})))
    assert effects == (ShowToast(ToastLevel.OK, "Pause: 2 accepted", "What becomes of them is in their rows."),)


# -- The order of a window


def test_a_window_is_sorted_by_any_column_and_a_live_list_stays_as_the_server_has_it() -> None:
    rows = (job(1, duration_ms=5.0), job(2, duration_ms=9.0), job(3, duration_ms=None))
    window = jobs.initial({"after": "2026-11-20T06:00:00Z", "before": "2026-11-20T07:00:00Z"})
    window = step(window, SortBy(column="duration"))
    assert jobs.params(window)["sort"] == "-duration"

    def order(state: State, data: Any) -> list[str]:
        drawn = draw(jobs.PANELS, "jobs", state, {"jobs": result(data)})
        return [one.attributes["data-id"] for one in elements(drawn, "tr") if "data-id" in one.attributes]

    assert order(window, WindowData(rows, 3)) == ["job_2", "job_1", "job_3"]
    assert order(step(window, SortBy(column="duration")), WindowData(rows, 3)) == ["job_1", "job_2", "job_3"]
    live = jobs.initial({"sort": "-duration"})
    assert order(live, LiveList(rows, 3)) == ["job_1", "job_2", "job_3"]


def test_thousands_of_rows_are_put_in_order_once_and_not_with_every_scroll() -> None:
    rows = tuple(job(number, duration_ms=float(number)) for number in range(1, 20))
    window = step(jobs.initial({"after": "2026-11-20T06:00:00Z", "before": "2026-11-20T07:00:00Z"}), SortBy(column="duration"))
    listing = jobs.PANELS["jobs"].listing
    assert listing is not None
    results = {"jobs": result(WindowData(rows, 19))}
    first = listing.shown(window, results, ENV)
    again = listing.shown(window, results, ENV)
    assert first is not None
    assert again is not None
    assert first.rows is again.rows
    assert first.rows[0].id == "job_19"
