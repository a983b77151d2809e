"""What streaming costs the boot: the same page with `enable_sse_streaming` on and off.

    python tests/bench/streaming_flag.py [--runs 7]

Both are the console as it is shipped, at the reference server with a quiet simulator, each in a browser profile of its own with a warm
HTTP cache; in one of them the flag was switched off by `penstock.flags.set`, which the profile remembers. They are loaded in turn, the
order changing from run to run.

    rows    from the start of the navigation until the first rows of data stand in a panel, whatever the panel says of them: they come
            from the requests that the page sends while Python starts, with the flag on as with the flag off. The ratio is of these.
    fresh   until a panel with rows says what it will stay: live with the flag on, polling with the flag off (a poll of the present, but
            no more than that). Not the same thing, hence told and not compared.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

sys.path[:0] = [str(Path(__file__).resolve().parents[n] / name) for n, name in ((0, ""), (1, "e2e"), (2, ""))]

from boot import measure, tell_errors  # noqa: E402
from browsers import launch  # noqa: E402
from event_site import DIST, build_site, reference_server  # noqa: E402

FRESH = {"on": "live", "off": "polling"}
WARM_UPS = 2
# One look at both moments: `measure` ends when the second is there. Rows that stand in for others have no status.
SEEN = """() => {{
  const bench = globalThis.bench ??= {{}};
  const has = (what) => document.querySelector(`[data-panel]${{what}} tbody tr [data-st]`);
  if (!bench.rows && has("")) bench.rows = performance.now();
  if (!bench.fresh && has("[data-freshness={fresh}]")) bench.fresh = performance.now();
  return bench.rows && bench.fresh && bench.rows;
}}"""


def boot(page: Page, base: str, flag: str) -> tuple[float, float]:
    """Milliseconds until the rows, and until they say what they are."""
    rows = measure(page, f"{base}#/jobs", SEEN.format(fresh=FRESH[flag]))
    return rows, float(page.evaluate("() => bench.fresh"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The boot with streaming on and off.")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    build_site()
    times: dict[str, list[tuple[float, float]]] = {flag: [] for flag in FRESH}
    with (
        tempfile.TemporaryDirectory() as temporary,
        sync_playwright() as playwright,
        reference_server(DIST, 5, data=Path(temporary) / "state") as base,
    ):
        browser = launch(playwright, "chromium")
        pages = {flag: browser.new_context().new_page() for flag in FRESH}
        for page in pages.values():
            page.on("console", tell_errors)
        for page in pages.values():
            boot(page, base, "on")
        pages["off"].evaluate("() => penstock.flags.set('enable_sse_streaming', false)")
        for number in range(options.runs + WARM_UPS):
            for flag in list(FRESH) if number % 2 == 0 else list(FRESH)[::-1]:
                took = boot(pages[flag], base, flag)
                streams = json.loads(pages[flag].evaluate("() => penstock.diagnostics()"))["stream_totals"]["attempts"]
                assert (streams > 0) is (flag == "on"), f"{streams} streams were tried with the flag {flag}"
                if number >= WARM_UPS:
                    times[flag].append(took)
        browser.close()
    about = {"bench": "streaming_flag", "runs": options.runs, "load": round(os.getloadavg()[0], 1)}
    for flag, values in times.items():
        rows, fresh = zip(*values, strict=True)
        figure = {"figure": flag, "unit": "ms", "rows": round(statistics.median(rows)), "fresh": round(statistics.median(fresh))}
        print(json.dumps({**about, **figure, "all_rows": [round(one) for one in rows]}))
    ratios = [on[0] / off[0] for on, off in zip(times["on"], times["off"], strict=True)]
    figure = {"figure": "on_to_off", "unit": "ratio", "value": round(statistics.median(ratios), 3), "least": 1.02, "aim": 1.0}
    print(json.dumps({**about, **figure, "all": [round(one, 3) for one in ratios]}))


if __name__ == "__main__":
    main()
