"""A family of data in one call, for applications that have a few of them and need no inventory (RT-77).

    WORKERS = snapshots("workers", "workers", Workers, "workers/stream", Snapshot, lambda event: event.workers)
    ORDERS = events("orders", "orders", Orders, "orders/stream", OrderEvent, reduce_orders)

Each has one live key, `live(family, **params)`, whose parameters are those of the request. What needs windows, items or several
streams says so with `QuerySpec` and `StreamSpec`, which this only fills in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from pydantic import TypeAdapter

from pyapp.core.cache.keys import QueryKey, WritableKey
from pyapp.core.cache.spec import Exchange, QuerySpec, Reduction
from pyapp.core.ports import HttpRequest
from pyapp.core.streams.decode import Decoder
from pyapp.core.streams.spec import StreamKey, StreamSpec, stream_key

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Family:
    """A query and the stream that writes it, `None` where it is polled."""

    query: QuerySpec[Any]
    stream: StreamSpec | None = None


def polled(family: str, path: str, model: type[T]) -> Family:
    """Data that no stream writes: `GET path`, read as `model`, every live-refresh interval (RT-8)."""
    return Family(_query(family, path, model))


def snapshots(family: str, path: str, model: type[T], stream: str, event: Any, data_of: Callable[[Any], T]) -> Family:
    """Data that a stream says whole each time.

    Args:
        family: of the key, and the stream's name.
        path: of the GET below the API's prefix.
        model: what the answer is read as.
        stream: the stream's path below the prefix.
        event: the model, or union of models, of its events.
        data_of: the data that an event holds.
    """

    def reduce(key: WritableKey, data: T, batch: Sequence[Any]) -> Reduction[T]:
        return Reduction(data_of(batch[-1]), complete=True)

    return Family(_query(family, path, model, reduce, streamed=True, whole=True), _stream(family, stream, event))


def events(
    family: str, path: str, model: type[T], stream: str, event: Any, reduce: Callable[[WritableKey, T, Sequence[Any]], Reduction[T]]
) -> Family:
    """Data that events change: `reduce` makes the new data of the old and a batch of events (RT-9). Otherwise as `snapshots`."""
    return Family(_query(family, path, model, reduce, streamed=True), _stream(family, stream, event))


def _stream(family: str, path: str, event: Any) -> StreamSpec:
    return StreamSpec(family, path, Decoder(event), priority=1)


def _query(
    family: str,
    path: str,
    model: type[T],
    reduce: Callable[[WritableKey, T, Sequence[Any]], Reduction[T]] | None = None,
    *,
    streamed: bool = False,
    whole: bool = False,
) -> QuerySpec[T]:
    adapter = TypeAdapter(model)

    def request(key: QueryKey) -> HttpRequest:
        pairs = [(name, one) for name, value in key.params for one in (value if isinstance(value, tuple) else (value,))]
        return HttpRequest("GET", f"{path}?{urlencode(pairs)}" if pairs else path)

    def parse(key: QueryKey, text: str) -> T:
        return adapter.validate_json(text)

    def writes(key: WritableKey) -> StreamKey | None:
        return stream_key(family) if streamed else None

    def dump(key: QueryKey, data: T) -> str:
        return adapter.dump_json(data, by_alias=True, round_trip=True).decode()

    exchange = Exchange(dump, parse)
    return QuerySpec(family, frozenset({"live"}), family, request, parse, writes, reduce, whole, exchange=exchange)
