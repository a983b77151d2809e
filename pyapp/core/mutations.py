"""What a person asks the server to do: sent once and never again by itself, shown before it is done where that is described, rolled
back where it was not done, and followed by what it made old (RT-10).

Invariants: mutations of one scope are sent one after the other, in the order in which they were asked for; one that fails leaves the
data exactly as the server has said it; what a mutation shows beforehand never reaches a window (RT-3).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyapp.core.cache.cache import QueryCache
from pyapp.core.cache.keys import KeyPrefix, WritableKey
from pyapp.core.cache.layers import Layer, Layers, Patch
from pyapp.core.clock import Clock
from pyapp.core.errors import RequestError, UnknownMutation
from pyapp.core.ports import HttpRequest
from pyapp.core.requests.coordinator import Answer, Requests

UNKNOWN = frozenset({"network", "timeout"})
"""Kinds of errors after which nobody knows whether it was done: what it may have changed is asked for."""

Done = Callable[[str | RequestError], None]


def _nothing(args: Mapping[str, Any]) -> tuple[()]:
    return ()


@dataclass(frozen=True, slots=True)
class MutationSpec:
    """Something a person asks the server to do.

    Attributes:
        name: as given to `Client.mutate`; also its name in the counters.
        request: the request of its arguments.
        invalidates: the keys (or prefixes) that are old once it has been done; only those that somebody looks at are asked for again.
        optimistic: what it will change, shown until the server has said so; what is patched is asked for again too.
        scope: mutations of one scope wait for each other; none for an empty one.
    """

    name: str
    request: Callable[[Mapping[str, Any]], HttpRequest]
    invalidates: Callable[[Mapping[str, Any]], Sequence[WritableKey | KeyPrefix]] = _nothing
    optimistic: Callable[[Mapping[str, Any]], Sequence[Patch]] = _nothing
    scope: str = ""


@dataclass(frozen=True, slots=True)
class MutationStatistics:
    """Mutations under way or waiting for others of their scope now, and how the others ended."""

    pending: int
    done: int
    failed: int


@dataclass(slots=True)
class _Run:
    spec: MutationSpec
    args: Mapping[str, Any]
    request: HttpRequest
    done: Done
    layers: list[tuple[WritableKey, Layers, Layer]] = field(default_factory=list[tuple[WritableKey, Layers, Layer]])


class Mutations:
    """Every mutation of a client."""

    def __init__(
        self,
        specs: Mapping[str, MutationSpec],
        *,
        clock: Clock,
        requests: Requests,
        cache: QueryCache,
        settled: Callable[[], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        """Build it.

        Args:
            settled: called when the screen should show at once what changed, because a person did it (RT-43).
            on_error: told of mistakes in a mutation's description.
        """
        self._specs = specs
        self._clock = clock
        self._requests = requests
        self._cache = cache
        self._settled = settled
        self._on_error = on_error
        self._waiting: dict[str, deque[_Run]] = {}
        """By scope: the first is under way."""
        self._pending = self._done = self._failed = 0

    def run(self, name: str, args: Mapping[str, Any], done: Done) -> None:
        """Ask the server; `done` gets the answer's text or the reason it was not done, and must not raise.

        Raises:
            UnknownMutation: no such mutation is registered.
            KeyMisuse: its patches name a key that nothing is known about.
            Disposed: the client is closed.
        """
        spec = self._specs.get(name)
        if spec is None:
            raise UnknownMutation(f"There is no mutation {name!r}: register it in the inventory.")
        run = _Run(spec, args, spec.request(args), done)
        patches = [(patch.key, self._cache.layers(patch.key), Layer(patch.apply)) for patch in spec.optimistic(args)]
        queue = self._waiting.setdefault(spec.scope, deque()) if spec.scope else None
        if queue is None or not queue:
            self._send(run)
        if queue is not None:
            queue.append(run)
        self._pending += 1
        for key, layers, layer in patches:
            layers.lying.append(layer)
            run.layers.append((key, layers, layer))
            self._touch(key)
        if patches:
            self._settled()

    def _send(self, run: _Run) -> None:
        self._requests.send(run.spec.name, run.request, lambda outcome: self._ended(run, outcome), by_user=True)

    def _ended(self, run: _Run, outcome: Answer | RequestError) -> None:
        self._pending -= 1
        if isinstance(outcome, RequestError):
            self._failed += 1
            for key, layers, layer in run.layers:
                layers.drop([layer])
                self._touch(key)
            run.done(outcome)
        else:
            self._done += 1
            now = self._clock.now()
            for _, _, layer in run.layers:
                layer.accepted_ms = now
            run.done(outcome.text)
        if not isinstance(outcome, RequestError) or outcome.kind in UNKNOWN:
            self._invalidate(run)
        queue = self._waiting.get(run.spec.scope)
        if queue:
            queue.popleft()
            if queue:
                self._send(queue[0])
            else:
                del self._waiting[run.spec.scope]
        self._settled()

    def _invalidate(self, run: _Run) -> None:
        targets: dict[WritableKey | KeyPrefix, None] = {key: None for key, _, _ in run.layers}
        try:
            targets.update(dict.fromkeys(run.spec.invalidates(run.args)))
            for target in targets:
                self._cache.invalidate(target)
        except Exception as error:
            self._on_error(error)

    def _touch(self, key: WritableKey) -> None:
        query = self._cache.find(key)
        if query is not None:
            self._cache.touch(query)

    def statistics(self) -> MutationStatistics:
        return MutationStatistics(self._pending, self._done, self._failed)
