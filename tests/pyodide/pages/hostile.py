"""Answers of the server with hostile text in every field: made from the contract's own models, so that none is forgotten."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import count
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from pydantic import BaseModel

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>"
QUOTES = '"\'` onmouseover="alert(1)" x=\'</title><!--'
BIDI = "\u202egnp.exe\u2066\u200f\u061c"
CONTROL = "\x00\x01\x1b[31m\x1e\x1f\x7f\ufffe\n\r\t"
URL = "javascript:alert(1)//"
TEMPLATE = "${alert(1)}{{7*7}}<!--?lit$1$-->?lit$2$"
LONG = "W" * 10_000

TEXTS: Mapping[str, str] = {
    "markup": MARKUP,
    "quotes": QUOTES,
    "bidi": BIDI,
    "control": CONTROL,
    "url": URL,
    "template": TEMPLATE,
    "long": LONG,
}

_AT = datetime(2026, 11, 20, 7, tzinfo=UTC)


class Answers:
    """Makes answers with a text in every field.

    Args:
        text: for every field that is text. Names that must be unique get a number behind it.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._number = count(1)

    def of(self, model: type[BaseModel], **given: object) -> dict[str, Any]:
        """The answer of a model as JSON would hold it; `given` are fields that the test sets."""
        values = {name: self._value(field.annotation, name) for name, field in model.model_fields.items()}
        return {**values, **given}

    def _value(self, wanted: Any, name: str) -> Any:
        origin, parts = get_origin(wanted), get_args(wanted)
        if origin in (Union, UnionType):
            return self._value(next(part for part in parts if part is not NoneType), name)
        if origin is Annotated:
            return self._value(parts[0], name)
        if origin is Literal:
            return parts[0]
        if origin is tuple:
            return [self._value(parts[0], name), self._value(parts[0], name)]
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return {self._unique(): self._value(parts[1], name) for _ in range(2)}
        return self._plain(wanted, name)

    def _plain(self, wanted: Any, name: str) -> Any:
        if not isinstance(wanted, type):
            return {self._text: [self._text]}  # any JSON
        if issubclass(wanted, BaseModel):
            return self.of(wanted)
        if issubclass(wanted, Enum):
            return next(iter(wanted)).value
        if wanted is bool:
            return True
        if issubclass(wanted, datetime):
            return (_AT + timedelta(seconds=next(self._number))).isoformat()
        makers: dict[type, Callable[[], Any]] = {int: lambda: 3, float: lambda: 0.5, str: self._unique}
        return makers[wanted]()

    def _unique(self) -> str:
        return f"{self._text}{next(self._number)}"


def as_json(answer: object) -> str:
    """The answer's text."""
    return json.dumps(cast("dict[str, Any]", answer))
