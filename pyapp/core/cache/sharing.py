"""Structural sharing: what did not change keeps its identity (RT-10).

A page repaints what is another object; so an answer that says the same again must not be one. Compared by type and value: `1`, `1.0`
and `True` are not the same to a person who reads them.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from pydantic import BaseModel

T = TypeVar("T")


def _identity(row: object) -> Hashable | None:
    for name in ("id", "key", "name"):
        value = getattr(row, name, None)
        if isinstance(value, str):
            return value
    return None


def same(old: object, new: object) -> bool:
    """Whether two values are equal by type and value, all the way down."""
    if old is new:
        return True
    if type(old) is not type(new):
        return False
    if isinstance(old, BaseModel):
        # pydantic compares fields with `==`, to which 1 and True are equal; that matters for its open fields.
        return old == new and all(
            same(a, b) for a, b in zip(old.__dict__.values(), cast(BaseModel, new).__dict__.values(), strict=True)
        )
    if isinstance(old, Mapping):
        other = cast("Mapping[Any, Any]", new)
        mine = cast("Mapping[Any, Any]", old)
        return mine.keys() == other.keys() and all(same(value, other[name]) for name, value in mine.items())
    if isinstance(old, Sequence) and not isinstance(old, str | bytes):
        mine_, other_ = cast("Sequence[Any]", old), cast("Sequence[Any]", new)
        return len(mine_) == len(other_) and all(same(a, b) for a, b in zip(mine_, other_, strict=True))
    if isinstance(old, Set):
        return _typed(cast("Set[object]", old)) == _typed(cast("Set[object]", new))
    if is_dataclass(old) and not isinstance(old, type):
        return all(same(getattr(old, field.name), getattr(new, field.name)) for field in fields(old))
    return old == new


def _typed(members: Set[object]) -> set[tuple[type, object]]:
    return {(type(member), member) for member in members}


def share(old: T, new: T) -> T:
    """`new`, with every part that equals a part of `old` replaced by that part; `old` itself where nothing changed.

    Rows of a tuple are matched by their `id`, `key` or `name`, so that a row keeps its identity when others come before it.
    """
    if old is new or type(old) is not type(new):
        return new
    if type(old) is tuple:  # a named tuple is one value, not rows
        return cast(T, _share_rows(cast("tuple[object, ...]", old), cast("tuple[object, ...]", new)))
    if is_dataclass(old) and not isinstance(old, type):
        changes: dict[str, object] = {}
        changed = False
        for field in fields(old):
            before, after = getattr(old, field.name), getattr(new, field.name)
            kept = share(before, after)
            if kept is not after:
                changes[field.name] = kept
            changed = changed or kept is not before
        if not changed:
            return old
        return cast(T, replace(cast(Any, new), **changes)) if changes else new
    if isinstance(old, BaseModel):
        return _share_model(old, cast(BaseModel, new))  # type: ignore[return-value]
    return old if same(old, new) else new


def _share_model(old: BaseModel, new: BaseModel) -> BaseModel:
    changes: dict[str, object] = {}
    changed = False
    for name, after in new.__dict__.items():
        before = old.__dict__.get(name)
        kept = share(before, after)
        if kept is not after:
            changes[name] = kept
        changed = changed or kept is not before
    # Fields that the model did not declare are compared too; they are never shared one by one.
    if not changed and same(old.__pydantic_extra__, new.__pydantic_extra__):
        return old
    return new.model_copy(update=changes) if changes else new


def _share_rows(old: tuple[object, ...], new: tuple[object, ...]) -> tuple[object, ...]:
    known: dict[Hashable, object] = {}
    for row in old:
        identity = _identity(row)
        if identity is not None:
            known[identity] = row
    rows: list[object] = []
    for index, row in enumerate(new):
        identity = _identity(row)
        # The row of the same place first: most stay where they are, and two rows of one name are told apart by it.
        before = old[index] if index < len(old) else None
        if identity is not None and (before is None or _identity(before) != identity):
            before = known.get(identity)
        rows.append(share(before, row))
    if len(rows) == len(old) and all(a is b for a, b in zip(rows, old, strict=True)):
        return old
    return tuple(rows)
