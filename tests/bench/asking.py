"""What the cache saves: requests of ten components that need four endpoints, and the time to read an answer that is kept.

    python tests/bench/asking.py [--seconds 20] [--rounds 5]

In the browser: the real client on the reference server (the simulator, without events), and the requests that leave the page are
counted. `kept_answer_coordinator` is an answer of the last moment, from `send` until it has been told.

`requests_at_once` is the first load. `requests` goes on for some seconds with the data kept fresh, against the same components
asking for themselves every five seconds; that rival is arithmetic (components × times), not a run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Request, sync_playwright

sys.path[:0] = [str(Path(__file__).resolve().parents[n] / name) for n, name in ((0, ""), (1, "e2e"), (2, ""))]

from browsers import launch  # noqa: E402
from event_site import reference_server, write_site  # noqa: E402

COMPONENTS, ENDPOINTS, EVERY_S = 10, 4, 5
READS = 2_000


def is_call(request: Request) -> bool:
    """A request of the API for data: neither a stream nor what tells the one connection which streams it carries."""
    return "/api/v1/" in request.url and "/api/v1/streams/" not in request.url and request.resource_type != "eventsource"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Requests saved, and the time to read a kept answer.")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        site = Path(temporary) / "site"
        site.mkdir()
        write_site(site)
        with reference_server(site, rate=0) as base:
            browser = launch(playwright, "chromium")
            page = browser.new_context().new_page()
            page.goto(f"{base}console/")
            page.wait_for_function("() => globalThis.benchReady", timeout=60_000)
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url) if is_call(request) else None)
            page.evaluate(f"() => benchObserve({COMPONENTS})")
            page.wait_for_timeout(2_000)
            at_once = len(asked)
            page.wait_for_timeout(options.seconds * 1_000 - 2_000)
            in_all = len(asked)
            kept = [json.loads(page.evaluate(f"() => benchKept({READS})")) for _ in range(options.rounds + 1)][1:]
            for one in kept:
                page.evaluate(f"() => benchAsk({READS})")
                page.wait_for_function("() => globalThis.benchAsked")
                one |= json.loads(page.evaluate("() => benchAsked"))
            errors = json.loads(page.evaluate("() => benchStatistics()"))["errors"]
            assert not errors, errors
            browser.close()
    about = {"bench": "requests", "components": COMPONENTS, "endpoints": ENDPOINTS}
    for name, ours, alone, seconds in (
        ("requests_at_once", at_once, COMPONENTS, 2.0),
        ("requests", in_all, COMPONENTS * int(1 + options.seconds // EVERY_S), options.seconds),
    ):
        figure = {
            "figure": name,
            "unit": "saved",
            "value": round(1 - ours / alone, 3),
            "ours": ours,
            "alone": alone,
            "seconds": seconds,
        }
        print(json.dumps({**about, **figure, "least": 0.6, "aim": 0.9}))
    for name in ("peek_us", "observe_us", "coordinator_us"):
        values = [one[name] for one in kept]
        figure = {"bench": "requests", "figure": f"kept_answer_{name.removesuffix('_us')}", "unit": "us", "reads": READS}
        print(json.dumps({**figure, "median": round(statistics.median(values), 1), "least": 1_000, "aim": 50}))


if __name__ == "__main__":
    main()
