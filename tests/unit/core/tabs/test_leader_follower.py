"""What a leader tells and what a follower makes of it, record by record."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel

from pyapp.core.ports import FrameKind, RawFrame
from pyapp.core.streams.connection import Connection, Phase, Reason
from pyapp.core.streams.decode import Decoder
from pyapp.core.streams.position import Position
from pyapp.core.streams.spec import Control, StreamSpec, stream_key
from pyapp.core.tabs.follower import LOST, OPENING, REFUSED, WELCOME, Follower
from pyapp.core.tabs.leader import RECENT, RECENT_LENGTH, Leader
from pyapp.core.tabs.ports import MUX, Passed


class Said(BaseModel):
    type: Literal["row", "synced", "failed"] = "row"


EVENTS = StreamSpec("events", "events/stream", Decoder(Said), 1)
WHOLE = replace(EVENTS, whole=True)
CONTROLS = {"synced": Control.SYNCED, "failed": Control.ERROR}


def control(event: Any) -> Control | None:
    return CONTROLS.get(event.type)


SCOPED = replace(EVENTS, scoped=True, control=control)
KEY, WIRE = stream_key("events"), "events"


def message(number: int, data: str = "{}", life: str = "e1") -> RawFrame:
    return RawFrame(1, FrameKind.MESSAGE, f"{life}:{number}", data)


def hello(*, resumed: bool = False, sequence: int | None = None) -> RawFrame:
    said: dict[str, Any] = {"epoch": "e1", "heartbeat_ms": 5_000, "resumed": resumed}
    return RawFrame(1, FrameKind.HELLO, "", json.dumps(said if sequence is None else {**said, "sequence": sequence}))


def passed(frame: RawFrame) -> Passed:
    return Passed(WIRE, frame.kind, frame.id, frame.data)


def short(frames: Any) -> list[str]:
    """Frames in a word each."""
    words: list[str] = []
    for frame in frames:
        if frame.kind in (FrameKind.HELLO, WELCOME):
            said = json.loads(frame.data)
            words.append(f"hello {'resumed' if said['resumed'] else 'anew'} {said.get('sequence', '-')}")
        else:
            words.append(f"{frame.kind} {frame.id or frame.data}".strip())
    return words


class Tab:
    """A follower with one stream."""

    def __init__(self, last: Position | None = None) -> None:
        self.heard: list[str] = []
        self.follower = Follower(lambda: 1_000.0, self.heard.append)
        self.follower.open(7, KEY, WIRE, last)

    def hear(self, *records: Passed) -> list[str]:
        frames, self.ready = self.follower.passed(records)
        assert all(frame.source == 7 for frame in frames)
        return short(frames)


# The follower ---------------------------------------------------------------------------------------------------------------------


def test_a_hello_to_the_leader_resumes_whoever_reached_where_it_begins() -> None:
    # RT-61
    opening = Passed(WIRE, OPENING, "e1:5", "")
    resumed = passed(hello(resumed=True))
    assert Tab(Position("e1", 5)).hear(opening, resumed) == ["hello resumed 5"]
    assert Tab(Position("e1", 9)).hear(opening, resumed) == ["hello resumed 5"]  # ahead: what comes again is old
    assert Tab(Position("e1", 4)).hear(opening, resumed) == ["hello anew 5"]
    assert Tab(Position("e0", 9)).hear(opening, resumed) == ["hello anew 5"]
    assert Tab(None).hear(opening, resumed) == ["hello anew 5"]


def test_a_hello_that_does_not_resume_the_leader_may_resume_a_tab_that_is_ahead() -> None:
    # RT-61
    anew = passed(hello(sequence=8))
    opening = Passed(WIRE, OPENING, "", "")
    assert Tab(Position("e1", 8)).hear(opening, anew) == ["hello resumed 8"]
    assert Tab(Position("e1", 7)).hear(opening, anew) == ["hello anew 8"]
    assert Tab(Position("e1", 8)).hear(opening, passed(hello())) == ["hello anew -"]
    assert Tab(Position("e1", 8)).hear(Passed(WIRE, OPENING, "e0:8", ""), passed(hello(resumed=True))) == ["hello anew -"]


def test_a_resumed_hello_whose_beginning_was_not_heard_greets_nobody() -> None:
    # RT-61, RT-28: a tab that followed a moment too late; what it asked for comes as a welcome
    tab = Tab(Position("e1", 16))
    assert tab.hear(passed(hello(resumed=True)), passed(message(16))) == []
    assert tab.follower.early == 2
    assert tab.hear(Passed(WIRE, WELCOME, "", hello(sequence=16).data)) == ["hello resumed 16"]


def test_frames_before_the_greeting_are_of_an_earlier_connection() -> None:
    # RT-61
    tab = Tab()
    assert tab.hear(passed(message(4)), Passed(WIRE, OPENING, "", ""), passed(message(5))) == []
    assert tab.hear(passed(hello(sequence=5)), passed(message(6))) == ["hello anew 5", "message e1:6"]
    assert tab.follower.early == 2


def test_at_a_part_a_server_the_socket_opens_and_data_follows() -> None:
    opened = Passed(WIRE, FrameKind.OPENED, "", "")
    named = Passed(WIRE, FrameKind.NAMED_OPEN, "", "connected")
    data = Passed(WIRE, FrameKind.MESSAGE, "", "{}")
    assert Tab().hear(opened, named, data) == ["opened", "named-open connected", "message {}"]


def test_an_envelope_is_cut_and_what_the_connection_says_of_itself_ends_here() -> None:
    # RT-60
    tab = Tab()
    envelope = '{"stream":"events","id":"","event":"hello","data":{"epoch":"e1","resumed":false,"sequence":3}}'
    data = '{"stream":"events","id":"e1:4","event":"message","data":{"type":"row"}}'
    refused = '{"stream":"events","id":"","event":"refused","data":{"status":403}}'
    other = data.replace("events", "others")
    records = [Passed(MUX, "message", "", text) for text in (envelope, data, other, refused, "torn")]
    assert tab.hear(*records) == ["hello anew 3", "message e1:4"]
    assert tab.hear(Passed(MUX, "hello", "", '{"at":"2027-01-15T08:00:00Z"}'), Passed(MUX, "opened", "", "")) == []
    assert tab.heard == ["2027-01-15T08:00:00Z"]
    assert (tab.follower.invalid, tab.follower.strays, tab.follower.received) == (1, 1, 7)


def test_what_is_lost_at_the_leader_is_lost_here_for_the_same_reason() -> None:
    # RT-60
    tab = Tab()
    tab.hear(passed(hello(sequence=3)))
    frames, _ = tab.follower.passed([Passed(WIRE, LOST, "dropped", "250.0")])
    assert frames == [RawFrame(7, FrameKind.LOST, "dropped", "1250.0")]
    assert tab.hear(Passed(WIRE, LOST, "no reason of ours", "soon")) == ["lost follower"]
    assert tab.hear(Passed(WIRE, LOST, "budget", "-5")) == ["lost budget"]
    assert tab.hear(Passed(WIRE, REFUSED, "", '{"status":403}')) == ['refused {"status":403}']


def test_what_the_leaders_own_socket_says_is_not_for_the_others() -> None:
    tab = Tab()
    tab.hear(passed(hello(sequence=3)))
    for kind in (FrameKind.FAILED, FrameKind.NAMED_ERROR, FrameKind.BYE):
        assert tab.hear(Passed(WIRE, kind, "", "0")) == []
    assert tab.hear(Passed(WIRE, "something new", "", "")) == []


def test_a_connection_after_another_is_told_as_lost_and_held_until_it_is_opened_anew() -> None:
    # RT-30, RT-61
    tab = Tab()
    tab.hear(passed(hello(sequence=3)), passed(message(4)))
    out = tab.hear(Passed(WIRE, OPENING, "e1:4", ""), passed(hello(resumed=True)), passed(message(5)))
    assert out == ["lost follower"]
    assert tab.ready
    tab.follower.close(7)
    again = tab.follower.open(8, KEY, WIRE, Position("e1", 4))
    assert short(again) == ["hello resumed 4", "message e1:5"]
    assert {frame.source for frame in again} == {8}


def test_a_stream_that_is_lost_waits_for_its_opening() -> None:
    tab = Tab()
    tab.hear(passed(hello(sequence=3)), Passed(WIRE, LOST, "dropped", ""))
    assert tab.hear(passed(message(9))) == []
    assert not tab.ready
    assert tab.hear(Passed(WIRE, OPENING, "e1:3", ""), passed(hello(resumed=True))) == []
    assert tab.ready
    # It is lost again before anybody opened it: what was held is of no use.
    assert tab.hear(Passed(WIRE, LOST, "silent", "")) == ["lost silent"]
    tab.follower.close(7)
    assert tab.follower.open(8, KEY, WIRE, None) == []


def test_what_is_held_for_a_stream_that_nobody_opens_again_is_forgotten() -> None:
    tab = Tab()
    tab.hear(passed(hello(sequence=3)), Passed(WIRE, OPENING, "e1:3", ""))
    tab.follower.close(7)
    tab.follower.forget_held()
    assert tab.follower.open(8, KEY, WIRE, None) == []
    assert tab.follower.close(99) is None


def test_a_reset_forgets_the_place() -> None:
    tab = Tab()
    tab.hear(passed(hello(sequence=3)), passed(message(4)), Passed(WIRE, FrameKind.RESET, "", "{}"))
    assert tab.follower.places()[0].last is None


def test_a_leader_that_is_gone_is_a_loss_of_what_was_greeted() -> None:
    # RT-61
    tab = Tab()
    assert tab.follower.lose(Reason.FOLLOWER) == []
    tab.hear(passed(hello(sequence=3)))
    assert short(tab.follower.lose(Reason.FOLLOWER)) == ["lost follower"]
    assert tab.follower.lose(Reason.FOLLOWER) == []


# The leader -----------------------------------------------------------------------------------------------------------------------


def led(spec: StreamSpec = EVENTS, last: Position | None = None) -> Leader:
    leader = Leader()
    leader.open(1, WIRE, spec, last)
    return leader


def note(leader: Leader, *frames: RawFrame) -> None:
    for frame in frames:
        leader.note(frame)


def standing(leader: Leader, last: Position | None = None) -> list[str]:
    return short(leader.standing(WIRE, last))


def test_all_tabs_hear_that_a_stream_is_opened_and_from_where() -> None:
    # RT-61
    leader = Leader()
    assert leader.open(1, WIRE, EVENTS, Position("e1", 5)) == Passed(WIRE, OPENING, "e1:5", "")
    assert leader.open(2, "others", EVENTS, None) == Passed("others", OPENING, "", "")
    assert standing(leader) == ["opening e1:5"]


def test_a_tab_that_comes_later_is_greeted_where_the_stream_is() -> None:
    # RT-60
    leader = led()
    note(leader, hello(sequence=3), message(4), message(5))
    assert standing(leader) == ["hello anew 5"]
    assert standing(leader, Position("e0", 9)) == ["hello anew 5"]
    assert standing(leader, Position("e1", 1)) == ["hello anew 5"]
    assert standing(leader, Position("e1", 5)) == ["hello anew 5"]


def test_a_tab_that_is_a_little_behind_gets_the_frames_since() -> None:
    # RT-60
    leader = led()
    note(leader, hello(sequence=3), message(4), message(5), message(6))
    assert standing(leader, Position("e1", 4)) == ["hello anew 4", "message e1:5", "message e1:6"]
    tab = Tab(Position("e1", 4))
    assert tab.hear(*leader.standing(WIRE, Position("e1", 4))) == ["hello resumed 4", "message e1:5", "message e1:6"]


def test_a_welcome_to_who_was_greeted_meanwhile_changes_nothing() -> None:
    leader = led()
    note(leader, hello(sequence=3), message(4))
    tab = Tab()
    tab.hear(passed(hello(sequence=3)), passed(message(4)))
    assert tab.hear(*leader.standing(WIRE, None)) == []
    note(leader, message(5))
    assert tab.hear(*leader.standing(WIRE, None)) == ["hello anew 5"]  # it missed one: a gap


def test_frames_after_a_hole_are_not_kept_with_those_before() -> None:
    leader = led()
    note(leader, hello(sequence=3), message(4), message(6), message(7))
    assert standing(leader, Position("e1", 4)) == ["hello anew 7"]
    assert standing(leader, Position("e1", 6)) == ["hello anew 6", "message e1:7"]


def test_what_is_kept_is_bounded_in_number_and_length() -> None:
    leader = led()
    note(leader, hello(sequence=0), *(message(number) for number in range(1, RECENT + 10)))
    assert standing(leader, Position("e1", 8))[0] == f"hello anew {RECENT + 9}"
    assert len(standing(leader, Position("e1", 9))) == 1 + RECENT
    leader = led()
    note(leader, hello(sequence=0), *(message(number, "x" * (RECENT_LENGTH // 4)) for number in range(1, 20)))
    assert len(standing(leader, Position("e1", 15))) == 1 + 4
    note(leader, message(20, "x" * (2 * RECENT_LENGTH)))
    assert standing(leader, Position("e1", 19))[0] == "hello anew 19"


def test_a_stream_of_whole_states_says_its_last_once_more() -> None:
    # RT-60
    leader = led(WHOLE)
    note(leader, hello(), message(8, "[1]"), message(9, "[2]"))
    assert standing(leader) == ["hello anew 8", "message e1:9"]
    part_a = led(WHOLE)
    note(part_a, RawFrame(1, FrameKind.OPENED, "", ""), RawFrame(1, FrameKind.MESSAGE, "", "[3]"))
    assert standing(part_a) == ["opened", "message [3]"]
    note(leader, RawFrame(1, FrameKind.HEARTBEAT, "", '{"sequence":12}'))
    assert standing(leader) == ["hello anew 12"]


def test_at_a_part_a_server_a_tab_that_comes_later_gets_no_event_of_before() -> None:
    leader = led()
    opened, data = RawFrame(1, FrameKind.OPENED, "", ""), RawFrame(1, FrameKind.MESSAGE, "", "{}")
    note(leader, opened, RawFrame(1, FrameKind.NAMED_OPEN, "", "connected"), data)
    assert standing(leader) == ["opened"]


def test_a_scoped_stream_is_confirmed_by_what_confirmed_it_before() -> None:
    # RT-30
    leader = led(SCOPED)
    synced, row = '{"type":"synced"}', '{"type":"row"}'
    note(leader, hello(sequence=1), message(2, synced), message(3, row), message(4, "torn"))
    assert standing(leader) == ["hello anew 4", f"message {synced}"]
    note(leader, message(5, '{"type":"failed"}'))
    assert standing(leader) == ["hello anew 5"]


def test_a_reset_and_a_heartbeat_ahead_leave_no_frames_to_begin_with() -> None:
    leader = led()
    note(leader, hello(sequence=3), message(4), RawFrame(1, FrameKind.HEARTBEAT, "", '{"sequence":4}'))
    assert standing(leader, Position("e1", 3)) == ["hello anew 3", "message e1:4"]
    note(leader, RawFrame(1, FrameKind.HEARTBEAT, "", '{"sequence":9}'))
    assert standing(leader, Position("e1", 3)) == ["hello anew 9"]
    note(leader, RawFrame(1, FrameKind.RESET, "", "{}"))
    assert standing(leader) == ["hello anew -"]
    note(leader, RawFrame(1, FrameKind.HEARTBEAT, "", "{}"))
    assert standing(leader) == ["hello anew -"]


def test_a_hello_that_resumes_goes_on_from_the_place_that_was_asked_for() -> None:
    leader = led(last=Position("e1", 5))
    note(leader, hello(resumed=True), message(6))
    assert standing(leader, Position("e1", 5)) == ["hello anew 5", "message e1:6"]


def test_how_a_stream_stands_that_is_not_open_is_told_with_its_reason() -> None:
    # RT-60, RT-64
    leader = led()
    note(leader, hello(sequence=3))
    state = Connection(Phase.RECONNECTING, Reason.DROPPED, retry_at_ms=1_500.0)
    said = Passed(WIRE, LOST, "dropped", "500.0")
    assert leader.changed(WIRE, state, 1_000.0) == said
    assert leader.standing(WIRE, None) == (said,)
    budget = Passed(WIRE, LOST, "budget", "")
    assert leader.changed(WIRE, Connection(Phase.CLOSED, Reason.BUDGET), 0.0) == budget
    for ended, status in ((Reason.FORBIDDEN, 403), (Reason.ENDED, 204)):
        refused = leader.changed(WIRE, Connection(Phase.CLOSED, ended, ended=ended), 0.0)
        assert refused == Passed(WIRE, REFUSED, "", f'{{"status":{status}}}')
    assert leader.changed(WIRE, Connection(Phase.OPEN, Reason.NONE), 0.0) is None
    leader.open(2, WIRE, EVENTS, None)
    assert standing(leader) == ["opening"]


def test_a_tab_that_missed_something_is_told_as_if_the_stream_were_lost_and_opened_anew() -> None:
    # RT-60
    leader = led()
    assert short(leader.anew(WIRE, None)) == ["lost follower", "opening"]
    note(leader, hello(sequence=3), message(4), message(5))
    told = leader.anew(WIRE, Position("e1", 4))
    assert short(told) == ["lost follower", "opening", "hello anew 4", "message e1:5"]
    assert short(leader.anew("not known", None)) == ["lost follower"]
    leader.changed(WIRE, Connection(Phase.CLOSED, Reason.FORBIDDEN, ended=Reason.FORBIDDEN), 0.0)
    assert short(leader.anew(WIRE, None)) == ["lost follower", 'refused {"status":403}']


def test_a_stream_that_nobody_wants_is_forgotten() -> None:
    leader = led()
    leader.changed(WIRE, Connection(Phase.RECONNECTING, Reason.DROPPED), 0.0)
    assert leader.changed(WIRE, Connection(Phase.CLOSED, Reason.NOT_WANTED), 0.0) is None
    leader.close(1)
    assert standing(leader) == []
    leader.changed("never opened", Connection(Phase.CLOSED, Reason.BUDGET), 0.0)
    assert short(leader.standing("never opened", None)) == ["lost budget"]


def test_records_of_closed_sources_are_nobodys() -> None:
    leader = led()
    leader.open(2, WIRE, EVENTS, None)
    leader.close(1)
    leader.close(1)
    note(leader, hello(sequence=9))
    assert standing(leader) == ["opening"]
    leader.note(RawFrame(2, FrameKind.OPENED, "", ""))
    leader.note(RawFrame(2, FrameKind.FAILED, "", "0"))
    assert standing(leader) == ["opening"]
