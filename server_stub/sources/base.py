"""What the server asks of a source. A source records changes in the journal; it never writes to the store itself."""

from collections.abc import Mapping
from typing import Any, Protocol


class UnknownFunctionError(LookupError):
    """There is no such function."""


class NotPossibleError(Exception):
    """The source cannot do that; the text says why."""


class Source(Protocol):
    """A source of work. Every method is called in the event loop."""

    async def start(self) -> None:
        """Begin; returns when the first data is stored."""
        ...

    async def stop(self) -> None:
        """End within a second; leaves no process behind."""
        ...

    async def run(self, key: str, kwargs: Mapping[str, Any]) -> str:
        """Queue a job and return its id. Raises ``UnknownFunctionError``."""
        ...

    async def cancel(self, job: Mapping[str, Any]) -> bool:
        """Cancel a job that is not finished; false when it could not be. ``job`` is the contract's Job."""
        ...

    async def retry(self, job: Mapping[str, Any]) -> bool:
        """Queue a failed or cancelled job again."""
        ...

    async def set_paused(self, key: str, paused: bool) -> None:
        """Pause or resume a function that exists."""
        ...
