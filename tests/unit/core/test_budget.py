"""The connection budget (RT-64)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pyapp.core.streams.budget import request_limit, stream_limit, within_budget
from pyapp.core.streams.spec import StreamKey, stream_key


def key_of(name: str, n: int) -> StreamKey:
    return stream_key(name, n=n)


KEYS = st.builds(key_of, st.sampled_from("abc"), st.integers(0, 5))


def test_four_streams_on_http1_and_on_the_unknown_and_twenty_four_on_newer_protocols() -> None:
    # RT-64
    assert [stream_limit(word) for word in ("", "http/1.1", "http/1.0", "h2", "h3")] == [4, 4, 4, 24, 24]


def test_requests_get_what_the_streams_leave_of_six_and_at_least_two() -> None:
    # RT-64
    assert [request_limit("", streams) for streams in range(7)] == [6, 5, 4, 3, 2, 2, 2]
    assert request_limit("h2", 20) == 24


@given(st.lists(st.tuples(st.integers(0, 3), KEYS), max_size=20), st.integers(0, 6), st.randoms())
def test_the_choice_is_the_most_important_whatever_their_order(wanted: list[tuple[int, object]], limit: int, chance: object) -> None:
    # RT-64
    pairs = [(sum(map(ord, str(key))) % 4, key) for _, key in wanted]
    chosen = within_budget(pairs, limit)  # type: ignore[arg-type]
    chance.shuffle(pairs)  # type: ignore[attr-defined]
    assert within_budget(pairs, limit) == chosen  # type: ignore[arg-type]
    assert len(chosen) == min(limit, len(set(pairs)))
    refused = [priority for priority, key in pairs if key not in chosen]
    assert all(priority <= least for priority, key in pairs if key in chosen for least in refused)
