"""What the core costs by itself: an event from its frame to the cache, structural sharing, and the memory of many queries.

    python tests/bench/core.py                in this machine's Python
    node tests/bench/in_pyodide.mjs core.py   in the browser's Python (Pyodide under Node)

`frame_to_cache`: the real client, inventory and reducers on fakes. 200 frames per beat into a live list of 50 jobs, as a flow of 2,000
events a second brings them; nothing is painted. By a connection of its own, and by the envelope of the one for all streams.
`sharing`: an answer of 1,000 rows laid over one that is equal, differs in every tenth row, or has one more in front.
`memory`: 1,000 queries of 50 rows, each with an observer. By `tracemalloc` here, by the growth of the WASM heap there.
"""

from __future__ import annotations

import gc
import json
import random
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]

from job_events import EPOCH, Jobs, make_events  # noqa: E402

from pyapp.contract.jobs import Job  # noqa: E402
from pyapp.core.cache.sharing import share  # noqa: E402
from pyapp.core.client import Client, live  # noqa: E402
from pyapp.core.ports import FrameKind  # noqa: E402
from pyapp.core.testing import FakeHttp, FakeSources, FakeVisibility, VirtualClock  # noqa: E402
from pyapp.inventory import query_specs, stream_specs  # noqa: E402
from pyapp.reducers import REDUCERS  # noqa: E402

PATH, MANY = "events/stream", "streams"
PER_BEAT = 200
EVENTS, ROUNDS, ROWS, QUERIES, LIST = 10_000, 5, 1_000, 1_000, 50
PYODIDE = sys.platform == "emscripten"
NAME = ("Pyodide, CPython " if PYODIDE else "CPython ") + ".".join(str(part) for part in sys.version_info[:2])
HELLO = {"epoch": EPOCH, "at": "2027-01-15T08:00:00Z", "heartbeat_ms": 5_000, "retry_ms": 1_000}


def new_client(*, multiplexed: bool) -> tuple[Client, VirtualClock, FakeSources, FakeHttp]:
    """A client on fakes."""
    clock, sources, http = VirtualClock(), FakeSources(), FakeHttp()
    client = Client(
        clock=clock,
        sources=sources,
        http=http,
        visibility=FakeVisibility(),
        random=random.Random(1),
        queries=query_specs(REDUCERS),
        streams=stream_specs(),
        multiplexed=multiplexed,
    )
    return client, clock, sources, http


def frame_to_cache(texts: list[str], *, multiplexed: bool) -> float:
    """Microseconds per event."""
    client, clock, sources, http = new_client(multiplexed=multiplexed)
    seen: list[object] = []
    client.use_query(live("jobs"), seen.append)
    clock.settle()
    if multiplexed:
        number = sources.source(MANY)
        sources.record(number, FrameKind.OPENED)
        sources.record(number, FrameKind.HELLO, json.dumps({"connection": "c1", **HELLO}))
        hello = json.dumps({**HELLO, "resumed": False, "sequence": 0})
        sources.record(number, FrameKind.MESSAGE, f'{{"stream":"events","id":"","event":"hello","data":{hello}}}')
    else:
        sources.accept(PATH)
        sources.hello(PATH, epoch=EPOCH, sequence=0)
        number = sources.source(PATH)
    http.take("jobs").reply({"jobs": [], "total": 0, "has_more": False}, position=f"{EPOCH}:0")
    clock.settle()
    spent = 0.0
    for first in range(0, len(texts), PER_BEAT):
        for index, text in enumerate(texts[first : first + PER_BEAT], first + 1):
            if multiplexed:
                wrapped = f'{{"stream":"events","id":"{EPOCH}:{index}","event":"message","data":{text}}}'
                sources.record(number, FrameKind.MESSAGE, wrapped)
            else:
                sources.record(number, FrameKind.MESSAGE, text, f"{EPOCH}:{index}")
        began = perf_counter()
        clock.advance(100)
        spent += perf_counter() - began
    clock.settle()
    counts = client.statistics().streams[0].counts
    assert counts.applied + counts.coalesced == len(texts), counts
    assert len(client.peek(live("jobs")).data.rows) == 50  # type: ignore[union-attr]
    client.close()
    return spent / len(texts) * 1e6


