"""The connection budget (RT-64): which of the wanted streams may be open.

Six open streams on HTTP/1.1 hang every request of the origin, in every tab, without an event. So at most four are open there, by the
inventory's priority; the rest poll, with the reason `budget`.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyapp.core.streams.spec import StreamKey

CONNECTIONS_HTTP1 = 6
"""What a browser opens to one HTTP/1.1 origin, over all tabs."""
STREAMS_HTTP1 = 4
STREAMS_MULTIPLEXED_PROTOCOL = 24
REQUESTS_AT_LEAST = 2


def stream_limit(next_hop_protocol: str) -> int:
    """How many streams may be open, by the browser's word for the protocol (`nextHopProtocol`); unknown counts as HTTP/1.1."""
    return STREAMS_MULTIPLEXED_PROTOCOL if next_hop_protocol in ("h2", "h3") else STREAMS_HTTP1


def request_limit(next_hop_protocol: str, open_streams: int) -> int:
    """How many requests may be under way at once: what the streams leave of six, at least two."""
    if stream_limit(next_hop_protocol) != STREAMS_HTTP1:
        return STREAMS_MULTIPLEXED_PROTOCOL
    return max(REQUESTS_AT_LEAST, CONNECTIONS_HTTP1 - open_streams)


def within_budget(wanted: Iterable[tuple[int, StreamKey]], limit: int) -> frozenset[StreamKey]:
    """The keys that may be open, of pairs (priority, key); ties go by name, so that the choice does not flap."""
    ranked = sorted(set(wanted), key=lambda pair: (pair[0], pair[1].name, str(pair[1])))
    return frozenset(key for _, key in ranked[:limit])
