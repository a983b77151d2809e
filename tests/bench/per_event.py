"""What an event costs from its frame to the cache, in this machine's own Python: the real client, inventory and reducers on fakes.

    python tests/bench/per_event.py [--rounds 7] [--events 20000]

200 frames per beat into a live list of 50 jobs, as a flow of 2,000 events a second brings them; nothing is painted. The same in the
browser is a line of `event_flow.py`.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
from pathlib import Path
from time import perf_counter

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]

from emitter import EPOCH, make_events  # noqa: E402

from pyapp.core.client import Client, live  # noqa: E402
from pyapp.core.ports import FrameKind  # noqa: E402
from pyapp.core.testing import FakeHttp, FakeSources, FakeVisibility, VirtualClock  # noqa: E402
from pyapp.inventory import query_specs, stream_specs  # noqa: E402
from pyapp.reducers import REDUCERS  # noqa: E402

PATH = "events/stream"
PER_BEAT = 200


def run(texts: list[str]) -> float:
    """Microseconds per event."""
    clock, sources, http = VirtualClock(), FakeSources(), FakeHttp()
    seen: list[object] = []
    client = Client(
        clock=clock,
        sources=sources,
        http=http,
        visibility=FakeVisibility(),
        random=random.Random(1),
        queries=query_specs(REDUCERS),
        streams=stream_specs(),
    )
    client.use_query(live("jobs"), seen.append)
    clock.settle()
    sources.accept(PATH)
    sources.hello(PATH, epoch=EPOCH, sequence=0)
    http.take("jobs").reply({"jobs": [], "total": 0, "has_more": False}, position=f"{EPOCH}:0")
    clock.settle()
    number = sources.source(PATH)
    spent = 0.0
    for first in range(0, len(texts), PER_BEAT):
        for index, text in enumerate(texts[first : first + PER_BEAT], first + 1):
            sources.record(number, FrameKind.MESSAGE, text, f"{EPOCH}:{index}")
        began = perf_counter()
        clock.advance(100)
        spent += perf_counter() - began
    clock.settle()
    counts = client.statistics().streams[0].counts
    assert counts.applied + counts.coalesced == len(texts), counts
    assert len(client.peek(live("jobs")).data.rows) == 50  # type: ignore[union-attr]
    return spent / len(texts) * 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Microseconds per event from frame to cache.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--events", type=int, default=20_000)
    options = parser.parse_args()
    texts = [json.dumps(event, separators=(",", ":")) for event in make_events(options.events)]
    figures = [run(texts) for _ in range(options.rounds + 1)][1:]
    version = ".".join(str(part) for part in sys.version_info[:2])
    figure = {"bench": "events", "figure": "frame_to_cache", "python": f"CPython {version}", "unit": "us", "events": options.events}
    print(json.dumps({**figure, "median": round(statistics.median(figures), 1), "all": [round(value, 1) for value in figures]}))


if __name__ == "__main__":
    main()
