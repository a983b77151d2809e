"""What a page says of a part-A server as it truly is, in good and broken states: the recordings, replayed through the real client."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import part_a
import pytest
from part_a import Answer, Script, State
from replaying import Frame, Look, SseParser, World, json_answer

from pyapp.core.client import QueryKey, aggregate, live, stream_key

FOLDER = part_a.recordings()
pytestmark = pytest.mark.skipif(FOLDER is None, reason=part_a.MISSING)

JOBS, REQUESTS, WORKERS, FUNCTIONS = live("jobs"), live("requests"), live("workers"), live("functions")
STATS, TRENDS = aggregate("stats", window_minutes=5), aggregate("jobs.trends", hours=24)
STREAMED: tuple[QueryKey, ...] = (JOBS, REQUESTS, WORKERS, TRENDS)
PATHS: dict[QueryKey, str] = {
    JOBS: "events/stream",
    REQUESTS: "apis/events/stream",
    WORKERS: "workers/stream",
    TRENDS: "jobs/trends/stream",
}
DOMAINS: dict[QueryKey, str] = {JOBS: "events", REQUESTS: "requests", WORKERS: "workers", TRENDS: "jobs.trends?hours=24"}
GRACE_S, BACKOFF_S, CAP_S, JITTER = 12.0, 1.0, 30.0, 0.15
BEAT_S = 0.25
"""From something that happens to a panel that says it: an answer's way, and two beats."""

BROKEN: tuple[State, ...] = ("no-redis", "redis-down")


def recorded(name: str) -> str:
    assert FOLDER is not None
    return (FOLDER / name).read_text(encoding="utf-8")


def look_at(world: World, *keys: QueryKey) -> list[Look]:
    return [world.look(key) for key in keys]


def never_said(look: Look, state: str, *, since_s: float = 0.0) -> bool:
    return state not in {said.state for said in look.said if said.at_s >= since_s}


def not_hammered(times: Sequence[float], *, took_s: float = 0.0) -> None:
    """Each attempt that follows another leaves at least what the backoff says."""
    for number, (one, other) in enumerate(pairwise(times)):
        least = min(CAP_S, BACKOFF_S * 2**number) * (1 - JITTER)
        assert other - one - took_s >= least - 0.01, (number, one, other)


def counters_add_up(world: World) -> None:
    """RT-40's sum for every stream, and nothing was raised."""
    for row in world.client.statistics().streams:
        c = row.counts
        assert c.received == c.applied + c.coalesced + c.dropped + c.invalid + c.old + c.ignored + c.waiting, row.key
    assert world.raised() == ()


# A server whose streams never work -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", BROKEN)
def test_streams_that_never_work_are_never_live_not_hammered_and_replaced_by_polling(state: State) -> None:
    # RT-23, RT-24, RT-30, RT-33: 503, or a 200 with open, error and the end, again and again
    world = World(state)
    looks = look_at(world, *STREAMED)
    world.run(300)
    for look in looks:
        domain, attempts = world.domain(DOMAINS[look.key]), world.opened_at(PATHS[look.key])
        assert never_said(look, "live"), look.key
        assert (domain.fallbacks, domain.health.startswith("unhealthy")) == (1, True)
        not_hammered(attempts)
        assert 14 <= len(attempts) <= 16  # about one in 30 s, once the backoff is at its cap
        stream = world.stream(DOMAINS[look.key])
        assert (stream.reconnects, stream.drops, stream.counts.received) == (len(attempts) - 1, 0, 0)
    jobs = looks[0]
    assert jobs.words == [("loading", ""), ("loading", "connecting"), ("polling", "fallback")]
    assert jobs.said[-1].at_s == pytest.approx(GRACE_S, abs=BEAT_S)
    polls = [at for at in world.asked_at("jobs") if at >= GRACE_S - 0.1]
    assert [round(b - a) for a, b in pairwise(polls)] == [10] * (len(polls) - 1)  # the interval of the profile, and nothing besides
    counters_add_up(world)


