"""Tabs give each other what they hold fresh: whole clients over fakes (RT-62)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tabs_world import THINGS, Tab, World

from pyapp.core.client import aggregate, item, live, window
from pyapp.core.streams.position import parse_position
from pyapp.core.tabs import share_messages as m
from pyapp.core.tabs.shared import ShareStatistics
from pyapp.core.testing.tabs import FakeTab
from pyapp.core.timings import Timings

COUNT = aggregate("count")
SHARE_MS = Timings().share_ms
INTERVAL_MS = Timings().live_refresh_ms
LAG_MS = Timings().share_lag_ms


def shared(tab: Tab) -> ShareStatistics:
    return tab.tabs.shared


def said(world: World, by: str = "") -> list[m.ShareMessage]:
    """What tabs said of shared answers, in order."""
    texts = [said for tab, said in world.origin.said if isinstance(said, str) and said.startswith(m.BEGIN) and by in ("", tab)]
    messages = [m.read(text) for text in texts]
    return [message for message in messages if message is not None]


def forge(world: World, to: Tab, text: str) -> None:
    """Another tab says something to one."""
    stranger = FakeTab(world.origin, "stranger")
    stranger.channel.group = to.fake.channel.group
    world.origin.broadcast(stranger, text, [to.fake.name])


def settled(world: World, *, key: Any = THINGS, count: int = 1) -> list[Tab]:
    """Tabs that look at a key and know of each other."""
    tabs: list[Tab] = []
    for number in range(count):
        tabs.append(world.tab(f"t{number}", look=False))
        tabs[-1].look(key)
        world.run(300)
    return tabs


def newcomer(world: World, name: str = "late") -> Tab:
    """A tab that takes part, knows what others hold, and looks at nothing yet."""
    tab = world.tab(name, look=False)
    world.run(200)
    return tab


def test_what_a_tab_announced_is_asked_for_and_answered_with_its_place_and_no_request_is_made() -> None:
    # RT-62, RT-7
    world = World()
    (one,) = settled(world)
    two = newcomer(world)
    world.server.change("t2", state="hot")
    world.run(200)
    world.origin.said.clear()
    two.look()
    world.run(200)
    assert two.fetched() == 0
    assert world.equal(two)
    assert two.state() == "live"
    asked, given = [message for message in said(world) if not isinstance(message, m.Holding)]
    assert asked == m.Question("late", 1, THINGS.to_json())
    assert isinstance(given, m.Given)
    assert (given.tab, given.to, str(given.position)) == ("t0", {"late": 1}, "e1:2")
    assert (shared(one).served, shared(one).holding, shared(one).announced) == (1, 1, 1)
    assert (shared(two).asked, shared(two).received, shared(two).known) == (1, 1, 1)


def test_announcements_hold_no_data_and_are_said_only_when_something_is_new() -> None:
    # RT-62
    world = World()
    settled(world, count=2)
    world.run(2_000)
    world.origin.said.clear()
    for number in range(20):
        world.server.change(f"x{number}", state="hot")
        world.run(150)
    assert said(world) == []


def test_a_tab_alone_announces_nothing() -> None:
    # RT-62
    world = World()
    settled(world)
    world.run(5_000)
    assert [message for message in said(world) if isinstance(message, m.Holding) and message.keys] == []


def test_what_nobody_announced_is_asked_of_the_server_in_the_same_turn() -> None:
    # RT-62
    world = World()
    settled(world)
    two = newcomer(world)
    other = item("things", "t1")
    two.look(COUNT)
    two.client.prefetch(other)
    assert sorted(one.request.url for one in world.origin.http.waiting) == ["things/t1"]
    world.clock.advance(0)
    assert sorted(one.request.url for one in world.origin.http.waiting) == ["count", "things/t1"]
    assert shared(two).asked == 0


def test_a_holder_that_died_costs_150_ms_once_and_then_the_server_is_asked() -> None:
    # RT-62
    world = World()
    one, leader = world.tab("t0"), world.tab("t1", look=False)
    world.run(500)
    two = newcomer(world)
    one.fake.freeze()
    two.look(THINGS)
    begun = world.clock.now()
    world.run(60)
    assert shared(two).asked == 1
    waiting = two.client.peek(THINGS)
    assert waiting is not None
    assert waiting.fetching
    assert two.fetched() == 0
    world.run(SHARE_MS)
    assert two.fetched() == 1
    assert world.clock.now() - begun < SHARE_MS + 100
    assert shared(two).timeouts == 1
    world.run(2_000)
    assert world.equal(two)
    # Nothing that it announced counts any more: nobody waits for it a second time.
    assert shared(two).known == 0
    leader.look()
    world.run(1_000)
    assert world.equal(leader)


def test_an_answer_that_comes_late_is_dropped() -> None:
    # RT-62, RT-7
    world = World(delay_ms=lambda: 200.0)
    world.tab("t1", look=False)
    world.run(500)
    one = world.tab("t0")
    world.run(1_500)
    two = newcomer(world)
    one.fake.freeze()
    two.look(THINGS)
    world.run(SHARE_MS + 60)
    assert shared(two).timeouts == 1
    one.fake.thaw()
    world.run(50)
    assert (shared(two).late, shared(two).received) == (1, 0)
    assert not two.result().has_data
    world.run(1_000)
    assert world.equal(two)


def test_events_that_come_between_the_answer_and_its_arrival_are_laid_on_top() -> None:
    # RT-62, RT-7
    latency = [1.0]
    world = World(latency_ms=lambda: latency[0])
    (one,) = settled(world)
    two = newcomer(world)
    two.look()
    world.run(30)
    latency[0] = 40.0
    for number in range(12):
        world.server.change(f"x{number}", state="hot")
        world.run(20)
    latency[0] = 1.0
    world.run(500)
    assert world.equal(two)
    assert two.state() == "live"
    assert shared(one).served + two.fetched() >= 1


@pytest.mark.parametrize(("position", "taken"), [(None, False), ("e1:2", False), ("e0:3", False), ("e1:3", True), ("e1:4", True)])
def test_an_answer_from_before_what_this_tab_was_told_by_the_stream_is_not_taken(position: str | None, taken: bool) -> None:
    # RT-62, RT-7, RT-34
    world = World()
    (one,) = settled(world)
    two = newcomer(world)
    world.server.change("t2", state="hot")
    world.run(200)
    two.look(item("things", "t1"))  # the stream is confirmed here, at event 2
    world.run(500)
    world.server.change("t3", state="hot")  # told to a tab that has no list yet
    world.run(200)
    one.fake.freeze()
    fetched, received = two.fetched(), shared(two).received
    two.look()
    world.run(20)
    number = [message.number for message in said(world, "late") if isinstance(message, m.Question)][-1]
    rows = json.dumps(world.server.answer_of(THINGS) if taken else [])
    forge(world, two, m.write(m.Given("t0", {"late": number}, THINGS.to_json(), 10.0, 10.0, parse_position(position), rows)))
    world.run(5)
    assert (shared(two).received - received, shared(two).unfit) == ((1, 0) if taken else (0, 1))
    world.run(500)
    assert two.fetched() == fetched + (not taken)
    assert world.equal(two)


def test_what_somebody_called_old_is_asked_of_the_server_wherever_it_is_held() -> None:
    # RT-62, RT-31
    world = World()
    settled(world)
    world.server.change("t2", state="hot")
    two = newcomer(world)
    two.look()
    world.run(500)
    fetched, received = two.fetched(), shared(two).received
    two.client.reset(THINGS)
    world.run(500)
    assert two.fetched() == fetched + 1
    assert shared(two).received == received
    assert world.equal(two)


def test_a_tab_takes_in_what_waits_before_it_answers() -> None:
    # RT-62
    world = World()
    settled(world)
    two = newcomer(world)
    behind: list[int] = []
    broadcast = world.origin.broadcast

    def noting(sender: Any, text: Any, to: Any = ()) -> None:
        message = m.read(text) if isinstance(text, str) else None
        if isinstance(message, m.Given):
            assert message.position is not None
            behind.append(world.server.sequence - message.position.sequence)
        broadcast(sender, text, to)

    world.origin.broadcast = noting  # type: ignore[method-assign]
    for number in range(40):
        world.server.change(f"x{number}", state="hot")
        world.run(7)
        if number == 20:
            two.look()
    assert behind == [0]


def test_a_holder_that_holds_it_no_longer_says_so_and_the_server_is_asked_at_once() -> None:
    # RT-62
    latency = [1.0]
    world = World(latency_ms=lambda: latency[0])
    (one,) = settled(world)
    two = newcomer(world)
    latency[0] = 40.0
    world.server.answering = False
    two.look()
    world.run(45)
    one.client.invalidate(THINGS)  # the word of that is on its way when the question is asked
    world.run(100)
    assert (shared(two).asked, shared(two).declined, shared(two).timeouts) == (1, 1, 0)
    assert shared(one).refused == 1
    assert len([pending for pending in world.origin.http.waiting if "things" in pending.request.url]) == 2
    world.server.answering = True
    world.run(1_000)
    assert world.equal(two)


def test_what_a_tab_turned_out_not_to_hold_is_not_asked_for_again() -> None:
    # RT-62
    world = World()
    (one,) = settled(world)
    two = newcomer(world)
    one.fake.freeze()
    two.look()
    world.run(60)
    (question,) = [message for message in said(world, "late") if isinstance(message, m.Question)]
    forge(world, two, m.write(m.Nothing("t0", {"late": question.number})))
    world.run(5)
    assert (shared(two).declined, shared(two).known) == (1, 0)


def test_a_refusal_that_nobody_waits_for_changes_nothing() -> None:
    # RT-62: it came after the 150 ms
    world = World()
    settled(world)
    two = newcomer(world)
    forge(world, two, m.write(m.Nothing("t0", {"late": 7})))
    world.run(5)
    assert (shared(two).declined, shared(two).known) == (0, 1)


def test_data_that_is_too_long_for_the_channel_is_not_lent(monkeypatch: pytest.MonkeyPatch) -> None:
    # RT-62
    monkeypatch.setattr(m, "DATA_LENGTH", 10)
    world = World()
    (one,) = settled(world)
    two = newcomer(world)
    two.look()
    world.run(200)
    assert (shared(one).served, shared(one).refused, shared(two).declined, two.fetched()) == (0, 1, 1, 1)
    assert world.equal(two)


def test_a_hidden_tab_withdraws_what_it_held_and_its_channel_is_closed() -> None:
    # RT-62, RT-50
    world = World()
    one, three = settled(world, count=2)
    two = newcomer(world)
    assert shared(two).known == 2
    for tab in (one, three):
        tab.fake.page.set(hidden=True)
    world.run(10_500)
    assert not one.fake.channel.is_open
    assert shared(two).known == 0
    two.look()
    world.run(200)
    assert shared(two).asked == 0
    assert two.fetched() >= 1
    assert shared(one).holding == 0


def test_what_nobody_looks_at_any_more_is_withdrawn() -> None:
    # RT-62
    world = World()
    one = world.tab("t0", look=False)
    observer = one.look()
    world.run(300)
    two = newcomer(world)
    assert shared(two).known == 1
    observer.close()
    world.server.change("t2", state="hot")
    one.client.wake()
    world.run(300)
    assert shared(two).known == 0


def test_a_tab_that_waits_for_an_answer_asks_the_server_when_it_leaves() -> None:
    # RT-62, RT-71
    world = World()
    (one,) = settled(world)
    two = newcomer(world)
    one.fake.freeze()
    two.look(COUNT)
    two.look()
    world.run(60)
    assert shared(two).asked == 1
    two.client.set_sharing(False)
    world.run(200)
    assert shared(two).timeouts == 0
    assert world.equal(two)
    two.client.close()
    assert two.fake.clock.statistics().pending == 0


def test_a_page_that_closes_while_it_waits_asks_nobody() -> None:
    # RT-62, RT-53
    world = World()
    (one,) = settled(world)
    two = newcomer(world)
    one.fake.freeze()
    two.look()
    world.run(60)
    assert shared(two).asked == 1
    fetched = two.fetched()
    two.client.close()
    world.run(500)
    assert two.fetched() == fetched
    assert two.fake.clock.statistics().pending == 0


def test_the_holder_that_goes_is_waited_for_no_longer() -> None:
    # RT-62
    world = World()
    world.tab("lead", look=False)
    world.run(300)
    one = world.tab("t0")
    world.run(500)
    two = newcomer(world)
    one.fake.freeze()
    two.look()
    world.run(60)
    assert shared(two).asked == 1
    one.fake.busy = False
    one.fake._waiting.clear()  # pyright: ignore[reportPrivateUsage]
    one.fake.put_away()
    world.run(30)
    assert (shared(two).declined, shared(two).timeouts) == (1, 0)
    world.run(300)
    assert world.equal(two)


def test_windows_are_never_shared() -> None:
    # RT-62, RT-3
    world = World()
    key = window("things", after="2026-01-01T00:00:00Z", before="2026-01-02T00:00:00Z")
    (one,) = settled(world, key=key)
    two = newcomer(world)
    assert shared(two).known == 0
    two.look(key)
    world.run(300)
    assert (one.fetched(), two.fetched(), shared(two).asked) == (1, 1, 0)


def test_what_a_person_asks_for_is_asked_of_the_server() -> None:
    # RT-62, RT-37
    world = World()
    _, two = settled(world, count=2)
    fetched = two.fetched()
    two.client.refresh(THINGS)
    world.run(200)
    assert two.fetched() == fetched + 1


@pytest.mark.parametrize("cause", ["gap", "seen again", "invalidated"])
def test_a_snapshot_that_is_owed_is_asked_of_the_server(cause: str) -> None:
    # RT-62, RT-32, RT-51
    world = World()
    _, two = settled(world, count=2)
    world.run(6_000)
    fetched, asked = two.fetched(), shared(two).asked
    match cause:
        case "gap":
            world.server.change("lost", state="hot", silently=True)
            world.server.change("t2", state="hot")
        case "seen again":
            two.fake.page.set(hidden=True)
            world.run(11_000)
            two.fake.page.set(hidden=False)
        case _:
            two.client.invalidate(THINGS)
    world.run(3_000)
    assert two.fetched() > fetched
    assert shared(two).asked == asked
    assert world.equal(two)


def test_versions_and_identities_are_apart() -> None:
    # RT-62
    world = World()
    (one,) = settled(world)
    two = Tab(world, "late", group="penstock of somebody else")
    world.tabs.append(two)
    world.run(200)
    two.look()
    world.run(500)
    assert shared(two).known == shared(two).asked == shared(one).served == 0
    assert two.fetched() >= 1
    assert world.equal(two)


def test_a_query_without_an_exchange_is_never_shared() -> None:
    # RT-62
    world = World()
    queries = {name: replace(spec, exchange=None) for name, spec in world.server.queries().items()}
    world.server.queries = lambda: queries  # type: ignore[method-assign]
    (one,) = settled(world)
    two = newcomer(world)
    two.look()
    world.run(300)
    assert (shared(one).holding, shared(two).known, shared(two).asked, two.fetched()) == (0, 0, 0, 1)


@pytest.mark.parametrize(
    ("reason", "key", "body"), [("unreadable data", THINGS.to_json(), "[{}]"), ("another key", COUNT.to_json(), "[]")]
)
def test_an_answer_that_cannot_be_read_is_counted_by_reason_and_the_fetch_goes_on(reason: str, key: str, body: str) -> None:
    # RT-62, RT-29
    world = World()
    (one,) = settled(world)
    two = newcomer(world)
    one.fake.freeze()
    two.look()
    world.run(60)
    (question,) = [message for message in said(world, "late") if isinstance(message, m.Question)]
    forge(world, two, m.write(m.Given("t0", {"late": question.number}, key, 1.0, 1.0, None, body)))
    world.run(10)
    assert shared(two).malformed == {reason: 1}
    assert shared(two).received == shared(two).timeouts == 0
    assert len([pending for pending in world.origin.http.waiting if "things" in pending.request.url]) == 1
    one.fake.thaw()
    world.run(2_000)
    assert world.equal(two)


@pytest.mark.parametrize(
    ("reason", "text"),
    [("no message", '{"share":"dance","from":"t0"}'), ("no key", m.write(m.Holding("t0", False, {"no key": 3.0})))],
)
def test_what_is_no_message_is_counted_by_reason_and_changes_nothing(reason: str, text: str) -> None:
    # RT-62, RT-29
    world = World()
    (one,) = settled(world)
    forge(world, one, text)
    world.run(50)
    assert shared(one).malformed == {reason: 1}
    assert one.state() == "live"


def test_a_mistake_of_the_application_in_reading_or_writing_is_told_and_costs_nothing_else() -> None:
    # RT-62
    world = World()
    spec = world.server.queries()["things"]

    def broken(*given: Any) -> Any:
        raise RuntimeError("an application's mistake")

    for part in ("dump", "load"):
        assert spec.exchange is not None
        exchange = replace(spec.exchange, dump=broken) if part == "dump" else replace(spec.exchange, load=broken)
        queries = {**world.server.queries(), "things": replace(spec, exchange=exchange)}
        world.server.queries = lambda queries=queries: queries  # type: ignore[method-assign, misc]
        one = world.tab(f"{part} one")
        world.server.run(500)
        two = world.tab(f"{part} two", look=False)
        world.server.run(200)
        two.look()
        world.server.run(500)
        assert world.equal(two)
        assert two.fetched() == 1
        wrong = one if part == "dump" else two
        assert wrong.client.statistics().errors == ("RuntimeError: an application's mistake",)
        assert (shared(one).refused, shared(two).declined) == ((1, 1) if part == "dump" else (0, 0))
        assert shared(two).malformed == ({} if part == "dump" else {"unreadable data": 1})
        one.close()
        two.close()
        world.tabs.clear()


# Backfills ------------------------------------------------------------------------------------------------------------------------


def test_data_that_waits_for_a_backfill_is_lent_with_that_debt_and_one_request_pays_it_for_all() -> None:
    # RT-62, RT-6, RT-42
    hot = live("things", state=["hot"])
    world = World()
    for number in range(60):
        world.server.change(f"x{number}", state="hot")
    tabs = settled(world, key=hot)
    world.server.change("x0", state="hot")  # now it is known where the stream is
    world.run(500)
    for name in ("t1", "t2", "t3"):
        tabs.append(newcomer(world, name))
        tabs[-1].look(hot)
        world.run(300)
    assert [tab.fetched() for tab in tabs[1:]] == [0, 0, 0]
    before = sum(tab.fetched() for tab in tabs)
    # Rows leave the list, so each tab needs what comes after its last row: that only the server knows.
    for number in range(20):
        world.server.change(f"x{59 - number}", state="cold")
        world.run(1_000)
    asked = sum(tab.fetched() for tab in tabs) - before
    assert asked <= 6, "four tabs alone would ask 16 to 20 times"
    world.run(INTERVAL_MS + 2 * LAG_MS + 500)
    assert all(tab.data(hot) == world.server.answer_of(hot) for tab in tabs)
    assert {tab.state(hot) for tab in tabs} == {"live"}


def test_who_borrowed_partial_data_asks_for_the_rest_when_the_lender_is_gone() -> None:
    # RT-62, RT-6
    hot = live("things", state=["hot"])
    world = World()
    for number in range(60):
        world.server.change(f"x{number}", state="hot")
    (one,) = settled(world, key=hot)
    two = newcomer(world)
    for number in range(2):  # for the first it asks at once, for the second in five seconds
        world.server.change(f"x{59 - number}", state="cold")
        world.run(500)
    two.look(hot)
    world.run(300)
    assert shared(two).received == 1
    assert len(two.data(hot)) == 49
    one.fake.kill()
    world.run(INTERVAL_MS + 2 * LAG_MS)
    assert two.data(hot) == world.server.answer_of(hot)


def test_a_page_that_starts_with_partial_data_asks_for_the_rest() -> None:
    # RT-62, RT-6
    hot = live("things", state=["hot"])
    world = World()
    for number in range(3):
        world.server.change(f"x{number}", state="hot")
    settled(world, key=THINGS)
    world.server.change("x0", state="hot")
    world.run(300)
    two = world.tab("late", look=False)
    now = world.clock.now()
    rows = json.dumps(world.server.answer_of(hot)[1:])  # a row is missing, and that tab knew that something was
    position = f"e1:{world.server.sequence}"
    assert two.client.seed_shared(hot, rows, position, now - 500, now, partial=True)
    two.look(hot)
    world.run(300)
    assert len(two.data(hot)) == 2
    world.run(INTERVAL_MS + 2 * LAG_MS)
    assert two.data(hot) == world.server.answer_of(hot)
    assert two.fetched() == 1


# A page that starts ----------------------------------------------------------------------------------------------------------------


def test_what_a_tab_holds_is_written_down_for_the_page_that_starts_next_and_forgotten_when_it_leaves() -> None:
    # RT-62
    world = World()
    (one,) = settled(world)
    world.run(1_500)
    world.server.change("t2", state="hot")
    world.run(1_500)
    name = f"{one.fake.channel.group}:held:{one.fake.name}"
    assert json.loads(world.origin.items[name]) == {"things?mode=live": THINGS.to_json()}
    one.close()
    assert name not in world.origin.items


def test_a_note_that_a_page_deleted_because_the_answer_was_late_is_written_anew() -> None:
    # RT-62
    world = World()
    (one,) = settled(world)
    world.run(1_500)
    world.server.change("t2", state="hot")
    world.run(1_500)
    name = f"{one.fake.channel.group}:held:{one.fake.name}"
    one.fake.freeze()
    forge(world, one, m.write(m.Question("boot", 1, THINGS.to_json())))
    world.run(200)
    del world.origin.items[name]
    one.fake.thaw()
    world.run(1_500)
    world.server.change("t3", state="hot")
    world.run(1_500)
    assert list(json.loads(world.origin.items[name]).values()) == [THINGS.to_json()]
    assert shared(one).served == 1


def test_who_is_asked_and_leaves_before_it_answers_says_nothing_more() -> None:
    # RT-62
    world = World()
    (one,) = settled(world)
    forge(world, one, m.write(m.Question("boot", 1, THINGS.to_json())))
    world.clock.advance(1.0)
    shares: Any = one.client._shares  # pyright: ignore[reportPrivateUsage]
    shares.heard(m.write(m.Question("boot", 2, THINGS.to_json())))
    served = shared(one).served
    one.client.set_sharing(False)
    world.run(100)
    assert shared(one).served == served
    assert len([message for message in said(world) if isinstance(message, m.Given)]) == served


def test_what_another_tab_gave_before_python_ran_is_live_without_a_request() -> None:
    # RT-62, RT-34
    world = World()
    (one,) = settled(world)
    world.server.change("t2", state="hot")
    world.run(200)
    query = one.client._cache.query(THINGS)  # pyright: ignore[reportPrivateUsage]
    assert query.spec.exchange is not None
    text, position = query.spec.exchange.dump(THINGS, query.data), str(query.position)
    world.server.change("t3", state="hot")  # while Python starts
    world.run(300)
    two = world.tab("late", look=False)
    now = world.clock.now()
    assert two.client.seed_shared(THINGS, text, position, now - 9_000, now - 700)
    seeded = two.client.peek(THINGS)
    assert seeded is not None
    assert seeded.updated_ms == pytest.approx(world.clock.wall() - 700, abs=1)
    two.look()
    world.run(500)
    assert two.fetched() == 0
    assert two.state() == "live"
    assert world.equal(two)
    assert shared(two).received == 1


def test_what_was_given_before_python_ran_and_cannot_be_read_is_asked_of_the_server() -> None:
    # RT-62
    world = World()
    settled(world)
    two = world.tab("late", look=False)
    assert not two.client.seed_shared(THINGS, "[{}]", None, 0.0, 0.0)
    assert shared(two).malformed == {"unreadable data": 1}
    two.look()
    world.run(500)
    assert world.equal(two)


def test_polled_data_that_was_given_before_python_ran_is_asked_for_after_its_lender() -> None:
    # RT-62
    world = World()
    (one,) = settled(world, key=COUNT)
    two = world.tab("late", look=False)
    now = world.clock.now()
    assert two.client.seed_shared(COUNT, json.dumps(world.server.answer_of(COUNT)), None, now - 500, now - 500)
    two.look(COUNT)
    world.run(200)
    before = one.fetched()
    world.run(12 * INTERVAL_MS)
    assert two.fetched() == 0
    assert one.fetched() - before in (11, 12, 13)


# Polled by design -----------------------------------------------------------------------------------------------------------------


def test_tabs_that_poll_the_same_share_one_answer_per_interval() -> None:
    # RT-62, RT-8
    world = World()
    tabs = settled(world, key=COUNT, count=5)
    world.run(2 * INTERVAL_MS)
    before = sum(tab.fetched() for tab in tabs)
    world.run(60_000)
    asked = sum(tab.fetched() for tab in tabs) - before
    assert 11 <= asked <= 13
    assert all(tab.data(COUNT) == world.server.answer_of(COUNT) for tab in tabs)
    for tab in tabs:
        age = world.clock.wall() - (tab.result(COUNT).updated_ms or 0.0)
        assert age < INTERVAL_MS + 2 * LAG_MS
        assert tab.state(COUNT) == "polling"


def test_when_the_tab_that_asks_for_all_goes_another_asks_within_the_lag() -> None:
    # RT-62, RT-8
    world = World()
    tabs = settled(world, key=COUNT, count=3)
    world.run(20_000)
    counts = [tab.fetched() for tab in tabs]
    world.run(INTERVAL_MS)
    source = next(tab for tab, count in zip(tabs, counts, strict=True) if tab.fetched() > count)
    rest = [tab for tab in tabs if tab is not source]
    source.fake.kill()
    for _ in range(40):
        world.run(500)
        for tab in rest:
            age = world.clock.wall() - (tab.result(COUNT).updated_ms or 0.0)
            assert age <= INTERVAL_MS + 2 * LAG_MS + 700


def test_what_is_borrowed_looks_as_old_as_it_is_at_the_tab_that_lent_it() -> None:
    # RT-62, RT-84
    world = World()
    (one,) = settled(world, key=COUNT)
    world.run(INTERVAL_MS)
    world.run(2_000)
    two = newcomer(world)
    two.look(COUNT)
    world.run(100)
    assert (two.fetched(), shared(two).received) == (0, 1)
    lent, had = one.result(COUNT), two.result(COUNT)
    assert had.updated_ms is not None
    assert lent.updated_ms is not None
    assert lent.updated_ms - 50 < had.updated_ms <= lent.updated_ms
    # What was borrowed is not lent: this tab did not ask the server.
    assert shared(two).holding == 0


def test_an_answer_older_than_a_stale_time_or_an_interval_is_not_asked_for() -> None:
    # RT-62, RT-10
    world = World()
    settled(world, key=COUNT)
    world.run(3_000)
    two = newcomer(world)
    two.client.use_query(COUNT, lambda result: None, stale_ms=500)
    world.run(100)
    assert (shared(two).asked, two.fetched()) == (0, 1)


def test_two_that_ask_at_the_same_time_become_one() -> None:
    # RT-62
    world = World()
    one, two = world.tab("a", look=False), world.tab("b", look=False)
    world.run(300)
    one.look(COUNT)
    two.look(COUNT)
    world.run(300)
    assert one.fetched() == two.fetched() == 1
    world.run(3 * INTERVAL_MS)
    assert one.fetched() + two.fetched() == 2 + 3


def test_refetches_that_events_cause_are_shared_and_the_last_is_never_lost() -> None:
    # RT-62, RT-42
    world = World()
    tabs = settled(world, key=COUNT, count=4)
    for tab in tabs:
        tab.look(THINGS)
    world.run(20_000)
    before = sum(tab.fetched() for tab in tabs)
    for number in range(300):
        world.server.change(f"x{number % 40}", state=("hot", "cold")[number % 2])
        world.run(100)
    asked = sum(tab.fetched() for tab in tabs) - before
    assert asked <= 4 * 7 / 2, "four tabs alone would ask 28 times"
    world.run(INTERVAL_MS + 2 * LAG_MS + 200)
    assert all(tab.data(COUNT) == world.server.answer_of(COUNT) for tab in tabs)


def test_a_tab_whose_own_request_is_under_way_takes_no_announcement() -> None:
    # RT-62, RT-10
    world = World()
    one, two = settled(world, key=COUNT, count=2)
    world.run(12_000)
    asked = shared(two).asked
    world.server.answering = False
    two.client.refresh(COUNT)
    world.run(20)
    told = m.write(m.Holding(one.fake.name, False, {COUNT.to_json(): 0.0}))
    world.run(INTERVAL_MS - 1_000)
    forge(world, two, told)
    world.run(20)
    assert shared(two).asked == asked
    world.server.answering = True
    world.run(1_000)
    assert two.data(COUNT) == world.server.answer_of(COUNT)


def test_an_announced_answer_that_does_not_come_costs_nothing_but_the_wait() -> None:
    # RT-62, RT-8
    world = World()
    one, two = settled(world, key=COUNT, count=2)
    world.run(INTERVAL_MS / 2)
    one.fake.freeze()
    before, fetched = shared(two), two.fetched()
    forge(world, two, m.write(m.Holding(one.fake.name, False, {COUNT.to_json(): 0.0})))
    world.run(SHARE_MS + 20)
    assert (shared(two).asked, shared(two).timeouts) == (before.asked + 1, before.timeouts + 1)
    assert two.fetched() == fetched, "its interval is not over"
    assert two.state(COUNT) == "polling"
    world.run(2 * INTERVAL_MS)
    assert two.fetched() > fetched


def test_what_cannot_be_exchanged_takes_no_announcement() -> None:
    # RT-62
    world = World()
    bare = {family: replace(spec, exchange=None) for family, spec in world.server.queries().items()}
    world.server.queries = lambda: bare  # type: ignore[method-assign]
    (one,) = settled(world, key=COUNT)
    world.run(INTERVAL_MS / 2)
    forge(world, one, m.write(m.Holding("stranger", False, {COUNT.to_json(): 0.0})))
    world.run(SHARE_MS)
    assert (shared(one).asked, one.state(COUNT)) == (0, "polling")


def test_a_tab_alone_polls_without_a_lag() -> None:
    # RT-62, RT-8
    world = World()
    (one,) = settled(world, key=COUNT)
    world.run(60_000)
    assert one.fetched() in (12, 13)


@pytest.mark.parametrize("tabs", [1, 5])
def test_at_a_part_a_server_polled_answers_are_shared_too(tabs: int) -> None:
    # RT-62
    world = World(part_b=False)
    some = settled(world, key=COUNT, count=tabs)
    world.run(10_000)
    before = sum(tab.fetched() for tab in some)
    world.run(60_000)
    assert 11 <= sum(tab.fetched() for tab in some) - before <= 13


def test_at_a_part_a_server_what_a_stream_writes_has_no_place_and_is_not_shared() -> None:
    # RT-62, RT-34
    world = World(part_b=False)
    settled(world)
    world.run(5_000)
    two = newcomer(world)
    assert shared(two).known == 0
    two.look()
    world.run(3_000)
    assert two.fetched() >= 1
    assert world.equal(two)
