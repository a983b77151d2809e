"""Actions as data: declared, sent, and made again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from pyapp.ui import Action, ActionMisuseError, InvalidActionError, On, UnknownActionError, decode_action
from pyapp.ui.actions import to_wire


class Cancel(Action):
    job_id: str


class Range(Action):
    start: datetime
    end: datetime | None = None
    zoom: float = 1.0


class Filter(Action):
    count: int | None = None
    name: str | None = None
    status: Literal["", "failed"] = ""
    words: frozenset[str] = frozenset()


def send(handler: Action | On, **fields: Any) -> Action:
    """What the browser does with a handler, and Python with its answer."""
    name, args, *rest = to_wire(handler)
    assert set(fields) <= set(rest[0] if rest else ())
    root, action = decode_action(f'{{"root":"main","action":"{name}","args":{args},"fields":{json.dumps(fields)}}}')
    assert root == "main"
    return action


def test_an_action_comes_back_as_it_went() -> None:
    for action in (Cancel(job_id='"<\ud7ff>'), Range(start=datetime(2025, 1, 2, tzinfo=UTC)), Filter(words=frozenset("ab"))):
        assert send(action) == action


def test_fields_of_the_event_go_into_the_action() -> None:
    assert send(Cancel.on("job_id"), job_id="j1") == Cancel(job_id="j1")
    start = datetime(2025, 1, 2, tzinfo=UTC)
    assert send(Range.on("end", start=start), end="2025-01-03T00:00:00Z") == Range(start=start, end=datetime(2025, 1, 3, tzinfo=UTC))
    assert send(Range.on("zoom", start=start), zoom="2.5") == Range(start=start, zoom=2.5)


def test_an_empty_text_is_none_where_no_text_is_taken() -> None:
    sent = send(Filter.on("count", "name", "status"), count="", name="", status="")
    assert sent == Filter(count=None, name="", status="")


def test_flags_and_keys_are_declared() -> None:
    on = Cancel.on(job_id="j", prevent=True, stop=True, key="Enter")
    assert to_wire(on)[1:] == ['{"job_id":"j"}', (), 3, ("Enter",)]
    assert Cancel.on("job_id", key=("a", "b")).keys == ("a", "b")
    assert to_wire(Cancel.on("job_id", prevent=True))[1:] == ["{}", ("job_id",), 1, None]


def test_a_declaration_that_cannot_work_is_an_error_at_once() -> None:
    with pytest.raises(ActionMisuseError, match="has no field 'id'"):
        Cancel.on("id")
    with pytest.raises(ActionMisuseError, match="has no field 'nothing'"):
        Cancel.on("job_id", nothing=1)
    with pytest.raises(ActionMisuseError, match="needs 'job_id'"):
        Cancel.on(prevent=True)


def test_actions_are_frozen_and_named_by_module_and_class() -> None:
    assert Cancel.action_name == f"{__name__}.Cancel"
    with pytest.raises(ValueError, match="frozen"):
        Cancel(job_id="a").job_id = "b"  # type: ignore[misc]


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"root":"m"}', '{"root":1,"action":"x","args":{},"fields":{}}'])
def test_text_that_is_no_action_is_refused(text: str) -> None:
    with pytest.raises(InvalidActionError):
        decode_action(text)


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(UnknownActionError, match=r"os\.system"):
        decode_action('{"root":"m","action":"os.system","args":{},"fields":{}}')


@pytest.mark.parametrize("args", ["{}", '{"job_id":1}', '{"job_id":"a","more":1}', '{"job_id":"\\ud800"}'])
def test_arguments_that_the_class_does_not_take_are_refused(args: str) -> None:
    with pytest.raises(InvalidActionError, match="Cancel was sent with arguments"):
        decode_action(f'{{"root":"m","action":"{Cancel.action_name}","args":{args},"fields":{{}}}}')
