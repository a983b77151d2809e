"""Structural sharing: what did not change keeps its identity (RT-10).

A page repaints what is another object; so an answer that says the same again must not be one. Compared by type and value: `1`, `1.0`
and `True` are not the same to a person who reads them, nor are two times of one instant in different zones; `nan` is the same as `nan`.

Most rows of most answers are equal, and most of their fields are plain: a row is first compared as a whole by Python itself, and only
what could be equal without being the same is looked at one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, time
from decimal import Decimal
from typing import Any, TypeVar, cast

from pydantic import BaseModel

T = TypeVar("T")

_PLAIN = frozenset({str, int, bool, type(None), bytes, float})
"""Types of which two equal values of one type are the same. (Two that are not equal may be: `nan`.)"""


_ROWS: frozenset[Any] = frozenset({tuple, list})
_COMPARE: dict[type, Callable[[Any, Any], bool]] = {}
_DEEP: dict[tuple[Any, ...], tuple[str, ...]] = {}
"""By the class of a model and the types of its fields' values: those fields that can be equal without being the same."""
_DEEP_KEPT = 1_000


def _identity(row: object) -> Hashable | None:
    names = row.__dict__ if isinstance(row, BaseModel) else None
    for name in ("id", "key", "name"):
        value = names.get(name) if names is not None else getattr(row, name, None)
        if isinstance(value, str):
            return value
    return None


def same(old: object, new: object) -> bool:
    """Whether two values are equal by type and value, all the way down."""
    if old is new:
        return True
    kind = type(old)
    if kind is not type(new):
        return False
    if kind in _PLAIN:
        return old == new or (old != old and new != new)
    compare = _COMPARE.get(kind)
    if compare is None:
        compare = _COMPARE[kind] = _comparing(kind)
    return compare(old, new)


def _comparing(kind: type[Any]) -> Callable[[Any, Any], bool]:
    """How two values of one type are compared; worked out once per type."""
    if issubclass(kind, BaseModel):
        return _same_models
    if issubclass(kind, Mapping):
        return _same_mappings
    if issubclass(kind, str | bytes | bytearray | memoryview):
        return _equal
    if issubclass(kind, Sequence):
        return _same_sequences
    if issubclass(kind, Set):
        return lambda old, new: _typed(old) == _typed(new)
    if is_dataclass(kind):
        names = [field.name for field in fields(kind)]
        return lambda old, new: all(same(getattr(old, name), getattr(new, name)) for name in names)
    if issubclass(kind, datetime | time):
        return lambda old, new: old == new and (old.tzinfo is new.tzinfo or old.utcoffset() == new.utcoffset())
    if issubclass(kind, Decimal):
        return lambda old, new: old.as_tuple() == new.as_tuple()
    return _equal


def _equal(old: object, new: object) -> bool:
    return old == new


def _same_sequences(old: Sequence[Any], new: Sequence[Any]) -> bool:
    return len(old) == len(new) and all(map(same, old, new))


def _same_models(old: BaseModel, new: BaseModel) -> bool:
    mine, other = old.__dict__, new.__dict__
    if mine == other and tuple(mine) == tuple(other):
        types = (type(old), *map(type, mine.values()))
        if types != (type(new), *map(type, other.values())):
            return False
        deep = _DEEP.get(types)
        if deep is None:
            if len(_DEEP) > _DEEP_KEPT:
                _DEEP.clear()
            deep = _DEEP[types] = tuple(name for name, kind in zip(mine, types[1:], strict=True) if kind not in _PLAIN)
        if not all(same(mine[name], other[name]) for name in deep):
            return False
    elif not _same_mappings(mine, other):
        return False
    return same(old.__pydantic_extra__, new.__pydantic_extra__) and same(old.__pydantic_private__, new.__pydantic_private__)


def _same_mappings(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> bool:
    if len(old) != len(new):
        return False
    for (name, value), (other, there) in zip(old.items(), new.items(), strict=True):
        if name is not other and (type(name) is not type(other) or name != other):
            return _same_in_any_order(old, new)
        if value is not there and not same(value, there):
            return False
    return True


def _same_in_any_order(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> bool:
    return _typed(old.keys()) == _typed(new.keys()) and all(same(value, new[name]) for name, value in old.items())


def _typed(members: Set[Any]) -> set[tuple[type, object]]:
    return {_with_type(member) for member in members}


def _with_type(member: object) -> tuple[type, object]:
    if type(member) is tuple:
        return tuple, tuple(_with_type(part) for part in cast("tuple[object, ...]", member))
    if isinstance(member, frozenset):
        return frozenset, frozenset(_typed(cast("frozenset[object]", member)))
    return type(member), member


def share(old: T, new: T) -> T:
    """`new`, with every part that equals a part of `old` replaced by that part; `old` itself where nothing changed.

    Rows of a tuple or a list are matched by their `id`, `key` or `name`, so that a row keeps its identity when others come before it.
    """
    kind: type[Any] = type(old)
    if old is new or kind is not type(new):
        return new
    if kind in _PLAIN:
        return old if same(old, new) else new
    if isinstance(old, BaseModel):
        return cast(T, _share_model(old, cast(BaseModel, new)))
    if kind in _ROWS:  # a named tuple is one value, not rows
        return cast(T, _share_rows(cast("Sequence[object]", old), cast("Sequence[object]", new), as_tuple=isinstance(old, tuple)))
    if kind is dict:
        return cast(T, _share_dict(cast("dict[Any, Any]", old), cast("dict[Any, Any]", new)))
    if is_dataclass(old) and not isinstance(old, type):
        return cast(T, _share_dataclass(old, new))
    return old if same(old, new) else new


def _share_dataclass(old: Any, new: Any) -> Any:
    changes: dict[str, object] = {}
    changed = False
    for field in fields(old):
        before, after = getattr(old, field.name), getattr(new, field.name)
        kept = share(before, after)
        if kept is not after:
            if not field.init:  # cannot be given to a new one: it is shared as a whole or not at all
                return old if same(old, new) else new
            changes[field.name] = kept
        changed = changed or kept is not before
    if not changed:
        return old
    return replace(new, **changes) if changes else new


def _share_model(old: BaseModel, new: BaseModel) -> BaseModel:
    if _same_models(old, new):
        return old
    changes: dict[str, object] = {}
    before = old.__dict__
    for name, after in new.__dict__.items():
        if type(after) not in _PLAIN:
            kept = share(before.get(name), after)
            if kept is not after:
                changes[name] = kept
    # Fields that the model did not declare are never shared one by one.
    return new.model_copy(update=changes) if changes else new


def _share_dict(old: dict[Any, Any], new: dict[Any, Any]) -> dict[Any, Any]:
    if _same_mappings(old, new):
        return old
    return {name: share(old[name], after) if name in old else after for name, after in new.items()}


def _share_rows(old: Sequence[object], new: Sequence[object], *, as_tuple: bool) -> Sequence[object]:
    known: dict[Hashable, object] | None = None
    rows: list[object] = []
    untouched = len(old) == len(new)
    length = len(old)
    for index, row in enumerate(new):
        # The row of the same place first: most stay where they are, and two rows of one name are told apart by it.
        before = old[index] if index < length else None
        if before is row:
            rows.append(row)
            continue
        identity = _identity(row)
        if identity is not None and (before is None or _identity(before) != identity):
            if known is None:
                known = {name: one for one in old if (name := _identity(one)) is not None}
            before = known.get(identity)
        kept = share(before, row)
        rows.append(kept)
        untouched = untouched and kept is old[index]
    if untouched:
        return old
    return tuple(rows) if as_tuple else rows
