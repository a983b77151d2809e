"""How old an event is when it is on the screen: from the moment in which it happened at the server to the frame that shows it.

    python tests/bench/freshness.py [--seconds 15] [--rate 200]

The real console, as it is shipped, on its jobs page, at the reference server with its simulator. Server, browser and this program share
one machine and its wall clock.

    happened   `started_at`, `completed_at` or `failed_at` of the event: before the simulator's tick (20 ms) and the commit to its store
    sent       when the event arrives at a plain socket of this program that reads the same stream
    painted    an observer of mutations saw the row with this job and this status, and a task after the next animation frame ran

`painted` is `painted` minus `happened`; `painted_after_sent` is the page's share of it: network, beat (100 ms), Python, frame. Counted
is what could be seen: of the events of a job the first with its status, in the 50 newest rows, and not replaced before it was painted
(`seen` of `events` are told). Every status on the screen must have been an event, and at the end the truth invariant (RT-84) is sampled
for some seconds: a page that shows anything else is an error and no figure.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, sync_playwright

sys.path[:0] = [str(Path(__file__).resolve().parents[n] / name) for n, name in ((0, ""), (1, "e2e"), (2, ""))]

from browsers import launch  # noqa: E402
from event_site import DIST, build_site, reference_server  # noqa: E402

LIVE = "() => document.querySelector('[data-panel=jobs][data-freshness=live] tbody tr')"
SETTLE_S, TRUTH_S = 4.0, 5.0
TIMES = {"job.started": ("active", "started_at"), "job.completed": ("complete", "completed_at"), "job.failed": ("failed", "failed_at")}
OTHERS = {"job.retrying": "retrying", "job.cancelled": "cancelled"}
# What is on the screen when it begins is not new.
WATCH = """() => {
  const painted = globalThis.benchPainted = new Map();
  const body = document.querySelector("[data-panel=jobs]");
  let fresh = [];
  const look = () => {
    for (const row of body.querySelectorAll("tbody tr")) {
      const status = row.querySelector(".st");
      if (!status || row.cells.length < 3) continue;
      const pair = `${row.cells[2].textContent.trim()} ${status.dataset.st}`;
      if (painted.has(pair)) continue;
      painted.set(pair, 0);
      fresh.push(pair);
    }
  };
  look();
  fresh = [];
  const channel = new MessageChannel();
  const frames = [];
  channel.port1.onmessage = () => {
    const now = Date.now();
    for (const pair of frames.shift()) painted.set(pair, now);
  };
  new MutationObserver(() => {
    look();
    if (!fresh.length) return;
    const these = fresh;
    fresh = [];
    requestAnimationFrame(() => {
      frames.push(these);
      channel.port2.postMessage(0);
    });
  }).observe(body, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ["data-st"] });
}"""


class Wire(threading.Thread):
    """Reads the stream of events beside the page: what happened, when, and when it was sent, in ms of the wall clock."""

    def __init__(self, base: str) -> None:
        super().__init__(daemon=True)
        address = urlsplit(base)
        self._connection = http.client.HTTPConnection(str(address.hostname), address.port)
        self.happened: dict[str, float] = {}
        self.sent: dict[str, float] = {}
        self.said: set[str] = set()

    def run(self) -> None:
        """Read until the server hangs up."""
        self._connection.request("GET", "/api/v1/events/stream")
        answer = self._connection.getresponse()
        while line := answer.readline():
            if line.startswith(b'data: {"'):
                self._note(json.loads(line[6:]), time.time() * 1_000)

    def _note(self, event: dict[str, Any], now_ms: float) -> None:
        kind = event.get("type", "")
        status, field = TIMES.get(kind, (OTHERS.get(kind), None))
        if status is None:
            return
        pair = f"{event['job_id']} {status}"
        self.said.add(pair)
        if field is not None and pair not in self.happened:
            self.happened[pair] = datetime.fromisoformat(event[field]).timestamp() * 1_000
            self.sent[pair] = now_ms


def percentile(values: Sequence[float], share: float) -> float:
    """Of sorted values the one below which so large a share lies."""
    return values[min(len(values) - 1, int(len(values) * share))]


def say(figure: str, values: Sequence[float], **more: Any) -> None:
    """The percentiles of one figure as a line."""
    values = sorted(values)
    told = {f"p{round(share * 100)}": round(percentile(values, share)) for share in (0.5, 0.95, 0.99)}
    told |= {"longest": round(values[-1]), "seen": len(values)}
    print(json.dumps({"bench": "freshness", "figure": figure, "unit": "ms", **told, **more}), flush=True)


def check_truth(page: Page) -> None:
    """Whether what says live is what the server says."""
    page.evaluate((Path(__file__).parents[1] / "e2e" / "truth.js").read_text(encoding="utf-8"))
    page.wait_for_timeout(TRUTH_S * 1_000)
    truth = page.evaluate("() => __truth")
    assert not truth["violations"], truth["violations"]
    assert truth["checked"], f"the truth could not be checked: {truth}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="From the server's event to the frame that shows it.")
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--rate", type=int, default=200)
    options = parser.parse_args()
    build_site()
    with (
        tempfile.TemporaryDirectory() as temporary,
        sync_playwright() as playwright,
        reference_server(DIST, options.rate, data=Path(temporary) / "state") as base,
    ):
        browser = launch(playwright, "chromium")
        page = browser.new_context().new_page()
        wire = Wire(base)
        wire.start()
        page.goto(f"{base}#/jobs")
        page.wait_for_function(LIVE, timeout=60_000)
        page.wait_for_timeout(SETTLE_S * 1_000)
        page.evaluate(WATCH)
        since = time.time() * 1_000
        page.wait_for_timeout(options.seconds * 1_000)
        until = time.time() * 1_000
        painted: dict[str, float] = {pair: at for pair, at in page.evaluate("() => [...benchPainted]") if at}
        load = round(os.getloadavg()[0], 1)
        check_truth(page)
        browser.close()
    unsaid = set(painted) - wire.said
    assert not unsaid, f"{len(unsaid)} rows were painted that no event told of: {sorted(unsaid)[:3]}"
    events = [pair for pair, at in wire.happened.items() if since <= at <= until]
    seen = [pair for pair in events if pair in painted]
    assert seen, "nothing was painted"
    about = {"events": len(events), "rate": options.rate, "seconds": options.seconds, "load": load}
    say("painted", [painted[pair] - wire.happened[pair] for pair in seen], **about, least=250, aim=150)
    say("painted_after_sent", [painted[pair] - wire.sent[pair] for pair in seen], **about)


if __name__ == "__main__":
    main()