@pytest.mark.parametrize("state", BROKEN)
def test_a_server_that_breaks_leaves_the_data_and_says_that_it_is_old_then_that_it_is_polled(state: State) -> None:
    # RT-12, RT-33
    world = World()
    jobs, stats = look_at(world, JOBS, STATS)
    world.run(30)
    assert (jobs.now, stats.now) == (("live", "delivering"), ("polling", "design"))
    figures = stats.data
    world.change(state)
    world.run(20)
    assert jobs.words[-3:] == [("live", "delivering"), ("stale", "old"), ("polling", "fallback")]
    assert jobs.said[-2].at_s == pytest.approx(30, abs=BEAT_S)
    assert jobs.said[-1].at_s == pytest.approx(30 + GRACE_S, abs=BEAT_S)
    # The figures' 500 stands beside what was there, with what the server said and when it is asked again.
    assert stats.now == ("error", "server")
    assert stats.data == figures
    assert str(stats.last.error) == "The server answered 500."
    assert stats.last.freshness.next_attempt_ms is not None
    counters_add_up(world)


@pytest.mark.parametrize("state", BROKEN)
def test_a_server_that_is_mended_is_live_again_with_one_snapshot_each_and_polling_ends(state: State) -> None:
    # RT-23, RT-32, RT-33
    world = World(state)
    looks = look_at(world, *STREAMED, STATS)
    world.run(100)
    world.state = "idle"  # nothing is cut: there is nothing
    mended = world.now_s
    world.run(CAP_S * (1 + JITTER) + 2 + 1 + BEAT_S)  # a retry, the confirmation, the snapshot that is owed
    for look in looks[:-1]:
        assert look.now[0] == "live", look.said
        assert look.last.error is None
        assert world.domain(DOMAINS[look.key]).polling == "disabled"
        confirmed = next(said.at_s for said in look.said if said.state == "live")
        assert never_said(look, "polling", since_s=confirmed)
        assert confirmed > mended
    world.run(60)
    assert looks[-1].now == ("polling", "design")
    assert all(look.now[0] == "live" for look in looks[:-1])
    counters_add_up(world)


def test_what_did_not_load_says_when_it_is_asked_again_and_not_when_its_stream_is_tried() -> None:
    # RT-12, RT-80, RT-83
    world = World("redis-down")
    world.scripts["workers/stream"] = lambda: Script(((0.0, part_a.OPEN), (1.5, part_a.ERROR)), ends=True)
    look = world.look(WORKERS)
    world.run(10)  # asked at 7.1 s and again at 15.1; the stream is tried at another time
    assert look.now == ("error", "server")
    row = next(row for row in world.client.statistics().feeds.queries if row.key == str(WORKERS))
    assert row.next_ms is not None
    at_ms = world.clock.wall() - world.clock.now() + row.next_ms
    assert look.last.freshness.next_attempt_ms == pytest.approx(at_ms, abs=1_000)
    retry_ms = world.stream("workers").state.retry_at_ms
    assert retry_ms is not None
    assert abs(retry_ms - row.next_ms) > 1_000


def test_figures_that_fail_take_nothing_with_them_that_the_server_answers() -> None:
    # RT-66: without its store that server fails at /dashboard/stats alone, and answers /functions and /jobs/trends
    world = World("no-redis")
    stats, functions, trends, totals = look_at(world, STATS, FUNCTIONS, TRENDS, aggregate("jobs.stats"))
    world.run(120)
    assert {reason for state, reason in stats.words if state == "error"} == {"server", "breaker"}
    for look in (functions, trends, totals):
        assert never_said(look, "error"), look.said
        assert look.last.has_data
    breaker = [alert for alert in world.client.statistics().alerts if str(alert.kind) == "breaker"]
    assert len(breaker) == 1
    # One probe in 30 s once it is open, and before that the backoff.
    asked = world.asked_at("dashboard/stats")
    not_hammered(asked)
    assert all(b - a >= 30 for a, b in pairwise(asked[4:]))


def test_on_http1_the_stream_that_gets_no_connection_says_budget_and_the_broken_ones_do_not_hold_theirs() -> None:
    # RT-64
    world = World("no-redis", protocol="http/1.1")
    looks = look_at(world, *STREAMED, aggregate("apis.trends", hours=24))
    world.run(60)
    assert looks[-1].now == ("polling", "budget")
    assert world.opened_at("apis/trends/stream") == []
    assert all(look.now == ("polling", "fallback") for look in looks[:-1])


