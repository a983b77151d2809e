"""How many events a second the page takes in at the most, against a listener that does nothing.

    python tests/bench/peak.py [--rounds 3] [--events 60000]

All events are made and encoded before the first is sent. The flood: the emitter writes as fast as its socket takes it; a browser whose
page is busy stops reading, and the emitter waits. Three readers in turn, the pages in a fresh browser warmed up with 2,000 events:

    socket     a plain socket that throws away what it reads: what the emitter can do at the most
    no-op      an `EventSource` whose listener counts
    penstock   the built site with a table of the 50 newest jobs, on the one connection for all streams, as the console has it

The rate of a flood is events / (the emitter's first byte until the end), by the wall clock that all of them share. The end is the last
event for the first two; for ours the frame in which all cells on the screen are the server's after the last event, which began a job
and so has the first row: seen by an observer of mutations, told by the task that follows the next animation frame.

Under a flood our inbox overflows by design (RT-40): it drops, says so, and a snapshot makes the screen right. So a flood tells when the
screen is right, and not how many events were applied. That is `applied`: the highest of a ladder of steady rates, one second each, at
which there was no gap (nothing was lost but progress that a later event repeats, RT-40) and the screen was right within a second of the
last event.
The ratio to hold against the specification is `applied` / the flood of the no-op listener. An event that is in none of our counts, or
a screen that does not become the server's, is an error and no figure.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, Playwright, sync_playwright
from playwright.sync_api import TimeoutError as NotDoneError

sys.path[:0] = [str(Path(__file__).resolve().parents[n] / name) for n, name in ((0, ""), (1, "e2e"), (2, ""))]

from browsers import launch  # noqa: E402
from event_flow import ROWS, WARM_UP, flow, right_rows, tell_errors  # noqa: E402
from event_site import emitter, state_of, write_site  # noqa: E402

PAGES = {"no-op": "noop/", "penstock": "console/"}
APPLIED = "applied"
WARM_UP_RATE = 2_000
LADDER = (4_000, 6_000, 8_000, 11_000, 15_000, 20_000, 28_000, 40_000)
BEHIND_MS = 1_000
SPARE = 1_000
"""Events beyond those that are asked for: the last one of each sending has to begin a job."""
LATE_MS = 60_000
# Told by a task after the animation frame, which is when that frame has been made.
SEE = f"""(wanted) => {{
  const rows = {ROWS};
  const text = JSON.stringify(wanted);
  const observer = new MutationObserver(() => {{
    const first = document.querySelector("tbody tr")?.cells[2]?.textContent.trim();
    if (first !== wanted[0][2] || JSON.stringify(rows()) !== text) return;
    observer.disconnect();
    requestAnimationFrame(() => {{
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {{ globalThis.benchDoneMs = Date.now(); }};
      channel.port2.postMessage(0);
    }});
  }});
  observer.observe(document.body, {{ subtree: true, childList: true, characterData: true }});
}}"""


def begin(base: str, count: int, rate: float = 0) -> int:
    """Let the emitter begin; the number of the last event it will send."""
    request = urllib.request.Request(f"{base}bench/go?count={count}&rate={rate}&last=started", method="POST")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["until"]


def read_socket(base: str, count: int) -> float:
    """Events a second that a plain socket takes."""
    address = urlsplit(base)
    with socket.create_connection((str(address.hostname), int(address.port or 80))) as reader:
        reader.sendall(b"GET /api/v1/events/stream HTTP/1.1\r\nHost: bench\r\n\r\n")
        head = b""
        while b"event: hello" not in head:
            head += reader.recv(65_536)
        last = begin(base, count)
        marker, tail = f"id: bench:{last}\n".encode(), b""
        while marker not in tail:
            read = reader.recv(1_048_576)
            assert read, "the emitter hung up"
            tail = tail[-64:] + read
        done = time.time() * 1_000
    return last / (done - state_of(base)["first_byte_ms"]) * 1_000


@contextmanager
def warm_page(playwright: Playwright, base: str, variant: str) -> Generator[Page]:
    """A page in a browser of its own that had its first events."""
    browser = launch(playwright, "chromium")
    try:
        page = browser.new_context().new_page()
        page.on("console", tell_errors)
        page.goto(base + PAGES[variant])
        page.wait_for_function("() => globalThis.benchReady", timeout=60_000)
        flow(page, base, WARM_UP, WARM_UP_RATE)
        yield page
    finally:
        browser.close()


def expected(base: str, count: int) -> tuple[int, list[list[str]]]:
    """The number of the last event that will be sent, and the cells after it."""
    with urllib.request.urlopen(f"{base}bench/rows?after={count}") as answer:
        found = json.load(answer)
    return found["last"], right_rows(found["rows"])


def send(page: Page, base: str, variant: str, count: int, rate: float = 0) -> dict[str, Any]:
    """Let so many more events flow, until the page had the last of them: the emitter's state, with the time it took in ms."""
    before = state_of(base)["sent"]
    last, rows = expected(base, before + count)
    page.evaluate("(last) => { globalThis.benchExpected = last; globalThis.benchDoneMs = 0; }", last)
    if variant != "no-op":
        page.evaluate(SEE, rows)
    assert begin(base, count, rate) == last
    try:
        page.wait_for_function("() => globalThis.benchDoneMs", timeout=LATE_MS, polling=50)
    except NotDoneError:
        print(f"{variant} did not end: {page.evaluate('() => globalThis.benchStatistics?.()')}", file=sys.stderr)
        raise
    state = state_of(base)
    took_ms = page.evaluate("() => globalThis.benchDoneMs") - state["first_byte_ms"]
    if variant == "no-op":
        assert page.evaluate("() => benchApplied") == last
    else:
        assert page.evaluate(ROWS) == rows, "the rows on the screen did not stay the server's"
    return {"sent": last - before, "last": last, "took_ms": took_ms, "emitter_ms": state["took_s"] * 1_000}


