from __future__ import annotations

from dataclasses import replace

import pytest
from page_fakes import elements, words

from pyapp.pages import shell
from pyapp.pages.preferences import Preferences, Theme
from pyapp.pages.protocol import HEARTBEAT, Connection, ConnectionView, Env, Heading, StripView, Toast, ToastLevel
from pyapp.pages.routes import ROUTES
from pyapp.ui import to_html

ENV = Env(route="jobs", profile="production")


def test_the_shell_has_every_root_once() -> None:
    drawn = to_html(shell.shell(Heading("Jobs"), ENV))
    roots = [one.attributes["data-root"] for one in elements(drawn, "div", **{"class": "root"})]
    assert sorted(roots) == ["keys", "notice", "page", "palette", "pill", "sheet", "strip", "toasts"]


def test_the_rail_offers_pages_that_exist_and_says_which_is_shown() -> None:
    assert {place.route for place in shell.RAIL} <= ROUTES.keys()
    drawn = to_html(shell.shell(Heading("Jobs"), ENV))
    current = [one.attributes["href"] for one in elements(drawn, "a") if one.attributes.get("aria-current") == "page"]
    assert current == ["#/jobs"]


def test_the_first_thing_to_reach_skips_to_the_content() -> None:
    drawn = to_html(shell.shell(Heading("Jobs"), ENV))
    assert elements(drawn, "a")[0].attributes["class"] == "skip"
    assert elements(drawn, "main", id="main", tabindex="-1")


@pytest.mark.parametrize("theme", ["system", "light", "dark"])
def test_the_theme_button_says_what_it_is_and_what_comes_next(theme: Theme) -> None:
    drawn = to_html(shell.shell(Heading("Jobs"), replace(ENV, preferences=Preferences(theme=theme))))
    labels = [one.attributes.get("aria-label", "") for one in elements(drawn, "button")]
    assert any(label.startswith("Theme:") and theme in label for label in labels)


@pytest.mark.parametrize("state", list(Connection))
def test_the_pill_has_a_glyph_and_words_for_every_state(state: Connection) -> None:
    view = ConnectionView(state, "Words", "extra", "Why it is so.", (("Since", "07:12"),))
    drawn = to_html(shell.pill(replace(ENV, connection=view, opened=shell.CONNECTION)))
    assert elements(drawn, "button", data_c=state.value)
    for said in ("Words", "extra", "Why it is so.", "Since", "07:12"):
        assert said in words(drawn)
    assert words(to_html(shell.pill(replace(ENV, connection=view)))) == "Wordsextra"


def test_the_strip_shows_only_what_is_measured() -> None:
    drawn = to_html(shell.strip(replace(ENV, strip=StripView(1, 4, 38.0, True, 200.0, "0.1.0"))))
    assert words(drawn) == "1 connection, 4 streamsserver clock +0.2 sheartbeat ago38 events/minpenstock 0.1.0"
    # The age moves by itself: a strip that says how long ago it was would be painted with every heartbeat.
    assert elements(drawn, "pen-age", of=HEARTBEAT)
    assert words(to_html(shell.strip(ENV))) == "0 connections, 0 streams"


def test_a_clock_that_is_known_to_the_second_has_no_tenths() -> None:  # RT-55
    for offset, said in ((3_000.0, "+3 s ± 1 s"), (-1_000.0, "-1 s ± 1 s"), (0.0, "0 s ± 1 s")):
        shown = words(to_html(shell.strip(replace(ENV, strip=StripView(1, 4, clock_offset_ms=offset, clock_coarse=True)))))
        assert shown.endswith(f"server clock {said}")


def test_trouble_interrupts_and_the_rest_waits() -> None:
    said = (Toast(1, ToastLevel.ERROR, "Refused", "<b>no</b>"), Toast(2, ToastLevel.OK, "Done"))
    drawn = to_html(shell.toasts(replace(ENV, toasts=said)))
    assert [one.attributes["role"] for one in elements(drawn, "div")] == ["alert", "status"]
    assert not elements(drawn, "b")


def test_a_notice_is_one_line_and_its_absence_none() -> None:
    assert "Clock skew" in words(to_html(shell.notice(replace(ENV, notice="Clock skew"))))
    assert words(to_html(shell.notice(ENV))) == ""


def test_a_route_that_there_is_not_leads_back() -> None:
    drawn = to_html(shell.not_found("<nowhere>"))
    assert elements(drawn, "a", href="#/dashboard")
    assert "#/<nowhere>" in words(drawn)
