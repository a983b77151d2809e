"""Whether rows that a stream fed equal the server's (RT-35): pure functions.

A comparison means something only at equal position: the rows before a snapshot, and the snapshot with the events after its position
laid on top, must both reach the same place of the stream.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyapp.core.cache.query import Query
from pyapp.core.cache.sharing import same
from pyapp.core.feeds.scope import Before

KEYS_NAMED = 5
SAMPLE = 0.1
"""One safety snapshot in ten is compared where the domain is not one of resources."""


def differences(streamed: Mapping[str, object], snapshot: Mapping[str, object], *, whole: bool) -> tuple[str, ...]:
    """The keys of rows that differ, at most five.

    Args:
        streamed: rows as events made them, by key.
        snapshot: rows as the server has them.
        whole: both hold every row there is, so that one that the other lacks is a difference; else only rows of both are compared.
    """
    keys = [*streamed, *(key for key in snapshot if key not in streamed)] if whole else [key for key in streamed if key in snapshot]
    wrong = [key for key in keys if key not in streamed or key not in snapshot or not same(streamed[key], snapshot[key])]
    return tuple(wrong[:KEYS_NAMED])


def drift_of(query: Query, before: Before | None) -> tuple[str, ...]:
    """The rows in which the data before a snapshot differed from it, where the two can be compared: at equal position."""
    rows = query.spec.rows
    if rows is None or before is None or not before.settled or before.position is None or before.position != query.position:
        return ()
    return differences(rows(before.data), rows(query.data), whole=query.spec.resource)


def differs_in_silence(query: Query, before: Before | None, *, log_empty: bool) -> bool:
    """Whether a stream that announces nothing said nothing of a change (RT-26): events came neither before nor during the request."""
    if before is None or not before.settled or not log_empty:
        return False
    rows = query.spec.rows
    if rows is None:
        return before.data is not query.data  # equal data keeps its identity
    streamed, snapshot = rows(before.data), rows(query.data)
    # A row that the stream should have told of and did not is the usual sign of a socket that only looks open.
    untold = any(key not in streamed and value is not None for key, value in snapshot.items())
    return untold or bool(differences(streamed, snapshot, whole=query.spec.resource))
