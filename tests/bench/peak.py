"""How many events a second the page takes in at the most, against a listener that does nothing.

    python tests/bench/peak.py [--rounds 3] [--events 100000]

The emitter writes as fast as its socket takes it: a browser whose page is busy stops reading, and the emitter waits. All events are
made and encoded before the first is sent. Three readers in turn, the pages in a fresh browser that was warmed up with 2,000 events:

    socket     a plain socket that throws away what it reads: what the emitter can do at the most
    no-op      an `EventSource` whose listener counts
    penstock   the built site with a table of the 50 newest jobs: every event validated, applied and painted

The rate is events / (the emitter's first byte until the end), by the wall clock of the machine that all of them share. The end is the
last event for the first two. For ours it is the frame in which all cells on the screen are the server's after the last event, which
began a job and so has the first row: seen by an observer of mutations, told by the task that follows the next animation frame.
Received = applied + coalesced, nothing else: an event that was dropped, or replaced by a snapshot, is an error and no figure.
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
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, Playwright, sync_playwright

sys.path[:0] = [str(Path(__file__).resolve().parents[n] / name) for n, name in ((0, ""), (1, "e2e"), (2, ""))]

from browsers import launch  # noqa: E402
from event_flow import ROWS, WARM_UP, flow, right_rows, tell_errors  # noqa: E402
from event_site import emitter, state_of, write_site  # noqa: E402

PAGES = {"no-op": "noop/", "penstock": "console/"}
WARM_UP_RATE = 2_000
SPARE = 200
"""Events beyond those that are asked for: the last one sent has to begin a job."""
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


def begin(base: str, count: int) -> int:
    """Let the emitter begin; the number of the last event it will send."""
    request = urllib.request.Request(f"{base}bench/go?count={count}&rate=0&last=started", method="POST")
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


def read_page(playwright: Playwright, base: str, variant: str, count: int) -> dict[str, Any]:
    """One run of one page: events a second, and what became of them."""
    browser = launch(playwright, "chromium")
    try:
        page = browser.new_context().new_page()
        page.on("console", tell_errors)
        page.goto(base + PAGES[variant])
        page.wait_for_function("() => globalThis.benchReady", timeout=60_000)
        flow(page, base, WARM_UP, WARM_UP_RATE)
        return measure(page, base, variant, count)
    finally:
        browser.close()


def expected(base: str, count: int) -> tuple[int, list[list[str]]]:
    """The number of the last event that will be sent, and the cells after it."""
    with urllib.request.urlopen(f"{base}bench/rows?after={count}") as answer:
        found = json.load(answer)
    return found["last"], right_rows(found["rows"])


def measure(page: Page, base: str, variant: str, count: int) -> dict[str, Any]:
    """Let it flow, and reckon."""
    last, rows = expected(base, WARM_UP + count)
    page.evaluate("(last) => { globalThis.benchExpected = last; globalThis.benchDoneMs = 0; }", last)
    if variant != "no-op":
        page.evaluate(SEE, rows)
    assert begin(base, count) == last
    try:
        page.wait_for_function("() => globalThis.benchDoneMs", timeout=LATE_MS, polling=100)
    except Exception:
        print(f"{variant} did not end: {page.evaluate('() => globalThis.benchStatistics?.()')}", file=sys.stderr)
        raise
    state = state_of(base)
    took_ms = page.evaluate("() => globalThis.benchDoneMs") - state["first_byte_ms"]
    found: dict[str, Any] = {"rate": (last - WARM_UP) / took_ms * 1_000, "emitter_s": round(state["took_s"], 2)}
    if variant == "no-op":
        assert page.evaluate("() => benchApplied") == last
        return found
    time.sleep(0.5)
    found |= json.loads(page.evaluate("() => benchStatistics()"))
    counts = found["inbox"]
    assert counts["received"] == last, f"{counts['received']} of {last} events came"
    assert counts["applied"] + counts["coalesced"] == last, f"not every event was applied: {counts}, {found['gaps']} gaps"
    assert not found["errors"], found["errors"]
    assert page.evaluate(ROWS) == rows, "the rows on the screen did not stay the server's"
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The peak rate of events, against a listener that does nothing.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=100_000)
    options = parser.parse_args()
    rates: dict[str, list[float]] = {name: [] for name in ("socket", *PAGES)}
    counts: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        site = Path(temporary) / "site"
        site.mkdir()
        write_site(site)
        for number in range(options.rounds):
            for name in list(rates) if number % 2 == 0 else list(rates)[::-1]:
                with emitter(site, WARM_UP + options.events + SPARE) as base:
                    if name == "socket":
                        rates[name].append(read_socket(base, options.events))
                        continue
                    found = read_page(playwright, base, name, options.events)
                rates[name].append(found["rate"])
                if name == "penstock":
                    counts.append(found["inbox"])
                print(f"round {number + 1}, {name}: {found}", file=sys.stderr)
    about = {"bench": "peak", "events": options.events, "rounds": options.rounds, "load": round(os.getloadavg()[0], 1)}
    for name, values in rates.items():
        figure = {"figure": name, "unit": "events/s", "median": round(statistics.median(values)), "all": [round(v) for v in values]}
        print(json.dumps({**about, **figure}))
    pairs = [ours / noop for ours, noop in zip(rates["penstock"], rates["no-op"], strict=True)]
    ratio = {"figure": "penstock_to_no-op", "unit": "ratio", "value": round(statistics.median(pairs), 3)}
    print(json.dumps({**about, **ratio, "all": [round(one, 3) for one in pairs], "counts": counts[-1], "least": 0.5, "aim": 0.9}))


if __name__ == "__main__":
    main()