# A store that stops under streams that flow ------------------------------------------------------------------------------------


def broken_off(world: World, path: str, after_s: float) -> list[float]:
    """When the server ended each connection of a stream, `after_s` after it began."""
    return [at + 0.02 + after_s for at in world.opened_at(path) if at + 0.02 + after_s < world.now_s]


@pytest.mark.parametrize(("key", "lasts_s"), [(JOBS, 5.781), (WORKERS, 5.832), (TRENDS, 5.81), (REQUESTS, 5.779)])
def test_a_stream_that_breaks_every_six_seconds_is_live_only_between_confirmation_and_break(key: QueryKey, lasts_s: float) -> None:
    # RT-24, RT-30, RT-34
    world = World("redis-stop")
    look = world.look(key)
    world.run(120)
    ends = broken_off(world, PATHS[key], lasts_s)
    assert len(ends) >= 5
    for end in ends:
        assert look.state_at(end + BEAT_S)[0] != "live", end
    for opened, said in [(opened, said) for opened in world.opened_at(PATHS[key]) for said in look.said]:
        # An open socket alone is nothing: live is what a frame or two quiet seconds confirmed, and a snapshot after it.
        if opened <= said.at_s < opened + (0.02 if key in (WORKERS, TRENDS) else 2.02):
            assert said.state != "live", (opened, said)
    stream = world.stream(DOMAINS[key])
    assert (stream.drops, stream.reconnects) == (len(ends), len(world.opened_at(PATHS[key])) - 1)
    assert look.last.has_data
    assert look.last.error is None
    counters_add_up(world)


@pytest.mark.parametrize("key", [JOBS, REQUESTS])
def test_four_healthy_seconds_give_a_stream_that_keeps_breaking_no_new_grace(key: QueryKey) -> None:
    # RT-33: 5 s of unbroken health end a fallback, and only they restart the grace
    world = World("redis-stop")
    look = world.look(key)
    world.run(120)
    polled = next(said.at_s for said in look.said if said.state == "polling")
    assert GRACE_S <= polled <= GRACE_S + 3.8 + BEAT_S  # it may be healthy when the grace ends
    assert world.domain(DOMAINS[key]).polling == "enabled"
    spoken = [said for said in look.said if said.at_s > polled]
    assert {said.state for said in spoken} <= {"live", "polling"}  # never stale again: where the stream is not, polling is
    gaps = [b - a for a, b in pairwise(at for at in world.asked_at("jobs" if key is JOBS else "apis/events") if at > polled)]
    assert max(gaps) <= 10 + 3.8 + BEAT_S


def test_a_stream_that_holds_for_five_seconds_and_breaks_is_tried_again_at_once_each_time() -> None:
    # RT-23, RT-32: the workers' stream brings its snapshot with it, so what each break owes is paid without a request
    world = World("redis-stop")
    look = world.look(WORKERS)
    world.run(59)
    attempts = world.opened_at("workers/stream")
    assert all(5.8 + 0.85 <= b - a <= 5.9 + 1.2 for a, b in pairwise(attempts))
    assert len(world.asked_at("workers")) == 1
    assert world.domain("workers").resyncs == len(attempts) - 1
    assert {reason for state, reason in look.words if state == "stale"} <= {"old", "catching-up"}


def test_a_stream_that_says_one_snapshot_and_fails_is_not_called_live_for_it() -> None:
    # RT-23, RT-24, RT-30: what Redis 8 did to that server
    said = recorded("_redis8_anomaly/workers.stream.sse").encode()
    world = World()
    world.scripts["workers/stream"] = lambda: Script(((0.0, said),), ends=True)
    look = world.look(WORKERS)
    world.run(90)
    assert never_said(look, "live")
    assert look.now == ("polling", "fallback")
    not_hammered(world.opened_at("workers/stream"))
    stream = world.stream("workers")
    assert stream.counts.applied == stream.counts.received == len(world.opened_at("workers/stream"))  # and yet what it said is shown
    counters_add_up(world)


