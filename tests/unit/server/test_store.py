"""Filters, pages, roll-ups and positions against naive Python."""

import asyncio
import sqlite3
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from server_stub import changes as c
from server_stub import keys
from server_stub.hub import Hub
from server_stub.journal import Journal
from server_stub.moments import DAY, HOUR, SECOND, from_iso, iso
from server_stub.settings import Times
from server_stub.store import apis, jobs, pruning, schema
from server_stub.store.apis import RequestFilter
from server_stub.store.database import Database
from server_stub.store.jobs import JobFilter
from server_stub.store.writer import apply, position

BASE = from_iso("2026-01-02T03:00:00Z")
FUNCTIONS = ("f1", "f2")
WORKERS = ("w1", "w2")


def memory() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.executescript(schema.TABLES + schema.INDEXES + schema.TRIGGERS)
    return connection


Plan = tuple[str, str, int, str]
"""(function, worker, start in half hours, end)."""

plans = st.lists(
    st.tuples(
        st.sampled_from(FUNCTIONS),
        st.sampled_from(WORKERS),
        st.integers(0, 9),
        st.sampled_from(("queued", "active", "complete", "failed", "retrying", "cancelled")),
    ),
    max_size=25,
)


def changes_of(number: int, plan: Plan) -> list[c.Change]:
    function, worker, half_hours, end = plan
    at = BASE + half_hours * HOUR // 2
    ref = c.JobRef(f"job_{number:03}", function, function, f"job_{number:03}", None, 1)
    changes: list[c.Change] = [c.Queued(ref, at - SECOND, {})]
    if end == "queued":
        return changes
    changes.append(c.Started(ref, at, worker, 1))
    ends: dict[str, c.Change] = {
        "complete": c.Completed(ref, at + SECOND, worker, 1, 1000.0, {"ok": True}),
        "failed": c.Failed(ref, at + SECOND, worker, 1, "no", 1000.0),
        "retrying": c.Retrying(ref, at + SECOND, worker, 1, "no", at + 2 * SECOND),
        "cancelled": c.Cancelled(ref, at + SECOND, worker, 1),
    }
    return [*changes, ends[end]] if end in ends else changes


def filled(given_plans: list[Plan]) -> sqlite3.Connection:
    connection = memory()
    apply(connection, [change for number, plan in enumerate(given_plans) for change in changes_of(number, plan)])
    return connection


