"""`penstock.diagnostics()`: everything that the parts say of themselves, as JSON text (RT-83). Reading changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, cast


def plain(value: object) -> Any:
    """A frozen snapshot as what JSON knows: dataclasses become objects, enums their values, anything odd its text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, float):
        return round(value, 3) if value == value and abs(value) != float("inf") else None
    named = getattr(value, "_asdict", None)
    if named is not None:
        value = cast(object, named())
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in cast("list[object]", value)]
    return str(value)


def report(parts: Mapping[str, object]) -> str:
    """The text; one entry per part, in the order given."""
    return json.dumps(plain(parts), indent=1)
