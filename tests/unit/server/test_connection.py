"""The bounded buffer between the hub and a socket, without either."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from server_stub.connection import CAPACITY, MAX_REFUSALS, Connection
from server_stub.frames import Frame, Wire, multiplexed, single
from server_stub.reader import Reader

RESET = "reset"


def frame(name: str, event: str = "message") -> Frame:
    return Frame(b'"events"', event, name.encode(), name)


def make(wire: Wire = single) -> Connection:
    return Connection(wire, path="/", query="", client="", user="", since=0)


def flowing(connection: Connection | None = None, key: str = "events") -> Reader:
    reader = (connection or make()).attach(key)
    reader.begin([frame("hello", "hello")])
    return reader


def taken(connection: Connection) -> list[str] | None:
    """What leaves: ids of data frames, names of the others, with the stream where there are several."""
    items = asyncio.run(asyncio.wait_for(connection.take(), 1))
    if items is None:
        return None
    found: list[str] = []
    for reader, each in items:
        said = each.single().decode().strip() if not each.event else each.id if each.event == "message" else each.event
        found.append(said if reader is None or len(connection.readers) < 2 else f"{reader.name} {said}")
    return found


def test_what_is_pending_leaves_as_one_chunk_in_order() -> None:
    reader = flowing()
    reader.offer(frame("1"))
    reader.offer(frame("2"))
    assert taken(reader.connection) == ["hello", "1", "2"]
    assert (reader.sent, reader.connection.sent) == (3, 3)


def test_frames_offered_before_the_first_ones_wait_behind_them() -> None:
    reader = make().attach("events")
    reader.offer(frame("1"))
    assert reader.pending == 1
    reader.begin([frame("hello", "hello")])
    assert taken(reader.connection) == ["hello", "1"]


def test_past_the_bound_everything_is_dropped_and_a_reset_leaves_instead() -> None:  # RT-38
    reader = flowing()
    assert taken(reader.connection) == ["hello"]
    lagged: list[Reader] = []
    reader.on_lag = lagged.append
    for _ in range(CAPACITY + 50):
        reader.offer(frame("x"))
    assert (reader.pending, reader.connection.lagging, reader.resets) == (0, True, 1)
    assert taken(reader.connection) == [RESET]
    assert lagged == [reader]
    reader.offer(frame("y"))
    assert taken(reader.connection) == ["y"]


def test_a_reader_whose_hello_was_dropped_begins_anew_instead_of_being_reset() -> None:  # RT-38
    reader = flowing()
    lagged: list[Reader] = []
    reader.on_lag = lagged.append
    for _ in range(CAPACITY + 1):
        reader.offer(frame("x"))
    assert taken(reader.connection) == []
    assert lagged == [reader]
    assert not reader.greeted


def test_the_bound_is_of_the_connection_and_each_of_its_streams_is_reset() -> None:  # RT-38
    connection = make(multiplexed)
    one, other = flowing(connection, "one"), flowing(connection, "other")
    held = connection.attach("held")
    assert taken(connection) == ["one hello", "other hello"]
    lagged: list[str] = []
    for reader in (one, other, held):
        reader.on_lag = lambda reader: lagged.append(reader.name)
    for _ in range(CAPACITY // 2):
        one.offer(frame("x"))
        held.offer(frame("z"))
    assert connection.pending == CAPACITY
    other.offer(frame("one too many"))
    assert (connection.pending, connection.lagging) == (0, True)
    assert taken(connection) == ["one reset", "other reset"]
    assert lagged == ["one", "other"]
    # What was held back lost frames too: its first frames are out of date, so it is begun anew.
    held.begin([frame("hello", "hello")])
    assert lagged == ["one", "other", "held"]
    assert connection.pending == 0


def test_a_reader_that_begins_while_the_connection_lags_begins_anew_at_the_next_turn() -> None:
    connection = make(multiplexed)
    one = flowing(connection, "one")
    late = connection.attach("late")
    assert taken(connection) == ["one hello"]
    for _ in range(CAPACITY + 1):
        one.offer(frame("x"))
    lagged: list[str] = []
    late.on_lag = lambda reader: lagged.append(reader.name)
    late.begin([frame("hello", "hello")])
    assert taken(connection) == ["one reset"]
    assert lagged == ["late"]


def test_what_is_pending_for_a_reader_that_is_gone_does_not_leave() -> None:
    connection = make(multiplexed)
    one, other = flowing(connection, "one"), flowing(connection, "other")
    connection.detach(one)
    one.offer(frame("late"))
    one.begin([frame("late")])
    assert taken(connection) == ["hello"]
    assert list(connection.readers.values()) == [other]


def test_refusals_survive_a_reset_and_are_bounded() -> None:
    connection = make(multiplexed)
    one = flowing(connection, "one")
    assert taken(connection) == ["hello"]
    assert connection.refuse("what", {"status": 404})
    for _ in range(CAPACITY + 1):
        one.offer(frame("x"))
    refusal = 'data: {"stream":"what","id":"","event":"refused","data":{"status":404}}'
    assert taken(connection) == [RESET, refusal]
    assert all(connection.refuse(str(number), {}) for number in range(MAX_REFUSALS))
    assert not connection.refuse("one more", {})
    assert connection.refuse("7", {"again": True})


def test_the_last_frame_leaves_before_the_end_and_an_abort_leaves_nothing() -> None:
    reader = flowing()
    reader.connection.close(frame("bye", "bye"))
    assert taken(reader.connection) == ["hello", "bye"]
    assert taken(reader.connection) is None
    aborted = flowing()
    aborted.connection.abort()
    assert taken(aborted.connection) is None


@settings(derandomize=True)
@given(st.lists(st.one_of(st.integers(1, 400), st.just(0)), max_size=20), st.integers(1, 3))
def test_no_history_of_offers_and_takes_loses_a_frame_without_a_reset(bursts: list[int], streams: int) -> None:  # RT-38
    connection = make(multiplexed)
    readers = [flowing(connection, str(number)) for number in range(streams)]
    assert len(taken(connection) or ()) == streams
    expected: dict[str, list[str]] = {reader.name: [] for reader in readers}
    offered = 0

    def turn() -> None:
        items = asyncio.run(connection.take())
        assert items is not None
        left: dict[str, list[str]] = {reader.name: [] for reader in readers}
        for reader, each in items:
            assert reader is not None
            left[reader.name].append(each.id or each.event)
        assert left == expected
        for each in expected.values():
            each.clear()

    for burst in bursts:
        if burst == 0 and (connection.pending or connection.lagging):
            turn()
        for _ in range(burst):
            reader = readers[offered % streams]
            was_lagging = connection.lagging
            reader.offer(frame(f"<{offered}>"))
            if connection.lagging:
                expected = {each.name: [RESET] for each in readers}
            elif not was_lagging:
                expected[reader.name].append(f"<{offered}>")
            offered += 1
            assert connection.pending <= CAPACITY