filters = st.builds(
    JobFilter,
    function=st.sampled_from((None, *FUNCTIONS)),
    statuses=st.lists(st.sampled_from(("queued", "active", "complete", "failed")), max_size=2, unique=True).map(tuple),
    worker_id=st.sampled_from((None, *WORKERS)),
    after=st.one_of(st.none(), st.integers(0, 9).map(lambda n: BASE + n * HOUR // 2)),
    before=st.one_of(st.none(), st.integers(0, 9).map(lambda n: BASE + n * HOUR // 2)),
)


def naive(given_plans: list[Plan], wanted: JobFilter) -> list[str]:
    found: list[tuple[int, str]] = []
    for number, (function, worker, half_hours, end) in enumerate(given_plans):
        at = BASE + half_hours * HOUR // 2 - (SECOND if end == "queued" else 0)
        status_fits = end in wanted.statuses if wanted.statuses else end != "queued"
        fits = (
            status_fits
            and wanted.function in (None, function)
            and wanted.worker_id in (None, None if end == "queued" else worker)
            and (wanted.worker_id is None or end != "queued")
            and (wanted.after is None or at >= wanted.after)
            and (wanted.before is None or at <= wanted.before)
        )
        if fits:
            found.append((at, f"job_{number:03}"))
    return [job_id for _, job_id in sorted(found, reverse=True)]


@given(plans, filters, st.integers(1, 7))
@settings(deadline=None)
def test_pages_of_a_filter_are_the_naive_filter_cut_in_pieces(given_plans: list[Plan], wanted: JobFilter, limit: int) -> None:
    connection = filled(given_plans)
    expected = naive(given_plans, wanted)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = jobs.page(connection, wanted, limit, cursor)
        assert page["total"] == len(expected)
        seen += [job["id"] for job in page["jobs"]]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break
    assert seen == expected
    connection.close()


@given(plans)
@settings(deadline=None)
def test_trends_count_what_the_rows_say_whatever_the_order_of_changes(given_plans: list[Plan]) -> None:
    connection = filled(given_plans)
    trends = jobs.trends(connection, BASE + 5 * HOUR, 6, None, None)["hourly"]
    for hour, bucket in enumerate(trends):
        begin = BASE + hour * HOUR
        for status in jobs.TREND_STATUSES:
            rows = sum(1 for _, _, half, end in given_plans if end == status and BASE + half * HOUR // 2 - begin in range(HOUR))
            assert bucket[status] == rows
    assert trends[-1]["hour"] == iso(BASE + 5 * HOUR)
    connection.close()


@given(
    st.lists(
        st.tuples(st.sampled_from(("a", "b")), st.sampled_from((200, 404, 500)), st.sampled_from((None, "i1")), st.integers(0, 9)),
        max_size=30,
    ),
    st.sampled_from((None, "a")),
    st.sampled_from((None, 404)),
    st.sampled_from((None, "i1", apis.NO_INSTANCE)),
    st.integers(0, 5),
    st.integers(1, 10),
)
@settings(deadline=None)
def test_requests_of_a_filter_are_the_naive_filter(
    given_requests: list[tuple[str, int, str | None, int]],
    api: str | None,
    status: int | None,
    instance: str | None,
    offset: int,
    limit: int,
) -> None:
    connection = memory()
    apply(
        connection,
        [
            c.Requested(f"{number:03}", BASE + minute * 60 * SECOND, name, "GET", "/", code, 1.0, where)
            for number, (name, code, where, minute) in enumerate(given_requests)
        ],
    )
    wanted = None if instance == apis.NO_INSTANCE else instance
    expected = [
        f"{number:03}"
        for _, number in sorted(
            (
                (minute, number)
                for number, (name, code, where, minute) in enumerate(given_requests)
                if api in (None, name) and status in (None, code) and (instance is None or where == wanted)
            ),
            reverse=True,
        )
    ]
    page = apis.requests(connection, RequestFilter(api_name=api, status=status, instance_id=instance), limit, offset)
    assert [each["id"] for each in page["events"]] == expected[offset : offset + limit]
    assert page["total"] == len(expected)
    assert page["has_more"] == (offset + limit < len(expected))
    connection.close()


def test_an_unfinished_attempt_is_a_job_once_and_a_retry_moves_it() -> None:
    connection = memory()
    ref = c.JobRef("j", "f", "f", "j", None, 2)
    apply(connection, [c.Queued(ref, BASE, {"n": 1}), c.Started(ref, BASE + SECOND, "w", 1)])
    apply(connection, [c.Retrying(ref, BASE + 2 * SECOND, "w", 1, "no", BASE + 3 * SECOND)])
    apply(connection, [c.Started(ref, BASE + 3 * SECOND, "w", 2)])
    job = jobs.one(connection, "j")
    assert job is not None
    assert (job["status"], job["attempts"], job["created_at"]) == ("active", 2, iso(BASE + SECOND))
    assert jobs.trends(connection, BASE, 1, None, None)["hourly"][0]["active"] == 1
    apply(connection, [c.Failed(ref, BASE + 4 * SECOND, "w", 2, "no"), c.Requeued(ref, BASE + 5 * SECOND)])
    waiting = jobs.one(connection, "j")
    assert waiting is not None
    assert waiting["status"] == "failed", "no event says it waits, so its row does not either"
    connection.close()


def test_pruning_is_bounded_and_keeps_trends_and_open_jobs() -> None:
    connection = memory()
    changes: list[c.Change] = []
    for number in range(40):
        changes += changes_of(number, ("f1", "w1", 0, "complete" if number % 2 else "active"))
    apply(connection, changes)
    later = BASE + 30 * DAY
    before = jobs.trends(connection, BASE, 1, None, None)
    assert pruning.step(connection, BASE) == 0
    assert before == jobs.trends(connection, BASE, 1, None, None)
    assert pruning.step(connection, later) == 20
    assert jobs.stats(connection, JobFilter())["total"] == 20
    connection.close()


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 5))
@settings(deadline=None, max_examples=15)
def test_a_position_and_its_rows_are_of_one_moment_under_concurrent_writes(batches: list[int], readers: int) -> None:  # RT-7
    def look(connection: sqlite3.Connection) -> tuple[int, int]:
        rows = connection.execute("SELECT count(*) FROM requests").fetchone()[0]
        return int(rows), position(connection, keys.API_REQUESTS)

    async def run(folder: Path) -> None:
        database = Database(folder / "db.sqlite3", durable=False)
        hub = Hub(database, Times.of("test"))
        journal = Journal(database, hub)
        journal.start()
        seen: list[tuple[int, int]] = []

        async def write() -> None:
            number = 0
            for size in batches:
                requests = [c.Requested(f"{number + each}", BASE, "a", "GET", "/", 200, 1.0) for each in range(size)]
                number += size
                await journal.commit(*requests)

        async def read() -> None:
            while len(seen) < 3 or seen[-1][0] < sum(batches):
                seen.append(await database.read(look))

        await asyncio.gather(write(), *(read() for _ in range(readers)))
        await journal.stop()
        database.close()
        assert all(rows == sequence for rows, sequence in seen)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))
