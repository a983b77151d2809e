"""Compares what streams fed with the snapshots that replace it, and acts on a difference (RT-26, RT-35)."""

from __future__ import annotations

from pyapp.core.feeds.drift import SAMPLE, differs_in_silence, drift_of
from pyapp.core.feeds.gate import Why
from pyapp.core.feeds.schedule import Schedule
from pyapp.core.feeds.scope import Before, Feed, Scope
from pyapp.core.feeds.scopes import Scopes
from pyapp.core.ports import Random
from pyapp.core.timings import Timings


class Verifier:
    """`sampling` is the flag `verify_streams`: off, only domains of resources are compared."""

    def __init__(self, scopes: Scopes, schedule: Schedule, timings: Timings, random: Random) -> None:
        self._scopes = scopes
        self._schedule = schedule
        self._timings = timings
        self._random = random
        self.sampling = False

    def replacing(self, feed: Feed, scope: Scope) -> None:
        """A snapshot is about to replace the data of a feed: keep what streams made of it."""
        query = feed.query
        settled = self._scopes.in_sequence(scope) and feed.outdated_ms is None
        feed.before = Before(query.data, query.position, settled, self._scopes.silent_ms(scope)) if query.has_data else None

    def compare(self, feed: Feed, scope: Scope, why: Why | None, *, log_empty: bool) -> None:
        """The snapshot is in the data, with the events after it on top.

        Args:
            why: of an automatic fetch.
            log_empty: no event came while it was asked for.
        """
        before = feed.before
        silent = before is not None and not self._scopes.announces(scope) and before.silent_ms >= self._timings.unverified_ms
        if silent and differs_in_silence(feed.query, before, log_empty=log_empty):
            scope.silent_gaps += 1
            for other in list(scope.feeds.values()):
                if other is not feed:  # its own snapshot has just come
                    self._schedule.owe(other, "a silent stream missed something", covers=None, jitter=True)
            return
        sampled = self.sampling and why is Why.SAFETY and self._random.random() < SAMPLE
        keys = drift_of(feed.query, before) if feed.query.spec.resource or sampled else ()
        if keys:
            scope.drifts += 1
            scope.drift_keys = keys
            scope.drifted = True
            for each in list(scope.feeds.values()):
                self._schedule.owe(each, "drift", covers=None, jitter=True)
