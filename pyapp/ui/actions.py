"""Actions: what a user does, as data.

A handler in a template is an action, not a function, so nothing is kept alive by an element, nothing crosses the
bridge but text, and a page's `update(state, action)` can be tested without a browser:

    class Cancel(Action):
        job_id: str

    html(t"<button @click={Cancel(job_id=job.id)}>Cancel</button>")

An action that needs something of the event declares it with `on`. The names are fields of the action and are looked
for in this order: the event's `detail`, the controls of a submitted form, the nearest `data-…` attribute, the control
or element, the event itself:

    class Search(Action):
        value: str

    html(t"<input .value={text} @input={Search.on('value')}>")

The browser sends `{"root": …, "action": …, "args": {…}, "fields": {…}}` back, and `decode_action` makes the action of
it again. An empty text for a field that may be `None` and is not text counts as `None`: that is what an empty number
box sends.
"""

from __future__ import annotations

import json
import types
import typing
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Union, cast

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json

from pyapp.ui.errors import ActionMisuseError, InvalidActionError, UnknownActionError

_registry: Final[dict[str, type[Action]]] = {}

PREVENT: Final = 1
STOP: Final = 2

Wire = list[Any]
"""`[name, arguments as JSON text]`, or with `fields, flags, keys` behind."""


class Action(BaseModel):
    """What a user does. Subclasses are frozen models, registered under their module and qualified name."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    action_name: ClassVar[str] = ""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.action_name = f"{cls.__module__}.{cls.__qualname__}"
        _registry[cls.action_name] = cls

    @classmethod
    def on(
        cls,
        *fields: str,
        prevent: bool = False,
        stop: bool = False,
        key: str | tuple[str, ...] | None = None,
        **args: Any,
    ) -> On:
        """The action with fields that the event will fill.

        Args:
            fields: names of this action's fields that come from the event.
            prevent: call `preventDefault`, as a form that is sent by the page itself needs.
            stop: call `stopPropagation`.
            key: only for these values of `event.key`, for example `"Enter"`; all others do nothing.
            args: fields that are known already.

        Raises:
            ActionMisuseError: a name that is no field, or a required field that nobody gives.
        """
        known = cls.model_fields
        for name in (*fields, *args):
            if name not in known:
                raise ActionMisuseError(f"{cls.__qualname__} has no field {name!r}: declare it in the class.")
        for name, field in known.items():
            if field.is_required() and name not in args and name not in fields:
                raise ActionMisuseError(f"{cls.__qualname__} needs {name!r}: name it as a field of the event or give its value.")
        return On(
            cls,
            fields,
            (PREVENT if prevent else 0) | (STOP if stop else 0),
            (key,) if isinstance(key, str) else key,
            args,
        )


@dataclass(frozen=True, slots=True)
class On:
    """An action class with the fields that the event fills; made by `Action.on`."""

    action: type[Action]
    fields: tuple[str, ...]
    flags: int
    keys: tuple[str, ...] | None
    args: dict[str, Any]


def to_wire(handler: Action | On) -> Wire:
    """The data of one event hole."""
    if isinstance(handler, Action):
        # What `model_dump_json` does, without its options: this is done for each button of each row that changed.
        return [handler.action_name, handler.__pydantic_serializer__.to_json(handler).decode()]
    args = to_json(handler.args).decode() if handler.args else "{}"
    return [handler.action.action_name, args, handler.fields, handler.flags, handler.keys]


def decode_action(text: str) -> tuple[str, Action]:
    """The root that an action came from, and the action.

    Args:
        text: what the browser's `dispatch` was given.

    Raises:
        UnknownActionError: nobody declared an action of that name.
        InvalidActionError: the text is not an action's, or its arguments are not what the class says.
    """
    try:
        message: Any = json.loads(text)
        root, name, args, fields = message["root"], message["action"], message["args"], message["fields"]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidActionError("An action is JSON text with root, action, args and fields.") from error
    if not (isinstance(root, str) and isinstance(name, str) and isinstance(args, dict) and isinstance(fields, dict)):
        raise InvalidActionError("An action has a root and a name, which are text, and args and fields, which are objects.")
    cls = _registry.get(name)
    if cls is None:
        raise UnknownActionError(f"Nobody declared the action {name[:120]!r}.")
    given = cast("dict[str, Any]", args) | _without_empty(cls, cast("dict[str, Any]", fields))
    try:
        # As JSON and not as Python values, so that times, enums and sets read what `model_dump_json` wrote.
        return root, cls.model_validate_json(json.dumps(given))
    except ValidationError as error:
        raise InvalidActionError(f"{cls.__qualname__} was sent with arguments that it does not take: {error}") from error


def _without_empty(cls: type[Action], fields: dict[str, Any]) -> dict[str, Any]:
    return {name: None if value == "" and _empty_means_none(cls, name) else value for name, value in fields.items()}


def _empty_means_none(cls: type[Action], name: str) -> bool:
    field = cls.model_fields.get(name)
    if field is None or typing.get_origin(field.annotation) not in (Union, types.UnionType):
        return False
    members = typing.get_args(field.annotation)
    return type(None) in members and str not in members
