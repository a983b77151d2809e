"""What a stream is, as an application describes it, and the key that names one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import quote, urlencode

from pyapp.core.cache.keys import Canonical, Param, Params, canonical, fold
from pyapp.core.streams.decode import Decoder


@dataclass(frozen=True, slots=True)
class StreamKey:
    """One stream: its name in the inventory and its canonical parameters. Equal keys share one connection (RT-20)."""

    name: str
    params: Params = ()

    def __str__(self) -> str:
        if not self.params:
            return self.name
        return f"{self.name}?{urlencode([(k, str(v)) for k, v in self.params])}"


def stream_key(stream: str, /, **params: Param) -> StreamKey:
    """A stream's key, for example `stream_key("jobs.trends", hours=24)`."""
    return StreamKey(stream, canonical(params))


class Control(Enum):
    """What an event says of its stream and not of its data (RT-30, RT-36, RT-38)."""

    SYNCED = "synced"
    """The scope is in step: what confirms a scoped stream."""
    RESET = "reset"
    """Something may be missing: a gap."""
    ERROR = "error"
    """The server failed; the stream goes on and is not believed until it is in step again."""
    FORBIDDEN = "forbidden"
    """The scope is not ours to see: terminal."""


def _no_entity(event: Any) -> str | None:
    return None


def _type_of(event: Any) -> str:
    return event.type


def _no_control(event: Any) -> Control | None:
    return None


def _text(value: Canonical) -> Canonical:
    """A value as it goes out: text, or the texts of several."""
    return tuple(str(one) for one in value) if isinstance(value, tuple) else str(value)


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """A stream of the server.

    Attributes:
        name: as in `StreamKey.name`.
        path: below the API's prefix; `{id}` is filled from the key's parameters, the others become the query.
        decoder: validates its events.
        priority: lower is more important when there are more streams than connections (RT-64).
        replaceable: event types of which only the last of an entity matters (RT-40).
        entity: what an event is about, `None` where it is about the stream as a whole.
        kind_of: the event's type, for counters and `replaceable`.
        contract: `a`, or `b` where only a part-B server has it.
        scoped: confirmed by a control event `SYNCED` and by nothing else (RT-30).
        control: what an event says of the stream itself; `None` for data.
        whole: every frame says the whole state, so that the last one is all that somebody who comes later needs.
        defaults: parameters that the server assumes, which its name for the stream leaves out.
    """

    name: str
    path: str
    decoder: Decoder
    priority: int
    replaceable: frozenset[str] = frozenset()
    entity: Callable[[Any], str | None] = field(default=_no_entity)
    kind_of: Callable[[Any], str] = field(default=_type_of)
    contract: str = "a"
    scoped: bool = False
    control: Callable[[Any], Control | None] = field(default=_no_control)
    defaults: Params = ()
    whole: bool = False

    def canonical(self, key: StreamKey) -> StreamKey:
        """The one key of all that name the same stream to the server: defaults said, and every value as the text that goes out.

        Without it `hours=24`, `hours="24"` and nothing at all would be three streams here and one at the server (RT-20).
        """
        said = {**dict(self.defaults), **{name: fold(value) for name, value in key.params}}
        params = tuple((name, _text(said[name])) for name in sorted(said))
        return key if params == key.params else StreamKey(key.name, params)

    def wire_key(self, key: StreamKey) -> str:
        """The server's name for a stream: its path without `/stream`, and its parameters sorted, without those that are defaults."""
        assumed = tuple((name, _text(value)) for name, value in self.defaults)
        path, query = self._filled(tuple((name, value) for name, value in key.params if (name, _text(value)) not in assumed))
        path = path.removesuffix("/stream")
        return f"{path}?{urlencode(sorted(query))}" if query else path

    def url(self, key: StreamKey, last_event_id: str | None = None) -> str:
        """The path and query of a key, with the place to resume from, if there is one (RT-27)."""
        path, query = self._filled(key.params)
        if last_event_id:
            query.append(("last_event_id", last_event_id))
        return f"{path}?{urlencode(query)}" if query else path

    def _filled(self, params: Params) -> tuple[str, list[tuple[str, str]]]:
        """The path with its holes filled, and the parameters that filled none."""
        path = self.path
        query: list[tuple[str, str]] = []
        for name, value in params:
            hole = "{" + name + "}"
            if hole in path:
                path = path.replace(hole, quote(str(value), safe=""))
            else:
                query.extend((name, str(v)) for v in (value if isinstance(value, tuple) else (value,)))
        return path, query
