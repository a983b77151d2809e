"""JSON as bytes. One event is encoded once, however many clients read it; ``encodes`` counts."""

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
