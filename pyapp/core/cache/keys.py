"""Query keys: a family, a mode and parameters in canonical form (RT-1, RT-2, RT-3).

Equal parameters give equal keys however they were spelled: names are sorted, `None` and empty collections are dropped, sequences
and sets of alternatives become sorted tuples, datetimes become UTC text, and one alternative equals the list of it. The text of a key
is that of the family's own spelling once it is in the cache (`QuerySpec.alternatives`).

The four modes are four types, and that is what keeps a stream away from a window: everything that writes or refetches on its own
takes a `WritableKey`, and a `WindowKey` is not one. The type checker refuses it, and `require_writable` refuses it at run time for
programs that are not checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, Self, TypeAlias, cast

from pydantic_core import from_json

from pyapp.core.errors import KeyMisuse

Mode: TypeAlias = Literal["live", "window", "item", "aggregate"]
Scalar: TypeAlias = str | int | float | bool
Canonical: TypeAlias = Scalar | tuple[Scalar, ...]
Param: TypeAlias = Scalar | datetime | Iterable[Scalar] | None
Params: TypeAlias = tuple[tuple[str, Canonical], ...]

LIVE_LIST_LIMIT = 50
"""How many rows a live list keeps (RT-2)."""


_EXACT = 2.0**53


def _same_types(left: object, right: object) -> bool:
    """Whether two equal canonical values are of one type too: to Python `1` and `True` are equal, to a server they are not."""
    if type(left) is not type(right):
        return False
    if not isinstance(left, tuple):
        return True
    pairs = zip(cast("tuple[object, ...]", left), cast("tuple[object, ...]", right), strict=True)
    return all(_same_types(one, other) for one, other in pairs)


def _scalar(name: str, value: object) -> Scalar:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise KeyMisuse(f"The parameter {name!r} is a time without a zone: give it one, for example UTC.")
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        raise KeyMisuse(f"The parameter {name!r} is {value}: a key takes finite numbers.")
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        return int(value)  # 24.0 is 24 spelled otherwise
    if isinstance(value, str | int | float):
        return value
    raise KeyMisuse(_unfit(name, value))


def _unfit(name: str, value: Any) -> str:
    return f"The parameter {name!r} is a {type(value).__name__}: a key takes text, numbers, booleans, times, or lists of these."


def canonical(params: Mapping[str, Param], defaults: Mapping[str, Param] | None = None) -> Params:
    """The one form of a set of parameters (RT-1).

    Args:
        params: what was asked for; `None` and empty collections mean "not asked".
        defaults: values that mean the same as absence, and are dropped.

    Raises:
        KeyMisuse: a value that has no canonical form.
    """
    dropped = dict(canonical(defaults)) if defaults else {}
    out: list[tuple[str, Canonical]] = []
    for name in sorted(params):
        value = params[name]
        if value is None:
            continue
        form: Canonical
        if isinstance(value, str | int | float | datetime):
            form = _scalar(name, value)
        elif isinstance(value, Mapping) or not isinstance(value, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise KeyMisuse(_unfit(name, value))
        else:
            # Alternatives: their order and repetition mean nothing. Sorted by type first, so that mixed lists have an order too.
            members = {(type(m).__name__, m): m for m in (_scalar(name, member) for member in value)}
            form = tuple(members[rank] for rank in sorted(members, key=lambda rank: (rank[0], rank[1])))  # type: ignore[arg-type, return-value]
            if not form:
                continue
        if name in dropped and fold(dropped[name]) == fold(form) and _same_types(fold(dropped[name]), fold(form)):
            continue
        out.append((name, form))
    return tuple(out)


def fold(value: Canonical) -> Canonical:
    """One alternative is the same as the value itself."""
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value


@dataclass(frozen=True, slots=True, eq=False)
class _Key:
    family: str
    params: Params = ()
    folded: Params = field(init=False, repr=False)
    """The parameters with every single alternative as the value itself: what equality goes by."""
    _hash: int = field(init=False, repr=False)

    mode: ClassVar[Mode]

    def __post_init__(self) -> None:
        if not self.family:
            raise KeyMisuse("A key needs a family, for example 'jobs'.")
        folded = tuple((name, fold(value)) for name, value in self.params)
        object.__setattr__(self, "folded", folded)
        try:
            object.__setattr__(self, "_hash", hash((self.mode, self.family, folded)))
        except TypeError as error:
            raise KeyMisuse(f"A key of {self.family!r} has a part without a hash: make keys by live, item or aggregate.") from error

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Key) or type(self) is not type(other):
            return False
        return self.family == other.family and self.folded == other.folded and _same_types(self.folded, other.folded)

    def __hash__(self) -> int:
        return self._hash

    def spelled(self, alternatives: frozenset[str]) -> Self:
        """The equal key whose text shows these parameters as lists, and every other single value by itself."""
        params = tuple((n, (v,) if n in alternatives and not isinstance(v, tuple) else v) for n, v in self.folded)
        return self if params == self.params else type(self)(self.family, params)

    def get(self, name: str) -> Canonical | None:
        """The canonical value of one parameter, or `None` where it was not asked for."""
        for key, value in self.params:
            if key == name:
                return value
        return None

    def get_all(self, name: str) -> tuple[Scalar, ...]:
        """One parameter as a tuple of alternatives, empty where it was not asked for."""
        value = self.get(name)
        if value is None:
            return ()
        return value if isinstance(value, tuple) else (value,)

    def to_list(self) -> list[object]:
        """The JSON shape of RT-1: `["jobs", "live", {"status": ["failed"]}]`."""
        return [self.family, self.mode, {name: list(v) if isinstance(v, tuple) else v for name, v in self.params}]

    def to_json(self) -> str:
        """The JSON text of `to_list`, compact and with sorted names: equal keys give equal text."""
        return json.dumps(self.to_list(), separators=(",", ":"), ensure_ascii=False)

    def __str__(self) -> str:
        return self.to_json()


@dataclass(frozen=True, slots=True, eq=False)
class LiveKey(_Key):
    """The latest rows of a family, kept up to date (RT-2)."""

    mode: ClassVar[Mode] = "live"


@dataclass(frozen=True, slots=True, eq=False)
class WindowKey(_Key):
    """A chosen range of time, which nothing but the user refetches (RT-3, RT-4)."""

    mode: ClassVar[Mode] = "window"


@dataclass(frozen=True, slots=True, eq=False)
class ItemKey(_Key):
    """One entity."""

    mode: ClassVar[Mode] = "item"

    @property
    def entity(self) -> str:
        return str(self.get("id"))

    def to_list(self) -> list[object]:
        return [self.family, self.mode, self.entity]


@dataclass(frozen=True, slots=True, eq=False)
class AggregateKey(_Key):
    """Figures over many entities: statistics, trends, totals."""

    mode: ClassVar[Mode] = "aggregate"


WritableKey: TypeAlias = LiveKey | ItemKey | AggregateKey
QueryKey: TypeAlias = LiveKey | WindowKey | ItemKey | AggregateKey


def live(family: str, **params: Param) -> LiveKey:
    """A live list, for example `live("jobs", status=["failed"])`."""
    return LiveKey(family, canonical(params))


def window(family: str, *, after: datetime | str, before: datetime | str, **params: Param) -> WindowKey:
    """A chosen range, for example `window("jobs", after=start, before=end)`; both bounds are inclusive."""
    return WindowKey(family, canonical({**params, "after": after, "before": before}))


def item(family: str, entity: str) -> ItemKey:
    """One entity, for example `item("jobs", "job_1a2b")`."""
    if not entity:
        raise KeyMisuse(f"An item key of {family!r} needs the entity's id.")
    return ItemKey(family, (("id", entity),))


def aggregate(family: str, **params: Param) -> AggregateKey:
    """Figures, for example `aggregate("stats", window_minutes=5)`."""
    return AggregateKey(family, canonical(params))


def require_writable(key: QueryKey) -> WritableKey:
    """The key, if something other than the user may write or refetch it (RT-3).

    Raises:
        KeyMisuse: for a window key, which only `fetch` and `refresh` may touch.
    """
    if isinstance(key, WindowKey):
        raise KeyMisuse(f"{key} is a window: nothing writes it. Hand the change to a live, item or aggregate key.")
    return key


@dataclass(frozen=True, slots=True)
class KeyPrefix:
    """Every key of a family, of one mode where it is given, with at least these parameters. No window is among them (RT-3)."""

    family: str
    mode: Mode | None = None
    params: Params = ()

    def __post_init__(self) -> None:
        if self.mode == "window":
            raise KeyMisuse(f"No prefix means windows of {self.family!r}: only `refresh` fetches a window again, when a person asks.")

    def matches(self, key: QueryKey) -> bool:
        if isinstance(key, WindowKey) or key.family != self.family or (self.mode is not None and key.mode != self.mode):
            return False
        known = dict(key.folded)
        return all(name in known and known[name] == fold(v) and _same_types(known[name], fold(v)) for name, v in self.params)


def prefix(family: str, mode: Mode | None = None, **params: Param) -> KeyPrefix:
    """What `Client.invalidate` takes for many keys at once: `prefix("jobs", "live", status=["failed"])`.

    Raises:
        KeyMisuse: for the mode `window` (RT-3).
    """
    return KeyPrefix(family, mode, canonical(params))


def parse_key(text: str) -> QueryKey:
    """The key of its JSON text (RT-1), as tests and scripts write it (RT-83).

    Raises:
        KeyMisuse: text that is not a key's.
    """
    try:
        parts = from_json(text)
        family, mode, rest = parts
        if mode == "item":
            return item(family, rest)
        if not isinstance(rest, dict):
            raise TypeError("parameters are an object")
        kinds: dict[str, type[LiveKey | WindowKey | AggregateKey]] = {
            "live": LiveKey,
            "window": WindowKey,
            "aggregate": AggregateKey,
        }
        return kinds[mode](family, canonical(cast("dict[str, Any]", rest)))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise KeyMisuse(f'{text!r} is not a key: write it like ["jobs","live",{{"status":["failed"]}}].') from error
