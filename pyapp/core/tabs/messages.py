"""What tabs say to each other, as JSON text (RT-60 to RT-62). What another tab says is untrusted: what is no message is `None`.

{"say":"beat","term":[3,"a1"],"tabs":4,"connections":1,"patience":1500}   the leader lives, and may be silent for so many ms
{"say":"resign","term":[3,"a1"]}                             the leader goes
{"say":"claim","term":[3,"a1"]}                              a tab takes the lock from the leader of that term
{"say":"late","term":[3,"a1"]}                               the leader of that term was robbed, and was only late
{"say":"who","from":"b2"}                                    a tab came and asks who leads
{"say":"want","from":"b2","term":[3,"a1"],"streams":[["events",[],"e1:5"]],"ask":["events"]}
{"say":"gone","from":"b2"}                                   a tab wants nothing any more
{"say":"again","term":[3,"a1"]}                              a person asks for an attempt
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from pydantic_core import from_json, to_json

from pyapp.core.cache.keys import Params
from pyapp.core.streams.position import Position, parse_position
from pyapp.core.streams.spec import StreamKey
from pyapp.core.tabs.election import Term

WANTS_AT_MOST = 256
"""No page wants more streams than this."""


@dataclass(frozen=True, slots=True)
class Beating:
    """The leader lives. `tabs` and `connections` are what it counts; `patience_ms` how long a silence of it means nothing."""

    term: Term
    tabs: int = 1
    connections: int = 0
    patience_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Resigning:
    term: Term


@dataclass(frozen=True, slots=True)
class Claiming:
    """The lock is being taken from the leader of a term."""

    term: Term


@dataclass(frozen=True, slots=True)
class Lagging:
    """The leader of a term was robbed, and lives."""

    term: Term


@dataclass(frozen=True, slots=True)
class Asking:
    tab: str


@dataclass(frozen=True, slots=True)
class Wanting:
    """What a tab wants: streams with the last place that it has of each.

    Attributes:
        term: the leader that it follows.
        ask: wire keys of those that it just opened: how they stand is to be told.
    """

    tab: str
    term: Term
    streams: Mapping[StreamKey, Position | None]
    ask: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Going:
    tab: str


@dataclass(frozen=True, slots=True)
class Urging:
    """A person at a follower asks for an attempt now, also of what was forbidden."""

    term: Term


Message: TypeAlias = Beating | Resigning | Claiming | Lagging | Asking | Wanting | Going | Urging


def write(message: Message) -> str:
    """A message's text."""
    said: dict[str, Any]
    match message:
        case Beating(term, tabs, connections, patience_ms):
            said = {"say": "beat", "term": term, "tabs": tabs, "connections": connections, "patience": round(patience_ms)}
        case Resigning(term):
            said = {"say": "resign", "term": term}
        case Claiming(term):
            said = {"say": "claim", "term": term}
        case Lagging(term):
            said = {"say": "late", "term": term}
        case Asking(tab):
            said = {"say": "who", "from": tab}
        case Wanting(tab, term, streams, ask):
            rows = [[key.name, key.params, str(last) if last else ""] for key, last in streams.items()]
            said = {"say": "want", "from": tab, "term": term, "streams": rows, "ask": sorted(ask)}
        case Going(tab):
            said = {"say": "gone", "from": tab}
        case Urging(term):  # pragma: no branch - there is no other message
            said = {"say": "again", "term": term}
    return to_json(said).decode()


def read(text: str) -> Message | None:
    """The message of a text, or `None` where it is none."""
    try:
        value = from_json(text)
    except (ValueError, TypeError):
        return None
    if not isinstance(value, dict):
        return None
    said = cast("dict[str, Any]", value)
    tab, term = said.get("from"), _term(said.get("term"))
    match said.get("say"):
        case "beat" if term:
            return Beating(term, _count(said.get("tabs")), _count(said.get("connections")), _count(said.get("patience")))
        case "resign" if term:
            return Resigning(term)
        case "claim" if term:
            return Claiming(term)
        case "late" if term:
            return Lagging(term)
        case "who" if isinstance(tab, str):
            return Asking(tab)
        case "want" if isinstance(tab, str) and term:
            ask = [one for one in _list(said.get("ask")) if isinstance(one, str)]
            return Wanting(tab, term, _streams(said.get("streams")), frozenset(ask))
        case "gone" if isinstance(tab, str):
            return Going(tab)
        case "again" if term:
            return Urging(term)
        case _:
            return None


def _list(value: object) -> Sequence[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else ()


def _count(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _term(value: object) -> Term | None:
    match _list(value):
        case [int(number), str(tab)] if number > 0 and tab:
            return Term(number, tab)
        case _:
            return None


def _streams(value: object) -> Mapping[StreamKey, Position | None]:
    streams: dict[StreamKey, Position | None] = {}
    for row in _list(value)[:WANTS_AT_MOST]:
        match _list(row):
            case [str(name), params, str(last)]:
                key = _key(name, _list(params))
                if key is not None:
                    streams[key] = parse_position(last)
            case _:
                pass
    return streams


def _key(name: str, rows: Sequence[Any]) -> StreamKey | None:
    """A stream's key as `canonical` made it at the other tab: lists are tuples here."""
    params: list[tuple[str, Any]] = []
    for row in rows:
        match _list(row):
            case [str(param), value]:
                params.append((param, tuple(cast("list[Any]", value)) if isinstance(value, list) else value))
            case _:
                return None
    key = StreamKey(name, cast(Params, tuple(params)))
    try:
        hash(key)
    except TypeError:  # a value that no parameter can have
        return None
    return key