def counts_of(page: Page, last: int) -> dict[str, Any]:
    """What became of every event so far, and that none is missing in the sum."""
    found = json.loads(page.evaluate("() => benchStatistics()"))
    assert not found["errors"], found["errors"]
    counts = found["inbox"]
    assert counts["received"] == last, f"{counts['received']} of {last} events came"
    # A snapshot may have made the screen right while events that it has seen still wait.
    handled = sum(counts[name] for name in ("applied", "coalesced", "dropped", "old", "waiting"))
    assert handled == last, f"some events are in no count: {counts}"
    return {**counts, "gaps": found["gaps"]}


def flood(playwright: Playwright, base: str, variant: str, count: int) -> tuple[float, dict[str, Any]]:
    """Events a second of a flood, and what became of them."""
    with warm_page(playwright, base, variant) as page:
        found = send(page, base, variant, count)
        return found["sent"] / found["took_ms"] * 1_000, {} if variant == "no-op" else counts_of(page, found["last"])


def climb(playwright: Playwright, base: str) -> float:
    """The highest rate of the ladder at which every event was applied."""
    best = 0.0
    with warm_page(playwright, base, "penstock") as page:
        for rate in LADDER:
            found = send(page, base, "penstock", rate, rate)
            counts = counts_of(page, found["last"])
            behind_ms = found["took_ms"] - found["emitter_ms"]
            print(f"{rate}/s: {behind_ms:.0f} ms behind, {counts}", file=sys.stderr)
            if counts["gaps"] or behind_ms > BEHIND_MS:
                break
            best = found["sent"] / found["emitter_ms"] * 1_000
    return best


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The peak rate of events, against a listener that does nothing.")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--events", type=int, default=60_000)
    options = parser.parse_args()
    rates: dict[str, list[float]] = {name: [] for name in ("socket", *PAGES, APPLIED)}
    counts: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        site = Path(temporary) / "site"
        site.mkdir()
        write_site(site)
        for number in range(options.rounds):
            for name in list(rates) if number % 2 == 0 else list(rates)[::-1]:
                sent = sum(LADDER) if name == APPLIED else options.events
                with emitter(site, WARM_UP + sent + SPARE) as base:
                    if name == "socket":
                        rate = read_socket(base, sent)
                    elif name == APPLIED:
                        rate = climb(playwright, base)
                    else:
                        rate, found = flood(playwright, base, name, sent)
                        counts = found or counts
                rates[name].append(rate)
                print(f"round {number + 1}, {name}: {rate:.0f} events/s", file=sys.stderr)
    about = {"bench": "peak", "events": options.events, "rounds": options.rounds, "load": round(os.getloadavg()[0], 1)}
    for name, values in rates.items():
        figure = {"figure": name, "unit": "events/s", "median": round(statistics.median(values)), "all": [round(v) for v in values]}
        more = {"counts": counts} if name == "penstock" else {}
        print(json.dumps({**about, **figure, **more}))
    for name, least, aim in ((APPLIED, 0.5, 0.9), ("penstock", None, None)):
        pairs = [ours / noop for ours, noop in zip(rates[name], rates["no-op"], strict=True)]
        ratio = {"figure": f"{name}_to_no-op", "unit": "ratio", "value": round(statistics.median(pairs), 3)}
        print(json.dumps({**about, **ratio, "all": [round(one, 3) for one in pairs], "least": least, "aim": aim}))


if __name__ == "__main__":
    main()
