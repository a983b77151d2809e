"""What every model of the wire shares.

Frozen, so that data in a cache can be shared without copies. Unknown fields are ignored and an absent field means the
same as null, because servers of several ages answer. NaN and infinity are refused: no figure of the contract has them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, JsonValue

T = TypeVar("T")


def _utc(value: datetime) -> datetime:
    """Read a naive time as UTC and move an aware one there; pydantic then writes it with ``Z``."""
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError as error:  # year 1 or 9999 in a zone that lies outside it
        raise ValueError("the time lies outside the calendar") from error


def _none_as_empty_list(value: object) -> object:
    return () if value is None else value


def _none_as_empty_object(value: object) -> object:
    return {} if value is None else value


Time = Annotated[datetime, AfterValidator(_utc)]
"""A moment. Reads ``Z``, ``+00:00`` and naive (= UTC); always aware, always UTC; written as ``…Z``."""

Items = Annotated[tuple[T, ...], BeforeValidator(_none_as_empty_list)]
"""A list of the wire: absent and null are the empty one."""

Object = Annotated[dict[str, JsonValue], BeforeValidator(_none_as_empty_object)]
"""A JSON object of unknown shape: absent and null are the empty one."""

Names = Annotated[Mapping[str, str], BeforeValidator(_none_as_empty_object)]
"""Keys to display names: absent and null are the empty one."""


class WireModel(BaseModel):
    """The base of every model of the wire."""

    # Built when first used: a page reads a few of these models, and each costs its start a millisecond or two.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, defer_build=True)


_SHAPES: dict[int, set[str]] = {}


class Row(WireModel):
    """A model that caches keep by the thousand.

    pydantic notes of each instance which fields its answer had, in a set that takes as much memory as all values together. Rows of one
    shape share one set; they are frozen, and a copy gets a set of its own, so that nobody writes into it.
    """

    def model_post_init(self, context: object, /) -> None:
        had = self.__pydantic_fields_set__
        shape = _SHAPES.get(len(had))
        if shape == had:
            object.__setattr__(self, "__pydantic_fields_set__", shape)
        else:
            _SHAPES[len(had)] = had
