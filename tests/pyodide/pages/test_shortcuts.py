"""The table of keys: bound as it is shown, shown as it is bound."""

from __future__ import annotations

import json

from page_fakes import words

from pyapp.pages.commands import GO
from pyapp.pages.routes import ROUTES
from pyapp.pages.shortcuts import SHORTCUTS, bindings, sheet
from pyapp.ui import to_html


def test_every_key_of_the_table_is_bound_and_on_the_sheet() -> None:
    bound = json.loads(bindings(on=True))
    assert bound == {one.keys: one.name for one in SHORTCUTS}
    drawn = words(to_html(sheet(shown=True, on=True)))
    assert all(one.words in drawn for one in SHORTCUTS)


def test_no_two_shortcuts_share_their_keys_and_none_is_the_beginning_of_another() -> None:
    keys = [one.keys for one in SHORTCUTS]
    assert len(keys) == len(set(keys))
    assert not [one for one in keys for other in keys if other != one and other.startswith(f"{one} ")]


def test_what_leads_to_a_page_leads_to_one_that_there_is() -> None:
    assert {one.name.removeprefix(GO) for one in SHORTCUTS if one.name.startswith(GO)} <= set(ROUTES)


def test_switched_off_nothing_is_bound_and_the_sheet_says_so_and_offers_them() -> None:
    assert json.loads(bindings(on=False)) == {}
    drawn = words(to_html(sheet(shown=True, on=False)))
    assert "Single keys are switched off" in drawn
    assert "Switch single keys on" in drawn


def test_a_closed_sheet_draws_nothing_of_the_table() -> None:
    assert SHORTCUTS[0].words not in words(to_html(sheet(shown=False, on=True)))