# A server at rest --------------------------------------------------------------------------------------------------------------


def test_a_server_at_rest_is_live_unverified_after_a_minute_and_checked_once_a_minute_without_a_reconnect() -> None:
    # RT-8, RT-26: only comments come, of which a browser tells nothing
    world = World("idle")
    look = world.look(REQUESTS)
    world.run(600)
    assert look.words == [
        ("loading", ""),
        ("loading", "connecting"),
        ("stale", "catching-up"),
        ("live", "synchronized"),
        ("live", "unverified"),
    ]
    assert look.said[-1].at_s == pytest.approx(62, abs=1 + BEAT_S)
    assert len(world.opened_at("apis/events/stream")) == 1
    checks = world.asked_at("apis/events")[2:]
    assert [round(b - a) for a, b in pairwise(checks)] == [60] * 8
    assert world.domain("requests").silent_gaps == 0
    assert world.stream("requests").frames == 2  # the socket's own event, and the frame named open
    counters_add_up(world)


def test_silence_that_hid_something_is_a_gap_once_the_check_finds_it() -> None:
    # RT-26, RT-35
    world = World("idle")
    look = world.look(REQUESTS)
    world.run(70)
    assert look.now == ("live", "unverified")
    page = json.loads(recorded("apis.events.json"))
    missed = {**page["events"][0], "id": "evt_missed"}
    world.answers["apis/events"] = lambda: json_answer({**page, "events": [missed, *page["events"]]})
    world.run(60)
    assert look.data.rows[0].id == "evt_missed"
    assert world.domain("requests").silent_gaps == 1
    world.run(120)
    assert world.domain("requests").silent_gaps == 1  # once for what was missed, not for each check
    counters_add_up(world)


def test_a_server_at_rest_whose_clock_ticks_every_ten_seconds_is_never_called_stale() -> None:
    # RT-8, RT-30
    world = World("idle")
    looks = look_at(world, JOBS, WORKERS, TRENDS)
    world.run(48)
    for look in looks:
        first_live = next(said.at_s for said in look.said if said.state == "live")
        assert first_live < 2.5
        assert {said.state for said in look.said if said.at_s >= first_live} == {"live"}
    assert [world.stream(DOMAINS[key]).counts.invalid for key in (JOBS, WORKERS, TRENDS)] == [0, 0, 0]
    assert world.stream("workers").counts.applied == 10
    # The rows of the jobs that ran in the meantime are there, and came from the stream.
    newest = {row.id for row in looks[0].data.rows}
    assert re.findall(r"'data: .*\"job_id\":\"(job_\w+)\"", recorded("idle.events.timed.txt"))
    assert newest
    counters_add_up(world)


# A server that was told to stop ------------------------------------------------------------------------------------------------


def timed(name: str, kind: str) -> Script:
    """A recording of chunks with times; those that were shortened are taken whole from the same stream's other recording."""
    frames = [f"{one}\n\n".encode() for one in recorded(f"{kind}.stream.sse").split("\n\n") if one.startswith("data:")]
    chunks: list[tuple[float, bytes]] = []
    for line in recorded(name).splitlines():
        if line.startswith("#"):
            continue
        at, _, said = line.strip().partition(" ")
        text = ast.literal_eval(said.removesuffix("..."))
        chunks.append((float(at), frames[len(chunks) % len(frames)] if said.endswith("...") else text.encode()))
    return Script(tuple(chunks), ends=False)


def test_a_server_that_stops_keeps_its_streams_so_they_stay_live_and_what_is_asked_says_network() -> None:
    # RT-12, RT-26, RT-30: uvicorn waits for its streams, and takes nothing new
    world = World("idle")
    world.scripts["workers/stream"] = lambda: timed("failure/server-sigterm.workers.txt", "workers")
    world.scripts["apis/events/stream"] = lambda: timed("failure/server-sigterm.apis.events.txt", "apis.events")
    workers, requests, stats = look_at(world, WORKERS, REQUESTS, STATS)
    world.run(5)
    assert (workers.now, requests.now, stats.now) == (("live", "delivering"), ("live", "synchronized"), ("polling", "design"))
    world.reachable = False
    world.run(35)
    assert workers.now == ("live", "delivering")  # heard five seconds ago, and measured
    assert requests.now == ("live", "synchronized")
    assert (stats.now[0], stats.last.has_data) == ("error", True)
    assert stats.now[1] in ("network", "breaker")
    assert len(world.opened) == 2
    # Then it is gone: one error of each socket, and nobody says live.
    world.change("idle")
    world.run(30)
    for look in (workers, requests):
        assert look.now[0] != "live"
        assert never_said(look, "live", since_s=40 + BEAT_S)
        assert look.last.has_data
    counters_add_up(world)


