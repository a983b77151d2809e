"""What tabs say to each other of the data that they hold, as text (RT-62). What another tab says is untrusted: no message is `None`.

{"share":"hold","from":"a1","hello":true,"keys":[["[\\"jobs\\",\\"live\\",{}]",1200.0]],"gone":["…"]}
                                     keys that a tab holds fresh, with the ms since the request of its last snapshot began
{"share":"ask","from":"b2","ask":7,"key":"…"}                   for one tab
{"share":"none","from":"a1","to":{"b2":7}}                      it does not hold that key any more
{"share":"give","from":"a1","to":{"b2":7,"c3":4},"key":"…","began":1200.0,"updated":300.0,"position":"e1:5",
 "partial":false}⏎data               `to` has the number of each tab's question; ages in ms; the data is what the query's `dump` wrote
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from pydantic_core import from_json, to_json

from pyapp.core.streams.position import Position, parse_position

BEGIN = '{"share":'
"""Every message begins so, and no other message of a tab does."""
KEYS_AT_MOST = 128
"""No tab holds more than this for others."""
KEY_LENGTH = 2_000
DATA_LENGTH = 1024 * 1024
"""A longer text is not given to another tab."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A tab's announcements: what changed since its last ones.

    Attributes:
        hello: it just came, and asks what the others hold.
        keys: the age of each key's last snapshot in ms.
    """

    tab: str
    hello: bool
    keys: Mapping[str, float]
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    tab: str
    number: int
    key: str


@dataclass(frozen=True, slots=True)
class Nothing:
    tab: str
    to: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Given:
    """Data for those in `to`. Ages in ms at the moment at which it was said; `partial` waits for a backfill at the tab that gives."""

    tab: str
    to: Mapping[str, int]
    key: str
    began_age_ms: float
    updated_age_ms: float
    position: Position | None
    text: str
    partial: bool = False


ShareMessage: TypeAlias = Holding | Question | Nothing | Given


def write(message: ShareMessage) -> str:
    """A message's text."""
    said: dict[str, Any]
    body = ""
    match message:
        case Holding(tab, hello, keys, gone):
            said = {"share": "hold", "from": tab, "hello": hello, "keys": list(keys.items()), "gone": gone}
        case Question(tab, number, key):
            said = {"share": "ask", "from": tab, "ask": number, "key": key}
        case Nothing(tab, to):
            said = {"share": "none", "from": tab, "to": to}
        case Given(tab, to, key, began, updated, position, text, partial):  # pragma: no branch - there is no other message
            said = {"share": "give", "from": tab, "to": to, "key": key, "began": began, "updated": updated}
            said |= {"position": str(position) if position else "", "partial": partial}
            body = f"\n{text}"
    return to_json(said).decode() + body


def read(text: str) -> ShareMessage | None:
    """The message of a text, or `None` where it is none."""
    head, _, body = text.partition("\n")
    try:
        value = from_json(head)
    except (ValueError, TypeError):
        return None
    if not isinstance(value, dict):
        return None
    said = cast("dict[str, Any]", value)
    tab, key = said.get("from"), said.get("key")
    if not isinstance(tab, str) or not tab:
        return None
    match said.get("share"):
        case "hold":
            return Holding(tab, said.get("hello") is True, _keys(said.get("keys")), _gone(said.get("gone")))
        case "ask" if isinstance(key, str) and _is_number(said.get("ask")):
            return Question(tab, said["ask"], key)
        case "none":
            return Nothing(tab, _to(said.get("to")))
        case "give" if isinstance(key, str):
            began, updated = _age(said.get("began")), _age(said.get("updated"))
            position = said.get("position")
            if began is None or updated is None or not isinstance(position, str):
                return None
            return Given(tab, _to(said.get("to")), key, began, updated, parse_position(position), body, said.get("partial") is True)
        case _:
            return None


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value)[:KEYS_AT_MOST] if isinstance(value, list) else []


def _keys(value: object) -> dict[str, float]:
    keys: dict[str, float] = {}
    for row in _list(value):
        match row:
            case [str(key), said] if len(key) <= KEY_LENGTH:
                age = _age(said)
                if age is not None:
                    keys[key] = age
            case _:
                pass
    return keys


def _gone(value: object) -> tuple[str, ...]:
    return tuple(key for key in _list(value) if isinstance(key, str))


def _to(value: object) -> dict[str, int]:
    rows = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    return {tab: number for tab, number in rows.items() if _is_number(number)}


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _age(value: object) -> float | None:
    """A time that has passed, or `None`: an age below zero would make data newer than it is."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        return None
    return float(value)
