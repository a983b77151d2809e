"""Many tabs cost one: what a person relies on, with whole clients over fakes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tabs_world import Tab, World

from pyapp.core.client import stream_key
from pyapp.core.tabs.election import Out, Role

GRACE_MS = 10_000


def changed(world: World, name: str = "t9", state: str = "hot") -> None:
    world.server.change(name, state=state)
    world.run(300)


def phases(tab: Tab) -> list[tuple[str, str]]:
    return [(str(one.state.phase), str(one.state.reason)) for one in tab.client.statistics().streams]


def test_twenty_tabs_hold_one_connection_and_all_are_live() -> None:
    # RT-60, RT-64
    world = World()
    tabs = world.some(20)
    world.run(2_000)
    assert len(world.origin.sources.open_urls) == 1
    assert [tab.tabs.role for tab in tabs] == [Role.LEADING] + [Role.FOLLOWING] * 19
    assert {tab.state() for tab in tabs} == {"live"}
    changed(world)
    assert all(world.equal(tab) for tab in tabs)
    assert {tab.tabs.tabs for tab in tabs} == {20}
    assert {tab.client.statistics().requests.limit for tab in tabs} == {5}


def test_a_leader_without_others_passes_nothing_on() -> None:
    # RT-60
    world = World()
    (one,) = world.some(1)
    changed(world)
    assert one.fake.channel.forwarded == ""
    assert one.fake.channel.passed == 0
    world.tab("later")
    world.run(500)
    assert one.fake.channel.forwarded == one.tabs.term
    assert one.tabs.told > 0


def test_a_tab_that_comes_later_needs_no_snapshot_of_the_server() -> None:
    # RT-60, RT-62, RT-34
    world = World()
    world.some(1)
    changed(world)
    changed(world, "t8")
    late = world.tab("late")
    world.run(1_000)
    assert late.state() == "live"
    assert world.equal(late)
    assert late.fetched() == 0
    changed(world, "t7")
    assert world.equal(late)
    assert late.fetched() == 0


@pytest.mark.parametrize("way", ["close", "kill", "put_away", "sharing off"])
def test_when_the_leader_goes_another_leads_at_once_and_nothing_is_asked_again(way: str) -> None:
    # RT-61, RT-53
    world = World()
    tabs = world.some(4)
    for number in range(3):
        changed(world, f"t{number}")
    asked = [tab.fetched() for tab in tabs]
    match way:
        case "close":
            tabs[0].close()
        case "kill":
            tabs[0].fake.kill()
        case "put_away":
            tabs[0].fake.put_away()
        case _:
            tabs[0].client.set_sharing(False)
    world.server.change("meanwhile", state="hot")
    world.run(400)
    rest = tabs[1:]
    assert [tab.tabs.role for tab in rest] == [Role.LEADING, Role.FOLLOWING, Role.FOLLOWING]
    assert {tab.state() for tab in rest} == {"live"}
    assert all(world.equal(tab) for tab in rest)
    assert [tab.fetched() for tab in rest] == asked[1:]
    assert rest[0].tabs.term.startswith("2:")


def test_a_silent_leader_is_replaced_by_theft_and_steps_down_when_it_hears_of_it() -> None:
    # RT-61
    world = World()
    tabs = world.some(3)
    changed(world)
    tabs[0].fake.freeze()
    world.run(950)  # less than the silence, since the last beat that came
    assert {tab.state() for tab in tabs[1:]} == {"live"}
    world.run(1_150)
    assert sorted(str(tab.tabs.role) for tab in tabs[1:]) == ["following", "leading"]
    assert sum(tab.tabs.steals for tab in tabs[1:]) == 1
    for number in range(3):
        changed(world, f"t{number}")
    said = len(world.origin.said)
    tabs[0].fake.thaw()
    world.run(300)
    assert tabs[0].tabs.role is Role.FOLLOWING
    assert tabs[0].tabs.deposed == 1
    # What it still passed on before it knew was of an older term: nobody took it in.
    under_old = [word for name, word in world.origin.said[said:] if name == "t0" and not isinstance(word, str)]
    assert all(word.term.startswith("1:") for word in under_old)
    for tab in tabs[1:]:
        assert {one.term for one in tab.fake.channel.applied[-len(under_old) or None :]} <= {"1:t0", tabs[1].tabs.term}
    world.run(1_000)
    assert all(world.equal(tab) for tab in tabs)
    assert len(world.origin.sources.open_urls) == 1


def test_nothing_is_applied_twice_or_missed_when_leaders_change() -> None:
    # RT-28, RT-61
    world = World()
    tabs = world.some(5)
    got: dict[str, list[int]] = {tab.fake.name: [] for tab in tabs}
    for tab in tabs:
        tab.client.use_stream(stream_key("things"), lambda event, seen=got[tab.fake.name]: seen.append(event.thing.version))
    for number in range(40):
        world.server.change(f"t{number % 7}", state=str(number))
        world.run(60)
        if number % 10 == 5:
            tabs[number // 10].fake.kill()
    world.run(1_000)
    assert got["t4"] == list(range(got["t4"][0], got["t4"][0] + 40))


def test_a_hidden_leader_forwards_on_and_hands_over_after_its_grace() -> None:
    # RT-50, RT-61
    world = World()
    tabs = world.some(3)
    tabs[0].fake.page.set(hidden=True)
    world.run(GRACE_MS - 500)
    changed(world)
    assert tabs[0].tabs.role is Role.LEADING
    assert all(world.equal(tab) for tab in tabs[1:])
    world.run(700)
    assert (tabs[0].tabs.role, tabs[0].tabs.reason) == (Role.OUT, Out.HIDDEN)
    assert not tabs[0].fake.channel.is_open
    assert tabs[0].fake.holds() is False or tabs[0].fake.clock.statistics().pending > 0
    assert [tab.tabs.role for tab in tabs[1:]] == [Role.LEADING, Role.FOLLOWING]
    assert {tab.state() for tab in tabs[1:]} == {"live"}
    assert world.origin.sources.open_of(tabs[0].fake) == []
    tabs[0].fake.page.set(hidden=False)
    world.run(2_000)
    assert tabs[0].tabs.role is Role.FOLLOWING
    assert tabs[0].state() == "live"
    assert world.equal(tabs[0])


def test_hidden_tabs_leave_the_queue_and_close_their_channel() -> None:
    # RT-62, RT-50
    world = World()
    tabs = world.some(3)
    tabs[1].fake.page.set(hidden=True)
    world.run(GRACE_MS + 500)
    assert not tabs[1].fake.channel.is_open
    assert tabs[0].tabs.tabs == 2
    tabs[0].close()
    world.run(400)
    assert tabs[2].tabs.role is Role.LEADING


def test_with_every_tab_hidden_nothing_is_held() -> None:
    # RT-50
    world = World()
    tabs = world.some(3)
    for tab in tabs:
        tab.fake.page.set(hidden=True)
    world.run(GRACE_MS + 500)
    assert world.origin.sources.open_urls == {}
    assert world.origin.locks.count() == 0


@pytest.mark.parametrize(("missing", "reason"), [("locks", Out.NO_LOCKS), ("channel", Out.NO_CHANNEL)])
def test_without_the_browsers_means_each_tab_works_alone_and_says_so(missing: str, reason: Out) -> None:
    # RT-63
    world = World()
    tabs = [world.tab(f"t{number}", locks=missing != "locks", channel=missing != "channel") for number in range(2)]
    world.run(1_000)
    assert [(tab.tabs.role, tab.tabs.reason) for tab in tabs] == [(Role.OUT, reason)] * 2
    assert {tab.state() for tab in tabs} == {"live"}
    assert len(world.origin.sources.open_urls) == 2
    tabs[0].client.close()
    tabs[1].fake.page.set(hidden=True)
    world.run(GRACE_MS + 500)
    assert tabs[1].tabs.reason is reason
    assert world.origin.sources.open_urls == {}


def test_without_storage_terms_are_counted_from_what_is_heard() -> None:
    # RT-61
    world = World()
    one, two = world.some(2)
    world.origin.items.clear()
    one.close()
    world.run(300)
    assert two.tabs.term == "2:t1"
    world.origin.items["ann:term"] = "nonsense"
    three = world.tab("t3")
    world.run(300)
    two.close()
    world.run(300)
    assert three.tabs.term == "3:t3"


def test_a_browser_without_storage_counts_terms_too() -> None:
    # RT-61, RT-63
    world = World()
    one, two, three = (world.tab(f"t{number}", storage=False) for number in range(3))
    terms: list[str] = []
    for leader, heir in ((one, two), (two, three)):
        world.run(300)
        terms.append(leader.tabs.term)
        assert heir.tabs.term == leader.tabs.term
        leader.close()
    world.run(300)
    assert (terms, three.tabs.term) == (["1:t0", "2:t1"], "3:t2")
    assert world.origin.items == {}


def test_sharing_is_switched_on_and_off_while_it_runs() -> None:
    # RT-71, RT-60
    world = World()
    one, two = world.some(2)
    two.client.set_sharing(False)
    world.run(500)
    assert (two.tabs.role, two.tabs.reason, two.tabs.tabs) == (Role.OUT, Out.FLAG_OFF, 1)
    assert len(world.origin.sources.open_urls) == 2
    assert two.state() == "live"
    two.client.set_sharing(True)
    world.run(500)
    assert two.tabs.role is Role.FOLLOWING
    assert len(world.origin.sources.open_urls) == 1
    one.client.set_streaming(False)
    world.run(500)
    assert two.tabs.role is Role.LEADING
    assert one.tabs.reason is Out.FLAG_OFF
    one.client.set_streaming(True)
    world.run(500)
    assert one.tabs.role is Role.FOLLOWING
    world.run(6_000)
    assert {one.state(), two.state()} == {"live"}


def test_a_drop_at_the_leader_shows_in_every_tab_and_ends_in_every_tab() -> None:
    # RT-60, RT-30
    world = World()
    tabs = world.some(3)
    changed(world)
    world.server.accepting = False
    world.server.drop()
    world.run(400)
    assert {phases(tab)[0][0] for tab in tabs} == {"reconnecting"}
    assert {tab.state() for tab in tabs} == {"stale"}
    world.server.accepting = True
    world.run(40_000)
    assert {tab.state() for tab in tabs} == {"live"}
    changed(world, "after")
    assert all(world.equal(tab) for tab in tabs)


def test_what_the_server_refuses_is_refused_in_every_tab_and_one_person_may_ask_again() -> None:
    # RT-36, RT-60
    world = World(multiplexed=False)
    tabs = world.some(2)
    world.server.wire.refusal = 403
    world.server.drop()
    world.run(8_000)
    assert [phases(tab) for tab in tabs] == [[("closed", "forbidden")]] * 2
    late = world.tab("late")
    world.run(500)
    assert phases(late) == [("closed", "forbidden")]
    world.server.wire.refusal = None
    late.client.try_now()
    world.run(2_000)
    assert phases(late)[0][0] == "open"
    assert phases(tabs[0])[0][0] == "open"


@pytest.mark.parametrize("how", ["a person asks", "another identity"])
def test_an_attempt_that_is_asked_for_at_a_follower_is_made_by_the_leader_for_all(how: str) -> None:
    # RT-25, RT-60
    world = World()
    tabs = world.some(3)
    world.server.accepting = False
    world.server.drop()
    world.run(20_000)
    world.server.accepting = True
    world.run(1_000)
    assert {phases(tab)[0][0] for tab in tabs} == {"reconnecting"}  # the next attempt is seconds away
    attempts = [tab.client.statistics().totals.attempts for tab in tabs]
    if how == "a person asks":
        tabs[1].client.try_now()
    else:
        tabs[1].client.identity_changed()
    world.run(500)
    assert {phases(tab)[0][0] for tab in tabs} == {"open"}
    assert [tab.client.statistics().totals.attempts for tab in tabs] == [before + 1 for before in attempts]
    assert len(world.origin.sources.open_urls) == 1


def test_while_nobody_leads_a_person_who_asks_for_an_attempt_asks_nobody() -> None:
    # RT-61
    world = World()
    lead, other = world.some(2)
    other.fake.page.set(hidden=True)  # for less than its grace: it takes part, and takes the lock from nobody
    lead.fake.freeze()
    world.run(2_500)
    assert other.tabs.role is Role.WAITING
    posted = other.fake.channel.posted
    other.client.try_now()
    world.run(100)
    assert other.fake.channel.posted == posted
    assert phases(other) == [("reconnecting", "follower")]  # and it does not say that it connects
    lead.fake.thaw()
    other.fake.page.set(hidden=False)
    world.run(2_000)
    assert {lead.state(), other.state()} == {"live"}


def test_when_the_network_is_back_the_leader_renews_the_connection_for_all() -> None:
    # RT-52, RT-60
    world = World()
    tabs = world.some(3)
    changed(world)
    for online in (False, True):
        for tab in tabs:
            tab.client.set_offline(not online)
        assert {phases(tab)[0][0] for tab in tabs} == {"open"}  # offline is a hint
        world.run(3_000)
    assert [line.split("?")[0] for line in world.origin.sources.history] == ["open streams", "close streams", "open streams"]
    assert {tab.state() for tab in tabs} == {"live"}
    changed(world, "after")
    assert all(world.equal(tab) for tab in tabs)


def test_at_a_part_a_server_a_later_tab_is_confirmed_and_then_asks() -> None:
    # RT-34, RT-60
    world = World(part_b=False)
    one = world.some(1)[0]
    world.run(3_000)
    late = world.tab("late")
    world.run(4_000)
    assert late.tabs.role is Role.FOLLOWING
    assert {one.state(), late.state()} == {"live"}
    assert len(world.origin.sources.open_urls) == 1
    changed(world)
    assert world.equal(late)
    one.fake.kill()
    world.run(4_000)
    assert late.state() == "live"
    changed(world, "t3")
    assert world.equal(late)


def test_a_stream_that_only_a_follower_wants_is_opened_and_closed_by_the_leader() -> None:
    # RT-20, RT-60
    world = World()
    lead = world.tab("lead", look=False)
    world.run(300)
    other = world.tab("other", look=False)
    world.run(300)
    assert world.origin.sources.open_urls == {}
    observer = other.look()
    world.run(500)
    assert (lead.tabs.serving, lead.tabs.forwarded, other.tabs.forwarded) == (1, ("things",), ("things",))
    assert other.state() == "live"
    assert len(world.origin.sources.open_of(lead.fake)) == 1
    observer.close()
    world.run(2_000)
    assert world.origin.sources.open_urls == {}
    assert lead.tabs.serving == 0


def test_a_tab_that_vanishes_without_a_word_is_forgotten() -> None:
    # RT-60
    world = World()
    lead = world.tab("lead", look=False)
    world.run(300)
    other = world.tab("other")
    world.run(500)
    assert len(world.origin.sources.open_urls) == 1
    other.fake.kill()
    world.run(4_000)
    assert lead.tabs.serving == 1
    world.run(3_000)
    assert lead.tabs.serving == 0
    assert world.origin.sources.open_urls == {}


@pytest.mark.parametrize("part_b", [True, False])
def test_a_tab_that_was_forgotten_while_it_was_frozen_learns_what_it_missed(part_b: bool) -> None:
    # RT-60, RT-84
    world = World(part_b=part_b)
    one, two = world.some(2)
    world.run(3_000)
    changed(world)
    two.fake.freeze()
    world.run(7_000)
    assert (one.tabs.tabs, one.fake.channel.forwarded) == (1, "")
    changed(world, "t7")  # nobody else wants it: it is not passed on
    two.fake.thaw()
    world.run(4_000)
    assert two.tabs.role is Role.FOLLOWING
    assert two.state() == "live"
    assert world.equal(two)
    assert phases(two) == [("open", "")]


def test_a_leader_that_was_late_itself_forgets_nobody() -> None:
    # RT-60
    world = World()
    one, two = world.some(2)
    world.run(2_100)
    one.fake.freeze()
    two.fake.freeze()  # the whole machine
    world.run(6_000)
    rows = len(two.data())
    world.server.change("t9", state="hot")
    one.fake.thaw()
    assert one.tabs.tabs == 2
    two.fake.thaw()
    world.run(500)
    assert one.tabs.tabs == 2
    assert len(two.data()) == rows + 1
    assert sum(tab.tabs.steals for tab in (one, two)) == 0


def test_what_a_tab_wants_is_repeated_with_the_beats_of_its_leader() -> None:
    # RT-60
    world = World()
    one, _ = world.some(2)
    world.run(1_000)
    said = len(world.origin.said)
    world.run(10_000)
    wants = [word for name, word in world.origin.said[said:] if name == "t1" and isinstance(word, str) and '"want"' in word]
    assert 4 <= len(wants) <= 5
    assert one.tabs.tabs == 2


def test_tabs_of_another_person_or_version_are_apart() -> None:
    # RT-60
    world = World()
    world.some(1)
    stranger = world.tab("stranger", group="bob")
    world.run(1_000)
    assert (stranger.tabs.role, stranger.tabs.tabs) == (Role.LEADING, 1)
    assert len(world.origin.sources.open_urls) == 2


def test_who_signs_in_leaves_the_tabs_of_before_and_joins_those_of_now() -> None:
    # RT-60, RT-36
    world = World()
    one, two, three = world.some(3)
    bobs = world.tab("bobs", group="bob")
    world.run(1_000)
    # A follower goes: its leader serves it no more, and it rides on the other's connection.
    three.client.identity_changed("bob")
    world.run(1_000)
    assert (three.tabs.role, three.tabs.leader, one.tabs.tabs, bobs.tabs.tabs) == (Role.FOLLOWING, "bobs", 2, 2)
    # The leader goes: another leads at once, and what it held for them is closed.
    one.client.identity_changed("bob")
    world.run(1_000)
    assert (one.tabs.role, one.tabs.leader) == (Role.FOLLOWING, "bobs")
    assert (two.tabs.role, two.tabs.tabs) == (Role.LEADING, 1)
    assert len(world.origin.sources.open_urls) == 2
    said = len(world.origin.said)
    changed(world)
    assert {tab.state() for tab in world.tabs} == {"live"}
    assert all(world.equal(tab) for tab in world.tabs)
    assert {name for name, word in world.origin.said[said:] if not isinstance(word, str)} == {"bobs"}
    # The same person again, or a tab that is alone, has nowhere to go.
    before = one.tabs
    one.client.identity_changed("bob")
    assert one.tabs.term == before.term
    two.client.set_sharing(False)
    two.client.identity_changed("bob")
    world.run(500)
    assert two.tabs.role is Role.OUT
    two.client.set_sharing(True)
    world.run(1_000)
    assert (two.tabs.leader, len(world.origin.sources.open_urls)) == ("bobs", 1)
    assert world.origin.locks.count() == 4
    two.client.close()
    two.client.identity_changed("cat")
    assert two.tabs.role is Role.OUT


def test_words_that_are_none_are_counted_and_change_nothing() -> None:
    world = World()
    one, two = world.some(2)
    for text in ("nonsense", json.dumps({"say": "want", "from": "x", "term": [9, "nobody"], "streams": []})):
        one.fake.channel.arrived(text)
        two.fake.channel.arrived(text)
    stranger: dict[str, Any] = {"say": "want", "from": "x", "term": [1, "t0"], "streams": [["no such stream", [], ""]], "ask": ["x"]}
    one.fake.channel.arrived(json.dumps(stranger))
    world.run(300)
    assert one.tabs.unread == two.tabs.unread == 1
    assert {one.state(), two.state()} == {"live"}


def test_a_closed_client_leaves_no_lock_channel_timer_or_connection() -> None:
    # RT-53
    world = World()
    tabs = world.some(3)
    for tab in tabs:
        tab.client.close()
        tab.client.close()
    world.run(6_000)
    assert world.origin.sources.open_urls == {}
    assert world.origin.locks.count() == 0
    assert not any(tab.fake.holds() for tab in tabs)


def test_sleep_of_the_machine_is_a_gap_in_every_tab() -> None:
    # RT-52
    world = World()
    tabs = world.some(2)
    changed(world)
    asked = [tab.fetched() for tab in tabs]
    for tab in tabs:
        tab.fake.freeze()
    world.run(20_000)
    for tab in tabs:
        tab.fake.thaw()
    world.run(5_000)
    assert {tab.state() for tab in tabs} == {"live"}
    assert all(after > before for after, before in zip([tab.fetched() for tab in tabs], asked, strict=True))