# An event and a snapshot that cross --------------------------------------------------------------------------------------------


def race() -> Iterator[tuple[float, dict[str, Any]]]:
    """The recorded job events with their times, made whole: each keeps its job, its function and its moment."""
    whole: dict[str, dict[str, Any]] = {}
    for frame in SseParser().feed(recorded("events.stream.sse").encode()):
        if frame.event == "message":
            event = json.loads(frame.data)
            whole.setdefault(event["type"], event)
    for line in recorded("failure/race.events.txt").splitlines():
        found = re.match(r'\s*([\d.]+) \'data: \{"type":"([\w.]+)","job_id":"(\w+)"', line)
        if found:
            at, kind, job = found.groups()
            yield float(at), {**whole[kind], "job_id": job, "root_id": job}


def job_row(event: dict[str, Any], status: str) -> dict[str, Any]:
    row = next(job for job in json.loads(recorded("jobs.list.default.json"))["jobs"] if job["status"] == "complete")
    row = {**row, "id": event["job_id"], "root_id": event["job_id"], "status": status, "attempts": event["attempt"]}
    return row if status == "complete" else {**row, "completed_at": None, "duration_ms": None, "progress": 0.0}


RANK = {"queued": 0, "active": 1, "complete": 3}


@pytest.mark.parametrize("way_ms", [5, 40, 60, 400, 3_000])
def test_a_snapshot_that_crosses_events_undoes_none_of_them_and_no_event_undoes_it(way_ms: float) -> None:
    # RT-7: a snapshot is read at the server in the middle of its way; the jobs are asked for over and over while the events come
    events = list(race())
    assert len(events) == 14
    world = World("idle")
    chunks = [(0.0, b"event: open\ndata: connected\n\n")]
    chunks += [(at, f"data: {json.dumps(event)}\n\n".encode()) for at, event in events]
    world.scripts["events/stream"] = lambda: Script(tuple(chunks), ends=False)

    def page() -> Answer:
        rows: dict[str, dict[str, Any]] = {}
        for at, event in events:
            # A little after the stream said it: that server's lists lag its streams.
            if at + 0.03 <= world.now_s:
                rows[event["job_id"]] = job_row(event, "complete" if event["type"] == "job.completed" else "active")
        return json_answer({"jobs": list(reversed(rows.values())), "total": len(rows), "has_more": False, "next_cursor": None})

    world.answers["jobs"] = page
    world.answer_ms = way_ms
    look = world.look(JOBS)
    while world.now_s < 24:
        world.run(0.37)
        world.client.refresh(JOBS)
    world.run(10)
    reached: dict[str, int] = {}
    for result in look.results:
        if not result.has_data:
            continue
        listed: Any = result.data
        shown = {row.id: RANK[row.status] for row in listed.rows}
        for job, rank in reached.items():
            assert shown.get(job, -1) >= rank, (job, shown.get(job), rank)
        reached.update(shown)
    assert reached == {event["job_id"]: RANK["complete"] for _, event in events}
    assert [row.id for row in look.data.rows] == list(dict.fromkeys(event["job_id"] for _, event in reversed(events)))
    assert look.now[0] == "live"
    counters_add_up(world)


