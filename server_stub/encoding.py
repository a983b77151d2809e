"""JSON and SSE frames as bytes. One event is encoded once, however many clients read it; ``encodes`` counts."""

import json
from typing import Any

_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class EncodeCounter:
    """How many events have been encoded since the process began: a test compares it with the number of events."""

    total = 0


def encode(value: object) -> bytes:
    """A value as compact JSON."""
    return _dumps(value).encode()


def encode_event(event: dict[str, Any]) -> bytes:
    """An event's JSON, counted. JSON has no raw line feed, so it fits one ``data:`` line."""
    EncodeCounter.total += 1
    return encode(event)


def data_frame(epoch: str, sequence: int, payload: bytes) -> bytes:
    """An unnamed frame with its id."""
    return b"id: %b:%d\ndata: %b\n\n" % (epoch.encode(), sequence, payload)


def named_frame(event: str, value: object) -> bytes:
    """A named frame without an id."""
    return b"event: %b\ndata: %b\n\n" % (event.encode(), encode(value))
