"""How fast the console boots, against the same pages in plain PyScript and against an empty `loadPyodide()`.

    python tests/bench/boot.py [--runs 5] [--browser chromium|firefox] [--until live|booted]

The three pages are loaded in turn, so that what else the machine does falls on all of them; the first loads of each
fill the HTTP cache and are not counted. Every figure is one JSON line: medians in milliseconds from the start of the
navigation, then ratios. The reference server with its simulator serves all three, and the time ends with the first
rows of live data; with `--until booted` it is a plain static host, and the time ends with `penstockHost.booted()`.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, sync_playwright
from playwright.sync_api import TimeoutError as NotReadyError

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "web"), str(Path(__file__).resolve().parent)]

import appzip  # noqa: E402
from sitebuild import places, tools  # noqa: E402
from static_site import serve  # noqa: E402

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

# When the thing that is measured is there; the page's own clock starts with the navigation.
BOOTED = "() => globalThis.penstockHost && !document.querySelector('[data-boot=screen]') && performance.now()"
LIVE = "() => document.querySelector('[data-panel][data-freshness=live] tbody tr') && performance.now()"
READY = "() => globalThis.benchReadyMs"

# The same entry point; the host object that our own boot offers, without what makes our boot fast.
PLAIN_PYSCRIPT = """<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
{styles}
<div id="app" data-root="shell"></div>
<div hidden>{icons}</div>
<script type="module" src="host.js"></script>
{scripts}
<script type="module" src="pyscript/core.js"></script>
<script type="py" src="main.py" config="pyscript.json"></script>
"""
HOST = """
globalThis.penstock = { version: "plain", diagnostics: () => "{}" };
const base = new URL(".", document.baseURI).href;
globalThis.penstockHost = {
  config: { api: new URL("/", base).href, text: "{}", base, build: "plain", version: "plain" },
  prefetched: new Map(), pending: new Map(), notices: [],
  booted: () => { globalThis.benchReadyMs = performance.now(); },
  failed: (...what) => { console.error(...what); },
};
"""
EMPTY_RUNTIME = """<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<script type="module" src="load.js"></script>
"""
LOAD = """
import { loadPyodide } from "./pyodide/pyodide.mjs";
const pyodide = await loadPyodide();
pyodide.runPython("1 + 1");
globalThis.benchReadyMs = performance.now();
"""


def write_rivals(folder: Path, dist: Path) -> None:
    """The two pages we are compared with, from the same npm packages, wheels and application sources."""
    plain, empty = folder / "plain", folder / "empty"
    for page in (plain, empty):
        shutil.copytree(places.PYODIDE, page / "pyodide")
    (empty / "index.html").write_text(EMPTY_RUNTIME, encoding="utf-8")
    (empty / "load.js").write_text(LOAD, encoding="utf-8")
    shutil.copytree(places.PYSCRIPT, plain / "pyscript")
    wheels = plain / "wheels"
    tools.download_wheels(places.WEB / "requirements.txt", wheels)
    add_micropip(plain / "pyodide")
    (plain / "app.zip").write_bytes(appzip.build_app_zip(ROOT))
    (plain / "main.py").write_bytes((dist / "main.py").read_bytes())
    (plain / "host.js").write_text(HOST, encoding="utf-8")
    shutil.copytree(dist / "assets", plain / "assets")
    scripts = "\n".join(f'<script type="module" src="assets/{p.name}"></script>' for p in plain.glob("assets/app-*.js"))
    styles = "\n".join(f'<link rel="stylesheet" href="assets/{p.name}">' for p in plain.glob("assets/site-*.css"))
    icons = (ROOT / "web" / "icons.svg").read_text(encoding="utf-8")
    (plain / "index.html").write_text(PLAIN_PYSCRIPT.format(styles=styles, scripts=scripts, icons=icons), encoding="utf-8")
    config = {
        "interpreter": "./pyodide/pyodide.mjs",
        "packages": [f"./wheels/{path.name}" for path in sorted(wheels.glob("*.whl"))],
        "files": {"./app.zip": "./*"},
    }
    (plain / "pyscript.json").write_text(json.dumps(config), encoding="utf-8")


def add_micropip(pyodide: Path) -> None:
    """Put PyScript's installer of packages where Pyodide looks for its own, with the hash of the file from the index."""
    tools.download_wheels(Path(__file__).parent / "requirements.txt", pyodide)
    wheel = next(pyodide.glob("micropip-*.whl"))
    path = pyodide / "pyodide-lock.json"
    lock = json.loads(path.read_text(encoding="utf-8"))
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock["packages"]["micropip"] |= {"file_name": wheel.name, "sha256": digest}
    path.write_text(json.dumps(lock), encoding="utf-8")


