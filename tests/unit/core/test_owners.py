"""Owners (RT-67): who asks too often waits, and is named."""

from __future__ import annotations

from typing import Any

import pytest

from pyapp.core.alerts import Alert, Alerts
from pyapp.core.ports import HttpRequest
from pyapp.core.requests.coordinator import Requests
from pyapp.core.requests.owners import BURST
from pyapp.core.testing import FakeHttp, VirtualClock
from pyapp.core.timings import Timings


class Door:
    """Every request is answered as soon as it is sent."""

    def __init__(self, *, limits: bool = True) -> None:
        self.clock, self.http, self.told = VirtualClock(), FakeHttp(), list[Alert]()
        self.alerts = Alerts(self.clock, self.told.append)
        self.requests = Requests(self.clock, self.http, Timings(), lambda: 100, alerts=self.alerts, limits=limits)
        self.got: list[Any] = []
        self.number = 0

    def ask(self, owner: str = "panel", url: str = "", *, by_user: bool = False) -> Any:
        self.number += 1
        request = HttpRequest("GET", url or f"x?{self.number}")
        ticket = self.requests.send("x", request, self.got.append, owner=owner, by_user=by_user)
        self.answer()
        return ticket

    def answer(self) -> None:
        for pending in self.http.waiting:
            pending.reply([])

    def pass_(self, ms: float) -> None:
        for _ in range(int(ms / 100)):
            self.clock.advance(100)
            self.answer()

    @property
    def sent(self) -> int:
        return len(self.http.sent)

    def row(self, name: str = "x panel") -> Any:
        return next(row for row in self.requests.statistics().owners.owners if row.owner == name)


def test_ten_go_at_once_then_one_in_three_seconds_in_order_and_none_is_lost() -> None:
    # RT-67
    door = Door()
    for _ in range(BURST + 3):
        door.ask()
    assert (door.sent, len(door.got)) == (10, 10)
    assert (door.row().active, door.row().waiting, door.row().held, door.row().last_minute) == (3, 3, 3, 10)
    counts: list[int] = []
    for _ in range(4):
        door.pass_(3_000)
        counts.append(door.sent)
    assert counts == [11, 12, 13, 13]
    assert [pending.request.url for pending in door.http.sent[10:]] == ["x?11", "x?12", "x?13"]
    assert (len(door.got), door.row().active, door.row().waiting, door.row().sent) == (13, 0, 0, 13)
    door.pass_(60_000)
    assert (door.row().last_minute, door.clock.timers) == (0, 0)


def test_what_comes_while_others_wait_waits_behind_them() -> None:
    # RT-67
    door = Door()
    for _ in range(BURST + 2):
        door.ask()
    door.pass_(2_900)
    door.ask()
    door.pass_(9_000)
    assert [pending.request.url for pending in door.http.sent[10:]] == ["x?11", "x?12", "x?13"]


def test_an_alert_names_the_owner_until_it_kept_to_its_rate_for_a_minute() -> None:
    # RT-67, RT-82
    door = Door()
    for _ in range(BURST + 2):
        door.ask()
    door.pass_(30_000)
    for _ in range(12):
        door.ask()  # again, within the same episode
    door.pass_(70_000)
    assert [(alert.kind, alert.subject, alert.ended_wall_ms is None) for alert in door.told] == [("owner", "x panel", True)]
    assert "more often than 20 times a minute" in door.told[0].text
    door.pass_(60_000)
    assert door.told[-1].ended_wall_ms is not None
    assert len(door.told) == 2


def test_one_owner_does_not_hold_up_another_and_without_a_panel_the_endpoint_is_the_owner() -> None:
    # RT-67
    door = Door()
    for _ in range(BURST + 1):
        door.ask()
    door.ask("other")
    door.ask("")
    assert door.sent == 12
    assert [row.owner for row in door.requests.statistics().owners.owners] == ["x panel", "x other", "x"]


