"""What a query is, as an application describes it: where its data comes from and which events write it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args

from pyapp.core.cache.keys import Mode, QueryKey, WritableKey
from pyapp.core.cache.options import Interval, require_interval
from pyapp.core.errors import SpecMisuse
from pyapp.core.ports import HttpRequest
from pyapp.core.streams.spec import StreamKey

T = TypeVar("T")

MODES: frozenset[str] = frozenset(get_args(Mode))


@dataclass(frozen=True, slots=True)
class Reduction(Generic[T]):
    """What events made of the data.

    Attributes:
        data: the new data; the very same object where nothing changed.
        refetch: the events told less than the data needs (RT-6): ask the server, within RT-42's limit.
        complete: the events said the whole state, as a snapshot does: nothing from before them can be missing.
    """

    data: T
    refetch: bool = False
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Exchange(Generic[T]):
    """How data of a query travels to another tab of the same version (RT-62).

    Attributes:
        dump: the text of the data.
        load: the data of a text that `dump` wrote; raises `ValueError` for any other.
    """

    dump: Callable[[QueryKey, T], str]
    load: Callable[[QueryKey, str], T]


@dataclass(frozen=True, slots=True)
class QuerySpec(Generic[T]):
    """One family of keys.

    Attributes:
        family: as in the keys.
        modes: which modes of keys it has.
        endpoint: the endpoint's name in the inventory, for the coordinator's counters.
        request: the request of a key.
        parse: the data of an answer's text; raises `ValueError` (pydantic's error is one) for what is not in the contract.
        stream: the stream that writes a key directly (RT-8), or `None` for what is polled by design.
        reduce: how a batch of that stream's events changes the data (RT-9).
        whole: that stream says the whole state each time, so that data may begin with it: `reduce` is given `None` then.
        invalidated_by: whether an event of any open stream makes the data old without telling the new (RT-9, RT-42).
        settles: the stream may lag the server by one event, so the query is refetched once the stream was quiet for a moment (RT-44).
        rows: what of the data a stream feeds, by row, for the comparison with a snapshot (RT-35); `None` is never compared. A row
            whose value is `None` is in a state of which no event tells.
        resource: a domain of resources: its fallback has no grace (RT-33), and every full snapshot is compared, with all its rows.
        metrics: its rows have metrics that only a tick brings (RT-68).
        next_page: the request of the next page after the data read so far, `None` when there is none. A window is read to its end by
            itself (RT-4), any other key when somebody asks for the next page.
        add_page: the data with a further page.
        interval_ms: how often it is polled where no stream writes it, or a function of the result that says so; `None` is the
            profile's live-refresh interval (RT-8), `math.inf` and a function's `None` are never.
        cancel_unused: a fetch under way is given up when the last observer leaves (RT-10); else its answer is kept.
        alternatives: the parameters that are lists, for the text of keys (RT-1).
        exchange: how its data travels to other tabs; without it every tab asks the server (RT-62).
    """

    family: str
    modes: frozenset[Mode]
    endpoint: str
    request: Callable[[QueryKey], HttpRequest]
    parse: Callable[[QueryKey, str], T]
    stream: Callable[[WritableKey], StreamKey | None] = lambda key: None
    reduce: Callable[[WritableKey, T, Sequence[Any]], Reduction[T]] | None = None
    whole: bool = False
    invalidated_by: Callable[[WritableKey, Any], bool] | None = None
    settles: bool = False
    rows: Callable[[T], Mapping[str, object]] | None = None
    resource: bool = False
    metrics: bool = False
    next_page: Callable[[Any, T], HttpRequest | None] | None = None
    add_page: Callable[[T, T], T] | None = None
    interval_ms: Interval = None
    cancel_unused: bool = False
    alternatives: frozenset[str] = frozenset()
    exchange: Exchange[T] | None = None

    def __post_init__(self) -> None:
        """Raises:
        SpecMisuse: a description that cannot be.
        TimeMisuse: an interval that cannot be.
        """
        if not self.modes or not self.modes <= MODES:
            raise SpecMisuse(
                f"The query {self.family!r} has the modes {sorted(self.modes)}: give it some of {', '.join(sorted(MODES))}."
            )
        if self.next_page is not None and self.add_page is None:
            raise SpecMisuse(f"The query {self.family!r} has a next page and nothing that adds it: give it add_page, too.")
        if self.interval_ms is not None and not callable(self.interval_ms):
            require_interval(self.interval_ms)
