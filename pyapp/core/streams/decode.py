"""From the text of frames to events: many in one call, one by one where that fails (RT-29, RT-41)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import GenericAlias
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

UNKNOWN_TYPE = "unknown type"


@dataclass(frozen=True, slots=True)
class Invalid:
    """A frame that is no event, and why, in words that can be counted."""

    reason: str


class Decoder:
    """Validates frames against one type of event, usually a discriminated union.

    The adapter is built at first use: building the schemas of every stream would cost a page that shows two of them its boot.
    """

    __slots__ = ("_adapter", "_event_type")

    def __init__(self, event_type: Any) -> None:
        self._event_type: Any = event_type
        self._adapter: TypeAdapter[list[Any]] | None = None

    def decode(self, texts: Sequence[str]) -> list[Any | Invalid]:
        """One result per text, in order."""
        if len(texts) > 1 and all(text[:1] == "{" and text[-1:] == "}" for text in texts):
            # The test for braces keeps two halves of a torn frame from joining into a whole one.
            try:
                events = self._list_adapter().validate_json("[" + ",".join(texts) + "]")
            except Exception:
                pass  # one by one: the others are good
            else:
                if len(events) == len(texts):
                    return list(events)
        return [self._decode_one(text) for text in texts]

    def _decode_one(self, text: str) -> Any | Invalid:
        try:
            events = self._list_adapter().validate_json(f"[{text}]")
        except ValidationError as error:
            return Invalid(_reason(error))
        except Exception as error:
            # A validator of the application that raises something else, or a lone surrogate that is no UTF-8: nothing that a server
            # says may break the beat.
            return Invalid(f"{type(error).__name__} in a validator")
        return events[0] if len(events) == 1 else Invalid("not one value")

    def _list_adapter(self) -> TypeAdapter[list[Any]]:
        if self._adapter is None:
            self._adapter = TypeAdapter(cast(Any, GenericAlias(list, (self._event_type,))))
        return self._adapter


def _reason(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    match first["type"]:
        case "json_invalid":
            return "not JSON"
        case "union_tag_invalid" | "union_tag_not_found":
            return UNKNOWN_TYPE
        case "literal_error" if first["loc"][1:] == ("type",):  # a stream with one type of event has no union
            return UNKNOWN_TYPE
        case kind:
            return f"invalid: {kind}"