def test_what_a_person_does_is_exempt_and_joins_and_kept_answers_count_as_none() -> None:
    # RT-67
    door = Door()
    for _ in range(30):
        door.ask(by_user=True)
    for _ in range(30):
        door.ask(url="same")
    assert (door.sent, door.row().held) == (31, 0)
    assert door.requests.statistics().endpoints[0].kept == 29
    for _ in range(BURST - 1):
        door.ask()
    assert door.row().waiting == 0
    door.ask()
    assert door.row().waiting == 1


def test_a_request_that_is_held_back_goes_when_a_person_or_an_owner_within_its_rate_asks_for_the_same() -> None:
    # RT-67
    door = Door()
    for _ in range(BURST):
        door.ask()
    for url in ("a", "b", "c"):
        door.ask(url=url)
    door.ask(url="a")
    assert door.sent == 10  # the same owner waits
    door.ask("other", url="b")
    door.ask(url="c", by_user=True)
    assert [pending.request.url for pending in door.http.sent[10:]] == ["b", "c"]
    assert (len(door.got), door.row().waiting) == (14, 1)


def test_what_an_owner_earned_is_spent_once_also_if_it_joins_anothers_request_the_moment_before_its_turn() -> None:
    # RT-67
    door = Door()
    door.clock.call_at(3_000, lambda: door.ask(url="theirs 2"))
    for owner, held in (("other", ("theirs 1", "theirs 2")), ("panel", ("ours",))):
        for _ in range(BURST):
            door.ask(owner)
        for url in held:
            door.ask(owner, url=url)
    door.pass_(3_000)
    assert [pending.request.url for pending in door.http.sent[20:]] == ["theirs 2", "theirs 1"]
    assert door.row().waiting == 1
    door.pass_(3_000)
    assert [pending.request.url for pending in door.http.sent[22:]] == ["ours"]
    door.pass_(60_000)
    assert (door.row().waiting, door.clock.timers) == (0, 0)


def test_one_that_is_given_up_while_it_is_held_back_is_never_sent() -> None:
    # RT-67
    door = Door()
    for _ in range(BURST):
        door.ask()
    held = [door.ask(), door.ask()]
    held[0].cancel()
    held[0].cancel()
    door.pass_(3_000)
    assert [pending.request.url for pending in door.http.sent[10:]] == ["x?12"]
    late = door.ask()
    late.cancel()
    door.pass_(60_000)
    assert (door.sent, door.clock.timers, door.row().active) == (11, 0, 0)


def test_an_owner_that_sent_nothing_for_a_minute_is_disposed_of() -> None:
    # RT-67
    door = Door()
    door.ask("one")
    door.pass_(59_000)
    door.ask("two")
    assert [row.owner for row in door.requests.statistics().owners.owners] == ["x one", "x two"]
    door.pass_(2_000)
    door.ask("three")
    owners = door.requests.statistics().owners
    assert ([row.owner for row in owners.owners], owners.registered, owners.disposed) == (["x two", "x three"], 3, 1)


@pytest.mark.parametrize("how", ["from the start", "limits", "coordination"])
def test_the_limit_can_be_switched_off_and_what_was_held_back_goes_at_once(how: str) -> None:
    # RT-67, RT-71
    door = Door(limits=how != "from the start")
    for _ in range(BURST + 5):
        door.ask()
    if how == "limits":
        assert door.sent == 10
        door.requests.configure(limits=False)
    elif how == "coordination":
        door.requests.configure(coordinate=False)
    door.answer()
    door.answer()  # the class has four places
    assert (door.sent, len(door.got), door.requests.statistics().limited) == (15, 15, False)
    if how != "from the start":
        door.requests.configure(coordinate=True, limits=True)
        for _ in range(BURST + 5):
            door.ask()
        assert door.sent == 15


def test_after_close_nothing_that_was_held_back_is_left() -> None:
    # RT-53
    door = Door()
    tickets = [door.ask() for _ in range(BURST + 2)]
    door.requests.close()
    for ticket in tickets:
        ticket.cancel()
    door.pass_(10_000)
    assert (door.sent, door.clock.timers) == (10, 0)