def test_trends_that_lag_the_server_by_one_event_are_put_right_two_seconds_after_the_last() -> None:
    # RT-42, RT-44: of the five recorded pairs of a stream's word and an answer only one agrees
    pairs = [
        tuple(sum(hour["complete"] for hour in json.loads(text.split("}]}")[0] + "}]}")["hourly"]) for text in line)
        for line in (
            ("{" + line.partition("last-sse: ")[2].partition("}}")[0].rstrip("}]") + "}]}", line.partition("get: ")[2])
            for line in recorded("failure/race.summary.txt").splitlines()
        )
    ]
    assert [told < answered for told, answered in pairs] == [True, True, False, True, True]
    completed = [at for at, event in race() if event["type"] == "job.completed"]
    frames = [frame for frame in SseParser().feed(recorded("failure/race.trends.sse").encode()) if frame.event == "message"]
    began = datetime.fromisoformat(json.loads(frames[0].data)["at"])
    chunks = [(0.0, b"event: open\ndata: connected\n\n")]
    for frame in frames:
        at_s = (datetime.fromisoformat(json.loads(frame.data)["at"]) - began).total_seconds()
        chunks.append((at_s, f"data: {frame.data}\n\n".encode()))
    world = World("idle")
    world.scripts["jobs/trends/stream"] = lambda: Script(tuple(chunks), ends=False)

    def answer() -> Answer:
        done = sum(at + 0.02 <= world.now_s for at in completed)
        return json_answer({"hourly": [{"hour": "2026-11-20T07:00:00Z", "complete": done, "failed": 0, "retrying": 0, "active": 0}]})

    world.answers["jobs/trends"] = answer
    look = world.look(aggregate("jobs.trends", hours=1))
    world.run(18.5)  # 13.896 was the last, 18.9 is the next; and one refetch in five seconds (RT-42)
    assert look.data.hourly[0].complete == 6
    world.run(26 - 18.5)
    assert look.data.hourly[0].complete == 7
    assert look.now == ("live", "delivering")
    pages: list[Any] = [result.data for result in look.results if result.has_data]
    shown = [page.hourly[0].complete for page in pages]
    assert len(world.asked_at("jobs/trends")) <= 2 + 4  # and not once for each of fifteen frames
    assert shown[-1] == max(shown)
    counters_add_up(world)


# A server that wants to know who asks ------------------------------------------------------------------------------------------


def test_a_server_that_asks_who_one_is_is_asked_once_for_everything_and_then_for_nothing() -> None:
    # RT-25, RT-36
    world = World("auth")
    looks = look_at(world, *STREAMED, STATS, FUNCTIONS)
    world.run(3)
    for look in looks:
        assert look.words == [("loading", ""), ("error", "forbidden")]
        assert str(look.last.error) == "The server answered 401: Missing or invalid Authorization header."
        assert look.last.freshness.next_attempt_ms is None
    asked, opened = len(world.asked), len(world.opened)
    assert {one.status for one in world.asked} == {401}
    assert sum(not one.probe for one in world.asked) == len(looks)
    world.run(3_600)
    assert (len(world.asked), len(world.opened)) == (asked, opened)
    assert [len(world.opened_at(path)) for path in PATHS.values()] == [1, 1, 1, 1]
    assert all(len(world.asked_at(path, probe=True)) <= 1 for path in PATHS.values())
    # A person asks: one request for what was asked, and again nothing.
    world.client.refresh(JOBS)
    world.run(60)
    assert len(world.asked) == asked + 1
    counters_add_up(world)


def test_a_refused_stream_alone_is_asked_once_why_and_is_forbidden_until_somebody_else_is_there() -> None:
    # RT-25, RT-36
    world = World("auth")
    heard: list[Any] = []
    world.client.use_stream(stream_key("workers"), heard.append)
    world.run(3_600)
    state = world.stream("workers").state
    assert (str(state.phase), str(state.reason)) == ("closed", "forbidden")
    assert len(world.opened) == 1
    assert [(one.url, one.status, one.probe) for one in world.asked] == [("workers/stream", 401, True)]
    world.authorization = f"Bearer {part_a.KEY}"
    world.client.identity_changed()
    world.run(10)
    assert str(world.stream("workers").state.phase) == "open"
    counters_add_up(world)


