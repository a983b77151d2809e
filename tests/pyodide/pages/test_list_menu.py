"""The small menu of a list: columns, order, and taking it along."""

from __future__ import annotations

from page_fakes import elements, words

from pyapp.pages.list_menu import MENU, list_menu
from pyapp.pages.rows import Column
from pyapp.pages.sorting import Sort
from pyapp.ui import to_html

COLUMNS = (Column("State", "w7", sort="state"), Column("Name", sort="name"), Column("Runs", "num", sort="runs"))


def drawn(*, opened: bool = True, sort: Sort | None = None, chosen: tuple[str, ...] | None = None) -> str:
    name = f"{MENU}jobs" if opened else ""
    return to_html(list_menu("jobs", "the jobs", name, columns=COLUMNS, chosen=chosen, sort=sort))


def test_it_is_drawn_while_it_is_open_and_its_button_always_has_a_name() -> None:
    assert elements(drawn(opened=False), "input") == []
    assert elements(drawn(opened=False), "button")[0].attributes["aria-label"] == "View of the jobs: columns, order, export"


def test_a_box_for_every_column_that_may_go() -> None:
    assert len(elements(drawn(), "input", type="checkbox")) == 2
    assert "Show all" not in words(drawn())
    assert "Show all" in words(drawn(chosen=("state",)))


def test_every_sortable_column_can_be_sorted_by_where_its_head_cannot_be_pressed() -> None:
    shown = drawn(sort=Sort(column="runs", descending=True))
    assert [one.attributes["value"] for one in elements(shown, "option")] == ["state", "name", "runs"]
    assert "Descending" in words(shown)
    assert elements(drawn(), "select") == []


def test_files_and_the_link_are_offered_everywhere() -> None:
    plain = to_html(list_menu("jobs", "Jobs", f"{MENU}jobs"))
    assert all(word in words(plain) for word in ("CSV", "JSON", "Copy link"))
    assert elements(plain, "button")[0].attributes["aria-label"] == "Export Jobs"
