"""The one tree of errors that the core raises or puts into a result.

PenstockError
├── Misuse               a programmer's mistake, raised at once
│   ├── KeyMisuse        a key that cannot be, or a window handed to a writer (RT-3)
│   ├── UnknownMutation  an action that nobody registered
│   ├── SpecMisuse       a description of a query or stream that cannot be
│   ├── TimeMisuse       a time that cannot be, for example a negative one
│   └── Disposed         something was used after it was closed
└── RequestError         a request that brought no data; lives in `Result.error`, never raised at a page
    ├── NetworkError     the server could not be reached
    ├── TimedOut         no answer in time
    ├── HttpError        an answer with a status of 400 or above
    ├── WrongContent     an answer of another kind than JSON, for example a page of HTML
    ├── InvalidAnswer    JSON that is not what the contract says
    └── BreakerOpen      not sent: too many of its kind failed lately
"""

from __future__ import annotations


class PenstockError(Exception):
    """What every error of the core is; its text is one sentence for a person."""


class Misuse(PenstockError):
    """The program asked for something that cannot be."""


class KeyMisuse(Misuse, ValueError):
    """A key that has no meaning here."""


class TimeMisuse(Misuse, ValueError):
    """A time that has no meaning here."""


class UnknownMutation(Misuse, LookupError):
    """An action that nobody registered."""


class SpecMisuse(Misuse, ValueError):
    """A description of a query or stream that cannot be."""


class Disposed(Misuse):
    """A part was used after it was closed."""


class RequestError(PenstockError):
    """A request that brought no data.

    Attributes:
        kind: one word for styles and counters: `network`, `timeout`, `server`, `forbidden`, `missing`, `refused`, `content`, `invalid`,
            `breaker`.
        endpoint: the endpoint's name in the inventory.
        status: the HTTP status, where there was one.
        retry_after_ms: how long the server asked to be left alone, where it did.
    """

    kind = "network"

    def __init__(self, message: str, *, endpoint: str = "", status: int | None = None, retry_after_ms: float | None = None) -> None:
        super().__init__(message)
        self.endpoint = endpoint
        self.status = status
        self.retry_after_ms = retry_after_ms

    @property
    def retryable(self) -> bool:
        """Whether asking again by itself may help."""
        return True

    @property
    def is_failure(self) -> bool:
        """Whether it counts against the breaker of its class (RT-66): the server, or the way to it, does not work."""
        return True


class NetworkError(RequestError):
    """The server could not be reached."""


class TimedOut(RequestError):
    """No answer in time."""

    kind = "timeout"


class HttpError(RequestError):
    """An answer with a status of 400 or above."""

    @property
    def kind(self) -> str:  # type: ignore[override]
        status = self.status or 0
        if status in (401, 403):
            return "forbidden"
        if status == 404:
            return "missing"
        return "server" if status >= 500 else "refused"

    @property
    def retryable(self) -> bool:
        status = self.status or 0
        return status >= 500 or status in (408, 429)

    @property
    def is_failure(self) -> bool:
        return self.retryable


class WrongContent(RequestError):
    """An answer of another kind than JSON; at this contract a page of HTML means that the endpoint does not exist."""

    kind = "content"


class InvalidAnswer(RequestError):
    """JSON that is not what the contract says."""

    kind = "invalid"


class BreakerOpen(RequestError):
    """A request that was not sent, because too many of its class failed lately (RT-66)."""

    kind = "breaker"

    @property
    def is_failure(self) -> bool:
        return False
