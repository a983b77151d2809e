"""The envelopes of the multiplexed connection: which stream a frame is for, without reading what it says.

    {"stream":"events","id":"e1:5","event":"message","data":{"type":"job.started",…}}

The server writes the fields in exactly this order. So the text is cut at the first `,"data":` (within a JSON string the quotes would
be escaped, so the first one is the field): only the head is parsed, and the payload goes raw into its stream's inbox, where it is
validated as if it had come by a connection of its own. Any other order is read the slow way. What is no envelope is told by `None`.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from pydantic_core import from_json, to_json

from pyapp.core.ports import FrameKind

_CUT = ',"data":'
_KINDS = {
    "message": FrameKind.MESSAGE,
    "hello": FrameKind.HELLO,
    "heartbeat": FrameKind.HEARTBEAT,
    "reset": FrameKind.RESET,
    "refused": FrameKind.REFUSED,
    "error": FrameKind.NAMED_ERROR,
    "bye": FrameKind.BYE,
}


class Envelope(NamedTuple):
    """One frame of one stream: its wire key, what it is, its id or nothing, and its text."""

    stream: str
    kind: FrameKind
    id: str
    data: str


def open_envelope(text: str) -> Envelope | None:
    """The envelope of a frame, or `None` where it is none.

    A payload that is cut off is not noticed here: it is not valid in its stream's inbox, and counted there.
    """
    cut = text.find(_CUT)
    if cut > 0 and text[-1] == "}":
        head = _fields(text[:cut] + "}")
        if head is not None and len(head) == 3:
            return _made(head, text[cut + len(_CUT) : -1])
    whole = _fields(text)
    if whole is None or "data" not in whole:
        return None
    return _made(whole, to_json(whole["data"]).decode())


def _fields(text: str) -> dict[str, Any] | None:
    try:
        value = from_json(text, cache_strings="keys")
    except (ValueError, TypeError):  # the latter for a lone surrogate
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _made(head: dict[str, Any], data: str) -> Envelope | None:
    stream, kind, frame_id = head.get("stream"), head.get("event"), head.get("id")
    known = _KINDS.get(kind) if isinstance(kind, str) else None
    if known is None or not isinstance(stream, str):
        return None
    return Envelope(stream, known, frame_id if isinstance(frame_id, str) else "", data)
