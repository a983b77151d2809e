"""What a person asks the server to do: sent once, never again by itself, counted, and followed by what it made old."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyapp.core.cache.keys import WritableKey
from pyapp.core.errors import RequestError
from pyapp.core.ports import HttpRequest
from pyapp.core.requests.coordinator import Requests


@dataclass(frozen=True, slots=True)
class MutationSpec:
    """Something a person asks the server to do.

    Attributes:
        name: as given to `Client.mutate`; also its name in the counters.
        request: the request of its arguments.
        invalidates: the keys that are old once it has been done; only those that somebody looks at are asked for again.
    """

    name: str
    request: Callable[[Mapping[str, Any]], HttpRequest]
    invalidates: Callable[[Mapping[str, Any]], tuple[WritableKey, ...]] = lambda args: ()


@dataclass(frozen=True, slots=True)
class MutationStatistics:
    """Mutations under way now, and how the others ended."""

    pending: int
    done: int
    failed: int


class Mutations:
    """Every mutation of a client."""

    def __init__(
        self,
        specs: Mapping[str, MutationSpec],
        requests: Requests,
        invalidate: Callable[[WritableKey], None],
        *,
        settled: Callable[[], None],
    ) -> None:
        self._specs = specs
        self._requests = requests
        self._invalidate = invalidate
        self._settled = settled
        self._pending = self._done = self._failed = 0

    def run(self, name: str, args: Mapping[str, Any], done: Callable[[str | RequestError], None]) -> None:
        """Ask the server; `done` gets the answer's text or the reason it was not done, and must not raise.

        Raises:
            KeyError: no such mutation is registered.
            Disposed: the client is closed.
        """
        spec = self._specs[name]

        def ended(outcome: Any) -> None:
            self._pending -= 1
            if isinstance(outcome, RequestError):
                self._failed += 1
                done(outcome)
            else:
                self._done += 1
                done(outcome.text)
                for key in spec.invalidates(args):
                    self._invalidate(key)
            self._settled()

        self._requests.send(name, spec.request(args), ended)
        self._pending += 1

    def statistics(self) -> MutationStatistics:
        return MutationStatistics(self._pending, self._done, self._failed)
