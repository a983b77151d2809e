"""Which columns are shown: chosen, in the address, and back."""

from __future__ import annotations

from page_fakes import ENV, elements, job, result

from pyapp.core.cache.lists import LiveList
from pyapp.pages import apis_table, functions_table, jobs, jobs_table, requests_table, workers
from pyapp.pages.columns import AllColumns, ShowColumn, choosable, from_param, hidden, to_params, update, visible
from pyapp.pages.rows import Column
from pyapp.ui import to_html

COLUMNS = (Column("State", "w7"), Column("Name"), Column("Runs, 24 h", "num", sort="runs"), Column("Actions", "act", hidden_word=True))


def names(panel_columns: tuple[Column, ...]) -> list[str]:
    return [column.name for column in choosable(panel_columns)]


def test_the_column_that_names_a_row_and_the_actions_are_always_there() -> None:
    assert names(COLUMNS) == ["state", "runs"]


def test_a_column_goes_and_comes_back_and_all_of_them_are_the_default() -> None:
    chosen = update(None, ShowColumn(panel="p", name="runs", shown=False), COLUMNS)
    assert chosen == ("state",)
    assert hidden(COLUMNS, chosen) == {3}
    assert [column.word for column in visible(COLUMNS, chosen)] == ["State", "Name", "Actions"]
    assert update(chosen, ShowColumn(panel="p", name="runs", shown=True), COLUMNS) is None
    assert update(chosen, AllColumns(panel="p"), COLUMNS) is None


def test_what_an_address_names_is_what_it_was_made_of() -> None:
    for chosen in (None, ("state",), ("runs",), ()):
        assert from_param(to_params(chosen).get("columns"), COLUMNS) == (chosen, None)
    # In the order of the table, whatever the address's own is.
    assert from_param("runs,state", COLUMNS) == (None, None)


def test_a_column_that_there_is_not_is_dropped_and_said() -> None:
    for text, chosen in (("state,nonsense", ("state",)), ("nonsense", None)):
        shown, problem = from_param(text, COLUMNS)
        assert shown == chosen
        assert problem is not None


def test_columns_of_every_list_have_names_of_their_own_and_fit_into_an_address() -> None:
    every = (
        jobs_table.LONG,
        jobs_table.LONG_WINDOW,
        functions_table.COLUMNS,
        apis_table.COLUMNS,
        workers.COLUMNS,
        requests_table.columns_of(live=True),
    )
    for columns in every:
        assert len(names(columns)) == len(set(names(columns))) > 3
        assert not [name for name in names(columns) if "," in name or " " in name or not name]
    assert names(jobs_table.LONG) == names(jobs_table.LONG_WINDOW)


def test_a_list_says_which_of_its_cells_are_not_shown_and_so_does_its_address() -> None:
    state = jobs.initial({"columns": "status,job"})
    results = {"jobs": result(LiveList((job(1),), 1))}
    drawn = to_html(jobs.PANELS["jobs"].view(state, results, ENV))
    assert elements(drawn, "table")[0].attributes["data-hide"] == " ".join(str(place) for place in (5, 6, 7, 8, 9, 10))
    assert jobs.params(state) == {"columns": "status,job"}
