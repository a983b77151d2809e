from __future__ import annotations

import pytest

from pyapp.pages.protocol import Connection, ConnectionView, Heading
from pyapp.pages.tab_health import TabHealth, title_and_icon

JOBS = Heading("Jobs")
LIVE = ConnectionView(Connection.LIVE, "Live")


def test_a_healthy_page_says_its_name_and_nothing_else() -> None:
    assert title_and_icon(JOBS, LIVE, (), paused=False) == ("Jobs · Penstock", "calm")


def test_what_fails_stands_before_the_name() -> None:
    said = title_and_icon(Heading("Workers", "w-1", "#/workers"), LIVE, ("3 failing", "2 stale"), paused=False)
    assert said == ("● 3 failing, 2 stale · w-1 · Workers · Penstock", "failing")


@pytest.mark.parametrize("state", [Connection.OFFLINE, Connection.ERROR, Connection.FORBIDDEN, Connection.RECONNECTING])
def test_trouble_of_the_connection_hides_what_fails_because_that_is_old(state: Connection) -> None:
    said = title_and_icon(JOBS, ConnectionView(state, "Trouble"), ("3 failing",), paused=False)
    assert said == ("Trouble · Jobs · Penstock", "trouble")


@pytest.mark.parametrize("state", [Connection.CONNECTING, Connection.DEGRADED, Connection.POLLING, Connection.PAUSED])
def test_a_state_that_passes_or_is_meant_is_no_trouble(state: Connection) -> None:
    assert title_and_icon(JOBS, ConnectionView(state, "Words"), (), paused=False) == ("Jobs · Penstock", "calm")


def test_a_page_that_nobody_sees_says_that_it_stands_still_and_what_failed_then() -> None:
    assert title_and_icon(JOBS, LIVE, (), paused=True) == ("Paused · Jobs · Penstock", "paused")
    assert title_and_icon(JOBS, LIVE, ("1 failing",), paused=True) == ("Paused · 1 failing · Jobs · Penstock", "paused failing")


def test_only_what_changed_is_written() -> None:
    titles, icons = list[str](), list[str]()
    tab = TabHealth(titles.append, icons.append)
    for alarms in ((), (), ("1 failing",), ("1 failing",), ("2 failing",), ()):
        tab.show(JOBS, LIVE, alarms, paused=False)
    assert titles == ["Jobs · Penstock", "● 1 failing · Jobs · Penstock", "● 2 failing · Jobs · Penstock", "Jobs · Penstock"]
    assert icons == ["failing", "calm"]
