"""The bounded buffer between the hub and a socket, without either."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from server_stub.reader import CAPACITY, RESET_FRAME, Reader


def make() -> Reader:
    reader = Reader("events", path="/", query="", client="", user="", since=0)
    reader.begin([b"hello"])
    return reader


def taken(reader: Reader) -> bytes | None:
    return asyncio.run(asyncio.wait_for(reader.take(), 1))


def test_what_is_pending_leaves_as_one_chunk_in_order() -> None:
    reader = make()
    reader.offer(b"1")
    reader.offer(b"2")
    assert taken(reader) == b"hello12"


def test_frames_offered_before_the_first_ones_wait_behind_them() -> None:
    reader = Reader("events", path="/", query="", client="", user="", since=0)
    reader.offer(b"1")
    reader.begin([b"hello"])
    assert taken(reader) == b"hello1"


def test_past_the_bound_everything_is_dropped_and_a_reset_leaves_instead() -> None:  # RT-38
    reader = make()
    lagged: list[Reader] = []
    reader.on_lag = lagged.append
    for _ in range(CAPACITY + 50):
        reader.offer(b"x")
    assert (reader.pending, reader.lagging, reader.resets) == (0, True, 1)
    assert taken(reader) == RESET_FRAME
    assert lagged == [reader]
    reader.offer(b"y")
    assert taken(reader) == b"y"


def test_the_last_frame_leaves_before_the_end_and_an_abort_leaves_nothing() -> None:
    reader = make()
    reader.close(b"bye")
    assert taken(reader) == b"hellobye"
    assert taken(reader) is None
    aborted = make()
    aborted.abort()
    assert taken(aborted) is None


@given(st.lists(st.one_of(st.integers(1, 400), st.just(0)), max_size=20))
def test_no_history_of_offers_and_takes_loses_a_frame_without_a_reset(bursts: list[int]) -> None:
    reader = make()
    expected, offered = b"hello", 0
    for burst in bursts:
        if burst == 0 and (reader.pending or reader.lagging):
            assert taken(reader) == expected
            expected = b""
        for _ in range(burst):
            was_lagging = reader.lagging
            frame = f"<{offered}>".encode()
            offered += 1
            reader.offer(frame)
            if reader.lagging:
                expected = RESET_FRAME
            elif not was_lagging:
                expected += frame
            assert reader.pending <= CAPACITY
