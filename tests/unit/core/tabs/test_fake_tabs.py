"""The tabs in memory behave as those of a browser, where a test of tabs relies on it."""

from __future__ import annotations

import pytest

from pyapp.core.ports import FrameKind, HttpAnswer, HttpRequest
from pyapp.core.tabs.ports import Passed
from pyapp.core.testing import VirtualClock
from pyapp.core.testing.tabs import FakeTab, Origin


def two() -> tuple[VirtualClock, FakeTab, FakeTab, list[str]]:
    """Two tabs of one group with open channels, and what they hear."""
    clock, heard = VirtualClock(), list[str]()
    origin = Origin(clock)
    one, other = origin.tab("one"), origin.tab("other")
    for tab in (one, other):
        tab.ports()
        tab.channel.open("ann", heard.append)
    return clock, one, other, heard


def test_a_channel_that_is_closed_says_nothing_and_hears_nothing() -> None:
    clock, one, other, heard = two()
    record = Passed("things", FrameKind.MESSAGE, "", "{}")
    other.channel.follow("1:one")
    other.channel.keep(["things"])
    assert (other.channel.followed, other.channel.forwarded) == ("1:one", "")
    for text in ("first", "second"):
        one.channel.post(text)
        one.channel.pass_on("1:one", "", record)
        clock.advance(10)
        one.channel.close()
    assert (heard, other.channel.drain()) == (["first"], [record])
    assert (one.channel.posted, one.channel.passed) == (1, 1)
    other.channel.post("anybody?")  # to a closed one
    clock.advance(10)
    assert not one.holds()


def test_what_a_server_says_on_a_socket_that_is_closed_reaches_nobody() -> None:
    _, one, _, _ = two()
    one.sources.open(7, "things/stream")
    (number,) = one.origin.sources.open_urls
    one.sources.close(7)
    one.origin.sources.record(number, FrameKind.OPENED)
    assert one.sources.drain() == []


def test_an_answer_that_came_while_a_tab_was_busy_is_not_told_to_who_gave_up() -> None:
    _, one, _, _ = two()
    told: list[HttpAnswer] = []
    calls = [one.http.send(HttpRequest("GET", url), told.append) for url in ("a", "b")]
    one.freeze()
    for pending in one.origin.http.waiting:
        pending.reply(pending.request.url)
    calls[0].cancel()
    assert told == []
    one.thaw()
    assert [answer.body for answer in told] == ["b"]


def test_the_one_timer_of_a_busy_tab_fires_once_however_often_it_fell_due() -> None:
    _, one, _, _ = two()
    fired: list[str] = []
    one.freeze()
    for name in ("timer", "timer", "", ""):
        one.run_once(name, lambda name=name: fired.append(name))
    one.thaw()
    assert fired == ["timer", "", ""]


@pytest.mark.parametrize("held", [True, False])
def test_a_lock_is_stolen_from_whoever_holds_it_and_taken_if_nobody_does(held: bool) -> None:
    clock, one, other, _ = two()
    words: list[str] = []

    def ask(tab: FakeTab, *, steal: bool) -> None:
        locks = tab.ports().locks
        assert locks is not None
        name = tab.name
        locks.request("lock", steal=steal, granted=lambda: words.append(f"{name} has it"), lost=lambda: words.append(f"{name} lost it"))

    if held:
        ask(one, steal=False)
        clock.advance(10)
    ask(other, steal=True)
    clock.advance(10)
    assert words == (["one has it", "other has it", "one lost it"] if held else ["other has it"])
    assert other.origin.locks.count() == 1


def test_a_tab_that_is_gone_does_nothing_more_and_one_that_was_put_away_comes_back() -> None:
    _, one, other, _ = two()
    words: list[str] = []
    for tab in (one, other):
        tab.lifecycle.on_suspend(lambda name=tab.name: words.append(f"{name} away"))
        tab.lifecycle.on_resume(lambda name=tab.name: words.append(f"{name} back"))
    one.kill()
    one.run(lambda: words.append("never"))
    other.put_away()
    assert other.away
    other.take_out()
    assert (words, other.away, one.alive) == (["other away", "other back"], False, False)


def test_what_happens_to_an_overloaded_tab_happens_one_by_one_each_after_its_time_and_waits_while_it_is_frozen() -> None:
    clock, one, other, _ = two()
    done: list[tuple[str, float]] = []
    one.slow(lambda: 40.0)
    for name in ("first", "second", "third"):
        one.run(lambda name=name: done.append((name, clock.now())))
    clock.advance(100)
    assert done == [("first", 40), ("second", 80)]
    one.freeze()
    clock.advance(1_000)
    assert len(done) == 2
    one.thaw()
    clock.advance(40)
    assert done[2:] == [("third", 1_140)]
    one.slow(lambda: 0.0)
    one.run(lambda: done.append(("at once", clock.now())))
    assert done[3:] == [("at once", 1_140)]
    other.slow(lambda: 40.0)
    other.run(lambda: done.append(("never", clock.now())))
    other.kill()
    clock.advance(1_000)
    assert len(done) == 4


def test_a_channel_that_is_opened_again_hears_nothing_of_before() -> None:
    clock, one, other, heard = two()
    one.channel.post("before")
    group = other.channel.group
    other.channel.close()
    other.channel.open(group, heard.append)
    one.channel.post("after")
    clock.advance(10)
    assert heard == ["after"]
