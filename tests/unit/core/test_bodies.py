"""Bodies by ETag (RT-65): bounds, and never a body of another request."""

from __future__ import annotations

from sys import getsizeof

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pyapp.core.requests.bodies import BYTES_AT_MOST, ENTRIES_AT_MOST, Bodies, BodyStatistics

EMPTY = getsizeof("")


def test_the_least_recently_used_goes_first_by_number_and_by_size() -> None:
    # RT-65
    bodies = Bodies(entries_at_most=2)
    for url in "ab":
        bodies.put(url, "x", url, {"etag": "1"})
    bodies.get("a")
    bodies.put("c", "x", "c", {"etag": "1"})
    assert [bodies.get(url) is not None for url in "abc"] == [True, False, True]
    small = Bodies(bytes_at_most=2 * (EMPTY + 10))
    for url in "abc":
        small.put(url, "x", url * 10, {"etag": "1"})
    assert [small.get(url) is not None for url in "abc"] == [False, True, True]
    assert small.statistics() == BodyStatistics(entries=2, bytes=2 * (EMPTY + 10), hits=0, evicted=1)
    small.put("d", "x", "d" * 1_000, {"etag": "1"})
    assert small.get("d") is None
    assert (ENTRIES_AT_MOST, BYTES_AT_MOST) == (500, 16 * 1024 * 1024)


def test_nothing_is_kept_without_an_etag_and_what_was_is_forgotten() -> None:
    # RT-65
    bodies = Bodies()
    bodies.put("a", "x", "one", {"etag": '"1"'})
    bodies.put("a", "x", "two", {})
    assert bodies.get("a") is None
    bodies.put("a", "x", "one", {"etag": '"1"'})
    bodies.put("b", "y", "one", {"etag": '"1"'})
    bodies.forget("x")
    assert (bodies.get("a"), bodies.get("b") is not None) == (None, True)
    bodies.clear()
    assert bodies.statistics() == BodyStatistics(0, 0, 0, 0)


class BodiesMachine(RuleBasedStateMachine):
    """Against a plain dictionary of what was last put."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies = Bodies(entries_at_most=4, bytes_at_most=6 * EMPTY + 60)
        self.put_last: dict[str, tuple[str, str]] = {}

    @rule(url=st.sampled_from("abcdef"), size=st.integers(0, 80), etag=st.sampled_from(["", '"1"', 'W/"2"']))
    def put(self, url: str, size: int, etag: str) -> None:
        text = url * size
        self.bodies.put(url, url, text, {"etag": etag} if etag else {})
        self.put_last[url] = (text, etag)

    @rule(url=st.sampled_from("abcdef"))
    def get(self, url: str) -> None:
        body = self.bodies.get(url)
        if body is not None:
            assert (body.text, body.etag) == self.put_last[url]
            assert body.etag

    @rule(url=st.sampled_from("abcdef"))
    def forget(self, url: str) -> None:
        self.bodies.forget(url)
        assert self.bodies.get(url) is None

    @invariant()
    def bounded(self) -> None:
        told = self.bodies.statistics()
        there = [body for url in "abcdef" if (body := self.bodies._bodies.get(url)) is not None]  # pyright: ignore[reportPrivateUsage]
        assert told.entries == len(there) <= 4
        assert told.bytes == sum(getsizeof(body.text) for body in there) <= 6 * EMPTY + 60


BodiesMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None, derandomize=True)
test_it_is_bounded_and_never_hands_out_the_body_of_another_request = BodiesMachine.TestCase
