"""What a request brings: an `Answer`, or the one `RequestError` that an answer of the server is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from pydantic_core import from_json

from pyapp.core.errors import HttpError, NetworkError, RequestError, WrongContent
from pyapp.core.ports import HttpAnswer

RETRY_AFTER_AT_MOST_S = 3_600.0
"""A longer `Retry-After` is not believed."""
WORDS_LENGTH = 300
"""So much of what a server says about an error is shown."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer.

    Attributes:
        began_ms: the clock time at which the request that brought it was sent (RT-31).
        shared: another tab's (RT-62).
    """

    text: str
    headers: Mapping[str, str]
    began_ms: float
    shared: bool = False


Done = Callable[[Answer | RequestError], None]


def error_of(answer: HttpAnswer, endpoint: str = "", *, any_text: bool = False) -> RequestError | None:
    """The error that an answer is, or `None` for good JSON, and with `any_text` for whatever was answered well.

    A 200 with `text/html` is a missing endpoint at this contract, and a 500 may be plain text.
    """
    if answer.status == 0:
        return NetworkError(answer.body or "The server could not be reached.", endpoint=endpoint)
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if answer.status >= 400:
        seconds = answer.headers.get("retry-after", "")
        wait = min(float(seconds), RETRY_AFTER_AT_MOST_S) * 1000 if seconds.isdecimal() else None
        return HttpError(_sentence(answer, kind), endpoint=endpoint, status=answer.status, retry_after_ms=wait)
    if answer.status != 204 and kind != "application/json" and not any_text:
        what = "a page of HTML" if kind == "text/html" else f"{kind or 'an unknown kind of content'}"
        return WrongContent(
            f"The server answered with {what} where JSON was expected: check the API's address in penstock.json.",
            endpoint=endpoint,
            status=answer.status,
        )
    return None


def _sentence(answer: HttpAnswer, kind: str) -> str:
    detail: object = None
    if kind == "application/json":
        try:
            body = from_json(answer.body)
        except (ValueError, TypeError):
            body = None
        if isinstance(body, dict):
            detail = cast("dict[str, object]", body).get("detail")
        if isinstance(detail, list) and detail and isinstance(detail[0], dict):
            detail = cast("dict[str, object]", detail[0]).get("msg")
    words = detail[:WORDS_LENGTH] if isinstance(detail, str) else ""
    words = words or {404: "Not found", 503: "Unavailable"}.get(answer.status, "")
    return f"The server answered {answer.status}{': ' + words if words else ''}".rstrip(".") + "."
