"""The simulator is seeded and exact."""

import sqlite3
import time
from itertools import pairwise
from pathlib import Path

from server_stub import changes as c
from server_stub.moments import DAY, SECOND, from_iso
from server_stub.sources import sim_history as world
from server_stub.sources.sim_timeline import Timeline
from server_stub.store import jobs, schema
from server_stub.store.writer import apply

from .running import running, sim

ORIGIN = from_iso("2026-01-02T12:00:00Z")


def store(seed: int, rows: int) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.executescript(schema.TABLES + schema.INDEXES + schema.TRIGGERS)
    connection.execute("BEGIN")
    world.write(connection, seed, ORIGIN, rows)
    connection.execute("COMMIT")
    return connection


def dump(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute("SELECT * FROM jobs ORDER BY id")]


def steps(seed: int, count: int) -> list[list[c.Change]]:
    timeline = Timeline(seed)
    return [timeline.step(ORIGIN + number * SECOND) for number in range(count)]


def test_the_same_seed_gives_the_same_history_and_another_seed_another() -> None:
    first, again, other = store(1, 300), store(1, 300), store(2, 300)
    assert dump(first) == dump(again)
    assert dump(first) != dump(other)
    for connection in (first, again, other):
        connection.close()


def test_the_same_seed_gives_the_same_events_whatever_their_times() -> None:
    assert steps(7, 2_000) == steps(7, 2_000)
    assert steps(7, 50) != steps(8, 50)


def test_one_step_is_one_event() -> None:
    not_events = (c.Queued, c.ArtifactAdded)
    for changes in steps(3, 3_000):
        assert sum(1 for change in changes if not isinstance(change, not_events)) == 1


def test_the_timeline_has_every_kind_of_event_and_its_jobs_are_consistent() -> None:
    seen: dict[str, list[c.Change]] = {}
    kinds: set[type[object]] = set()
    for changes in steps(5, 20_000):
        for change in changes:
            kinds.add(type(change))
            if isinstance(change, c.Started | c.Progressed | c.Completed | c.Failed | c.Retrying):
                seen.setdefault(change.job.id, []).append(change)
    assert kinds >= {c.Queued, c.Started, c.Progressed, c.Checkpointed, c.Completed, c.Failed, c.Retrying, c.Requested}
    for changes in seen.values():
        assert isinstance(changes[0], c.Started)
        assert not any(isinstance(change, c.Completed | c.Failed) for change in changes[:-1])
        for before, after in pairwise(changes):
            if isinstance(before, c.Retrying):
                assert isinstance(after, c.Started)
                assert after.attempt == before.attempt + 1


def test_a_day_of_history_is_made_within_two_seconds_and_its_roll_ups_agree_with_its_rows() -> None:
    began = time.process_time()
    connection = store(1, 24_000)
    assert time.process_time() - began < 4  # two seconds on an idle machine; this one may be busy
    trends = jobs.trends(connection, ORIGIN, 26, None, None)["hourly"]
    rows = connection.execute("SELECT count(*) FROM jobs").fetchone()[0]
    assert (
        sum(bucket[status] for bucket in trends for status in jobs.TREND_STATUSES)
        + connection.execute("SELECT count(*) FROM jobs WHERE status = 'cancelled'").fetchone()[0]
        == rows
    )
    oldest = connection.execute("SELECT min(created_at) FROM jobs").fetchone()[0]
    assert oldest >= ORIGIN - DAY - 60 * SECOND
    apply(connection, [c.Requested("one", ORIGIN, "a", "GET", "/", 200, 1.0)])  # the triggers are back
    assert connection.execute("SELECT sum(n) FROM api_minutes").fetchone()[0] == 24_001
    connection.close()


def test_at_a_rate_events_flow_and_their_ids_have_no_hole(tmp_path: Path) -> None:
    with running(sim(tmp_path, rate=400)) as server:
        stream = server.stream("/events/stream")
        sequences = [frame.sequence for frame in stream.data(200)]
        assert sequences == list(range(sequences[0], sequences[0] + 200))
        stream.close()
