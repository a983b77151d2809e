"""What the scripted server keeps, and what an application of it has in its inventory: things, with their stream and their queries.

streams, queries = thing_streams(), thing_queries()      # for `Client(streams=…, queries=…)`
key = stream_key("things")                               # …and `live("things", state=["hot"])`, `item("things", "a")`
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel

from pyapp.core.cache.keys import LIVE_LIST_LIMIT, QueryKey, WindowKey, WritableKey
from pyapp.core.cache.lists import LiveList, WindowData
from pyapp.core.cache.spec import Exchange, QuerySpec, Reduction
from pyapp.core.ports import HttpRequest
from pyapp.core.streams.decode import Decoder
from pyapp.core.streams.spec import StreamKey, StreamSpec, stream_key


class Thing(BaseModel):
    """What the server keeps: `made` orders the lists, `version` tells the newer of two."""

    id: str
    made: int
    version: int
    state: str


class Changed(BaseModel):
    """The one event: a thing as it is now."""

    type: Literal["thing.changed"] = "thing.changed"
    thing: Thing


def _reduce_item(thing: Thing, events: Sequence[Changed], entity: str) -> Thing:
    for event in events:
        if event.thing.id == entity and event.thing.version > thing.version:
            thing = event.thing
    return thing


def reduce_things(key: WritableKey, data: Any, events: Sequence[Changed]) -> Reduction[Any]:
    """The reducer: the newer version stands, filters and cap hold, a list that lost rows asks the server (RT-6)."""
    if key.mode == "item":
        return Reduction(_reduce_item(data, events, str(key.get("id"))))
    rows: dict[str, Thing] = {row.id: row for row in data.rows}
    states = key.get_all("state")
    lost = False
    for event in events:
        thing = event.thing
        known = rows.get(thing.id)
        if known is not None and known.version >= thing.version:
            continue
        if states and thing.state not in states:
            lost = rows.pop(thing.id, None) is not None or lost
        else:
            rows[thing.id] = thing
    ordered = tuple(sorted(rows.values(), key=lambda row: -row.made)[:LIVE_LIST_LIMIT])
    if ordered == data.rows:
        return Reduction(data, lost)
    return Reduction(LiveList(ordered, None), lost)


def thing_streams() -> dict[str, StreamSpec]:
    """The one stream."""
    return {"things": StreamSpec("things", "things/stream", Decoder(Changed), 1, entity=lambda event: event.thing.id)}


def thing_queries() -> dict[str, QuerySpec[Any]]:
    """`things` (live, item, window; fed by the stream) and `count` (aggregate; polled, outdated by the stream)."""

    def request(key: QueryKey) -> HttpRequest:
        if key.mode == "item":
            return HttpRequest("GET", f"things/{key.get('id')}")
        pairs = [f"{name}={one}" for name, value in key.params for one in (value if isinstance(value, tuple) else (value,))]
        return HttpRequest("GET", "&".join(["things?mode=" + key.mode, *pairs]))

    def parse(key: QueryKey, text: str) -> Any:
        if key.mode == "item":
            return Thing.model_validate_json(text)
        rows = tuple(Thing.model_validate(row) for row in json.loads(text))
        return WindowData(rows, len(rows)) if isinstance(key, WindowKey) else LiveList(rows, None)

    def stream(key: WritableKey) -> StreamKey:
        return stream_key("things")

    def outdated(key: WritableKey, event: Any) -> bool:
        return event.type == "thing.changed"

    def dump(key: QueryKey, data: Any) -> str:
        return json.dumps(data.model_dump() if key.mode == "item" else [row.model_dump() for row in data.rows])

    modes = frozenset[Literal["live", "window", "item", "aggregate"]]
    return {
        "things": QuerySpec(
            "things",
            modes(("live", "item", "window")),
            "things",
            request,
            parse,
            stream,
            reduce_things,
            exchange=Exchange(dump, parse),
        ),
        "count": QuerySpec(
            "count",
            modes(("aggregate",)),
            "count",
            lambda key: HttpRequest("GET", "count"),
            lambda key, text: json.loads(text),
            invalidated_by=outdated,
            exchange=Exchange(lambda key, data: json.dumps(data), lambda key, text: json.loads(text)),
        ),
    }