@contextlib.contextmanager
def open_browser(playwright: Playwright, name: str) -> Generator[Browser]:
    """Debian's Chromium or Firefox ESR where they are, else Playwright's own."""
    debian = Path("/usr/bin/firefox-esr" if name == "firefox" else "/usr/bin/chromium")
    path = str(debian) if debian.exists() else None
    if name == "firefox":
        browser = playwright.firefox.launch(channel="moz-firefox" if path else None, executable_path=path)
    else:
        browser = playwright.chromium.launch(args=CHROMIUM_ARGUMENTS, executable_path=path)
    try:
        yield browser
    finally:
        browser.close()


def new_page(browser: Browser, name: str) -> Page:
    """A page with its own HTTP cache."""
    if name == "firefox":
        # This driver cannot emulate them on Debian's ESR.
        page = browser.new_context(color_scheme="null", reduced_motion="null", forced_colors="null", contrast="null")
        return page.new_page()
    return browser.new_context().new_page()


def measure(page: Page, url: str, ready: str) -> float:
    """Milliseconds from the start of the navigation to `url` until `ready`."""
    page.goto("about:blank")
    page.goto(url, wait_until="commit")
    try:
        handle = page.wait_for_function(ready, timeout=120_000, polling=5)
    except NotReadyError:
        print(f"{url} did not get ready; it says:\n{page.inner_text('body')[:500]}", file=sys.stderr)
        raise
    return float(handle.json_value())


@contextlib.contextmanager
def reference_server(site: Path) -> Generator[str]:
    """The reference server with `site` and a quiet simulator; gives its address."""
    command = [sys.executable, "-m", "server_stub", "--port", "0", "--source", "sim", "--rate", "5"]
    command += ["--site", str(site), "--data", str(site.parent / "state"), "--requests-per-minute", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout is not None
        try:
            for line in server.stdout:
                if found := re.search(r"https?://\S+", line):
                    yield found[0]
                    break
        finally:
            server.terminate()


def tell_errors(message: ConsoleMessage) -> None:
    """What a page complains of, so that a wrong figure can be explained."""
    if message.type == "error":
        print(message.text[:500], file=sys.stderr)


def run(options: argparse.Namespace) -> dict[str, list[float]]:
    """All timings of the three pages."""
    dist = places.WEB / "dist"
    subprocess.run([sys.executable, str(places.WEB / "build.py")], check=True, stdout=sys.stderr)
    times: dict[str, list[float]] = {"console": [], "plain_pyscript": [], "empty_runtime": []}
    live = options.until == "live"
    with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as stack:
        folder = Path(temporary) / "site"
        write_rivals(folder, dist)
        shutil.copytree(dist, folder / "console")
        base = stack.enter_context(reference_server(folder) if live else serve(folder))
        playwright = stack.enter_context(sync_playwright())
        browser = stack.enter_context(open_browser(playwright, options.browser))
        pages = {
            "console": (f"{base}console/", LIVE if live else BOOTED),
            "plain_pyscript": (f"{base}plain/", LIVE if live else READY),
            "empty_runtime": (f"{base}empty/", READY),
        }
        tabs = {name: new_page(browser, options.browser) for name in pages}
        for tab in tabs.values():
            tab.on("console", tell_errors)
        for turn in range(options.runs + 2):
            for name, (url, ready) in pages.items():
                took = measure(tabs[name], url, ready)
                if turn > 1:
                    times[name].append(took)
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Boot of the console against plain PyScript and an empty runtime.")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--browser", choices=("chromium", "firefox"), default="chromium")
    parser.add_argument("--until", choices=("live", "booted"), default="live")
    options = parser.parse_args()
    times = run(options)
    median = {name: statistics.median(values) for name, values in times.items()}
    for name, value in median.items():
        figure = {"bench": "boot", "figure": name, "unit": "ms", "median": round(value), "runs": len(times[name])}
        print(json.dumps({**figure, "all": [round(v) for v in times[name]], "browser": options.browser}))
    for name, least, aim in (("plain_pyscript", 0.5, 0.33), ("empty_runtime", 1.0, 0.6)):
        ratio = round(median["console"] / median[name], 3)
        figure = {"bench": "boot", "figure": f"console_to_{name}", "unit": "ratio", "value": ratio, "until": options.until}
        print(json.dumps({**figure, "least": least, "aim": aim, "browser": options.browser}))


if __name__ == "__main__":
    main()