def test_why_a_stream_was_refused_is_asked_once_for_each_refusal_and_never_where_frames_came() -> None:
    # RT-24, RT-25: 503 and 500 are refusals, whose status a browser hides; open, error, end at 200 is none
    refused, failed = World("no-redis"), World("redis-down")
    for world in (refused, failed):
        look_at(world, JOBS, WORKERS)
        world.run(120)
    for world, path in ((refused, "events/stream"), (refused, "workers/stream"), (failed, "events/stream")):
        assert len(world.asked_at(path, probe=True)) == len(world.opened_at(path))
        assert {one.status for one in world.asked if one.probe and one.url == path} <= {500, 503}
    assert len(failed.opened_at("workers/stream")) > 5
    assert failed.asked_at("workers/stream", probe=True) == []


def test_a_session_that_ends_leaves_the_data_marked_and_a_new_one_brings_all_back() -> None:
    # RT-12, RT-36
    world = World("idle")
    looks = look_at(world, JOBS, WORKERS, STATS)
    world.run(30)
    rows = [look.data for look in looks]
    world.change("auth")
    world.run(90)
    assert [look.now for look in looks] == [("error", "forbidden")] * 3
    assert [look.last.has_data for look in looks] == [True] * 3
    assert looks[0].data == rows[0]
    asked, opened = len(world.asked), len(world.opened)
    world.run(600)
    assert (len(world.asked), len(world.opened)) == (asked, opened)
    world.authorization = f"Bearer {part_a.KEY}"
    world.client.identity_changed()
    world.run(10)
    assert looks[0].now[0] == "live"
    assert looks[2].now == ("polling", "design")
    assert len(world.opened) == opened + 2
    counters_add_up(world)


# Streams that work ---------------------------------------------------------------------------------------------------------------

FLOWING = {
    "events": ("events/stream", "events", JOBS),
    "apis.events": ("apis/events/stream", "requests", REQUESTS),
    "workers": ("workers/stream", "workers", WORKERS),
    "jobs.trends": ("jobs/trends/stream", "jobs.trends?hours=24", TRENDS),
    "apis.trends": ("apis/trends/stream", "apis.trends?hours=24", aggregate("apis.trends", hours=24)),
    "apis": ("apis/stream", "apis", live("apis")),
}


@pytest.mark.parametrize("build", ["", "sqlite/", "head/"])
@pytest.mark.parametrize("name", FLOWING)
def test_every_frame_of_every_recorded_stream_is_applied_or_replaced_by_a_later_one(name: str, build: str) -> None:
    # RT-29, RT-40
    path, domain, key = FLOWING[name]
    said = recorded(f"{build}{name}.stream.sse").encode()
    frames = [frame for frame in SseParser().feed(said) if frame.event == "message"]
    world = World()
    # In pieces of odd sizes over twenty seconds, as a network would cut it.
    size = max(1, len(said) // 97)
    pieces = [(number * 20 / 97, said[at : at + size]) for number, at in enumerate(range(0, len(said), size))]
    world.scripts[path] = lambda: Script(tuple(pieces), ends=False)
    look = world.look(key)
    world.run(25)
    counts = world.stream(domain).counts
    assert counts.received == len(frames)
    assert (counts.invalid, counts.dropped, counts.old, counts.ignored) == (0, 0, 0, 0)
    assert look.now == ("live", "delivering")
    assert look.last.error is None
    counters_add_up(world)


def test_who_only_listens_hears_every_recorded_event_in_order() -> None:
    # RT-77
    world = World()
    heard: list[Any] = []
    world.client.use_stream(stream_key("requests"), heard.append)
    world.run(5)
    frames = [
        json.loads(frame.data) for frame in SseParser().feed(recorded("apis.events.stream.sse").encode()) if frame.event == "message"
    ]
    assert [event.request.id for event in heard] == [frame["request"]["id"] for frame in frames]


# The parser of this test itself ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_parser_reads_a_recorded_stream_the_same_however_it_is_cut(size: int, end: str) -> None:
    said = recorded("apis.events.stream.sse")[:20_000].rpartition("\n\n")[0] + "\n\n"
    whole = list(SseParser().feed(said.encode()))
    assert len(whole) > 10
    assert whole[0] == Frame("open", "connected", "")
    cut = said.replace("\n", end).encode() + b"\n"
    parser = SseParser()
    assert [frame for at in range(0, len(cut), size) for frame in parser.feed(cut[at : at + size])] == whole