def wire_rows(count: int) -> list[dict[str, Any]]:
    """So many different jobs, as an answer has them."""
    jobs = Jobs()
    for event in make_events(count * 6):
        jobs.apply(event)
    rows = [job.wire() for job in jobs.every()[:count]]
    assert len(rows) == count
    return rows


def sharing() -> dict[str, float]:
    """Milliseconds to lay an answer of 1,000 rows over another."""
    rows = wire_rows(ROWS + 1)
    old = tuple(Job.model_validate(row) for row in rows[1:])

    def fresh(changed: int = 0, *, front: bool = False) -> tuple[Job, ...]:
        made = [
            Job.model_validate({**row, "progress": 0.123} if changed and n % changed == 0 else row) for n, row in enumerate(rows[1:])
        ]
        return (Job.model_validate(rows[0]), *made) if front else tuple(made)

    cases = {"equal": (fresh(), 0), "tenth_changed": (fresh(10), ROWS // 10), "one_in_front": (fresh(front=True), 1)}
    out: dict[str, float] = {}
    for name, (new, differ) in cases.items():
        best: list[float] = []
        for _ in range(ROUNDS):
            began = perf_counter()
            made = share(old, new)
            best.append((perf_counter() - began) * 1e3)
            known = {id(row) for row in old}
            assert sum(id(row) not in known for row in made) == differ
            assert (made is old) is (name == "equal")
        out[name] = statistics.median(best)
    return out


def memory(used: Callable[[], float]) -> tuple[float, int]:
    """MB that 1,000 watched queries of 50 rows take, and how many rows were kept. Time stands still: nothing is polled."""
    client, clock, *_ = new_client(multiplexed=False)
    text = json.dumps({"jobs": wire_rows(LIST), "total": LIST, "has_more": False})
    keys = [live("jobs", function=f"f{number}") for number in range(QUERIES)]
    gc.collect()
    before = used()
    for number, key in enumerate(keys):
        client.use_query(key, lambda result: None)
        assert client.seed(key, text.replace("job-", f"job-{number}-"), {"content-type": "application/json"}, clock.now())
    client.now()
    gc.collect()
    grown = used() - before
    kept = sum(len(client.peek(key).data.rows) for key in keys)  # type: ignore[union-attr]
    client.close()
    return grown, kept


def traced() -> float:
    import tracemalloc

    if not tracemalloc.is_tracing():
        tracemalloc.start()
    return tracemalloc.get_traced_memory()[0] / 1e6


def say(figure: str, **values: Any) -> None:
    print(json.dumps({"bench": "core", "figure": figure, "python": NAME, **values}), flush=True)


def main() -> None:
    """Measure and print."""
    texts = [json.dumps(event, separators=(",", ":")) for event in make_events(EVENTS)]
    for envelope in (False, True):
        figures = [frame_to_cache(texts, multiplexed=envelope) for _ in range(ROUNDS + 1)][1:]
        shape = "multiplexed" if envelope else "single"
        median = round(statistics.median(figures), 1)
        say("frame_to_cache", connection=shape, unit="us", median=median, all=[round(one, 1) for one in figures], events=EVENTS)
    for name, ms in sharing().items():
        say(f"sharing_{name}", unit="ms", median=round(ms, 2), rows=ROWS)
    if PYODIDE:
        import pyodide_js  # pyright: ignore[reportMissingImports]

        heap: Any = pyodide_js
        grown, kept = memory(lambda: heap._module.HEAP8.length / 1e6)
    else:
        grown, kept = memory(traced)
    way = "growth of the WASM heap" if PYODIDE else "tracemalloc"
    say("memory", unit="MB", value=round(grown, 1), by=way, queries=QUERIES, rows=kept, least=50, aim=20)


if __name__ == "__main__":
    main()
