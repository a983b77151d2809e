"""What a paint costs: 50 rows × 8 columns, all of them changed, in Chromium, with Python in the page.

    python tests/bench/render.py [--rounds 9]

One JSON line per figure: milliseconds per paint from the page's data to the changed document (`ms`), and with the layout
that follows (`ms_laid_out`). The ways are measured in turn, each round on all of them; medians of the rounds. Load the
machine with nothing else.

    kit         t-strings → JSON → lit-html, every value changed
    kit_page    the same with what a row of a page has besides: a link, a class, two buttons with actions
    kit_one     one row of fifty changed
    kit_still   nothing changed
    inner_html  an f-string with escaped values → innerHTML
    dom_calls   one call through the bridge for every value
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright
from static_site import serve

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PACKAGES = ("annotated_types", "pydantic", "pydantic_core", "typing_extensions.py", "typing_inspection")
ROWS, PAINTS = 50, 100

INDEX = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><div id="old"></div><div data-root="main"></div>'
LOADER = """
async () => {
  const { loadPyodide } = await import("/pyodide/pyodide.mjs");
  const { createBridge } = await import("/bridge.js");
  const pyodide = await loadPyodide();
  for (const name of ["site.zip", "kit.zip"]) {
    pyodide.unpackArchive(await (await fetch(name)).arrayBuffer(), "zip", { extractDir: "/bench" });
  }
  globalThis.bridge = createBridge({ root: document, dispatch() {} });
  globalThis.measure = pyodide.runPython(await (await fetch("/page.py")).text());
}
"""

PAGE = """
import sys
sys.path.insert(0, "/bench")
import html as escaping
from time import perf_counter
from js import bridge, document
from pyapp.ui import Action, Encoder, each, html

class Job:
    __slots__ = tuple("abcdefgh")
    def __init__(self, n, paint):
        for column in Job.__slots__:
            setattr(self, column, f"value {n} {column} {paint}")

class Cancel(Action):
    job: str

def row(j):
    return html(t"<tr><td>{j.a}</td><td>{j.b}</td><td>{j.c}</td><td>{j.d}</td>"
                t"<td>{j.e}</td><td>{j.f}</td><td>{j.g}</td><td>{j.h}</td></tr>")

def page_row(j):
    return html(t'''<tr class="row {j.b}"><td><a href="#/jobs/{j.a}">{j.a}</a></td><td>{j.b}</td><td>{j.c}</td><td>{j.d}</td>
        <td>{j.e}</td><td>{j.f}</td><td>{j.g}</td><td>{j.h}</td>
        <td><button @click={Cancel(job=j.a)}>x</button><button ?disabled={False} @click={Cancel(job=j.b)}>y</button></td></tr>''')

def table(jobs, render):
    rows = each(list(enumerate(jobs)), key=lambda pair: pair[0], render=lambda pair: render(pair[1]))
    return html(t"<table><tbody>{rows}</tbody></table>")

encoder = Encoder()
paint = bridge.paint

def with_kit(jobs):
    paint(encoder.paint({"main": table(jobs, row)}))

def with_kit_page(jobs):
    paint(encoder.paint({"main": table(jobs, page_row)}))

kept = [(n, Job(n, 0)) for n in range(50)]
def still(first):
    rows = each(kept, key=lambda pair: pair[0], render=lambda pair: row(pair[1]))
    paint(encoder.paint({"main": html(t"<table><tbody>{rows}</tbody></table>")}))

def with_kit_still(jobs):
    still(jobs)

def with_kit_one(jobs):
    kept[7] = (7, jobs[7])
    still(jobs)

old = document.getElementById("old")
e = escaping.escape
def with_inner_html(jobs):
    rows = "".join(f"<tr><td>{e(j.a)}</td><td>{e(j.b)}</td><td>{e(j.c)}</td><td>{e(j.d)}</td><td>{e(j.e)}</td><td>{e(j.f)}</td>"
                   f"<td>{e(j.g)}</td><td>{e(j.h)}</td></tr>" for j in jobs)
    old.innerHTML = f"<table><tbody>{rows}</tbody></table>"

cells = []
def with_dom_calls(jobs):
    at = iter(cells)
    for j in jobs:
        for column in Job.__slots__:
            next(at).textContent = getattr(j, column)

def measure(way, round, lay_out):
    work = globals()[f"with_{way}"]
    data = [[Job(n, (round, paint)) for n in range(50)] for paint in range(100)]
    if way == "dom_calls":
        with_inner_html(data[0])
        cells[:] = document.querySelectorAll("#old td")
    work(data[0])
    started = perf_counter()
    if lay_out:
        body = document.body
        for jobs in data:
            work(jobs)
            body.offsetHeight
    else:
        for jobs in data:
            work(jobs)
    taken = perf_counter() - started
    cells.clear()
    assert not encoder.errors, encoder.errors[-1]
    return taken * 1000 / len(data)

measure
"""
WAYS = ("kit", "kit_page", "kit_one", "kit_still", "inner_html", "dom_calls")


def write_site(folder: Path) -> None:
    """The page, Pyodide, the kit and the packages it needs."""
    prepared = subprocess.run([sys.executable, str(WEB / "test_packages.py")], capture_output=True, text=True, check=True)
    places: dict[str, str] = json.loads(prepared.stdout)
    shutil.copytree(places["pyodide"], folder / "pyodide")
    site, kit = Path(places["site"]), ROOT / "pyapp" / "ui"
    with zipfile.ZipFile(folder / "site.zip", "w") as archive:
        for name in PACKAGES:
            for path in (site / name).rglob("*") if (site / name).is_dir() else [site / name]:
                archive.write(path, path.relative_to(site))
    with zipfile.ZipFile(folder / "kit.zip", "w") as archive:
        for path in (ROOT / "pyapp" / "__init__.py", *kit.glob("*.py")):
            archive.write(path, path.relative_to(ROOT))
    (folder / "index.html").write_text(INDEX, encoding="utf-8")
    (folder / "page.py").write_text(PAGE, encoding="utf-8")
    bundle = [str(WEB / "node_modules" / ".bin" / "esbuild"), str(WEB / "src" / "bridge.mjs"), "--bundle", "--minify"]
    subprocess.run([*bundle, "--format=esm", f"--outfile={folder / 'bridge.js'}", "--log-level=warning"], check=True)


def run(rounds: int) -> dict[tuple[str, bool], list[float]]:
    """Milliseconds per paint of each way, by round; a first round warms up and is not counted."""
    figures: dict[tuple[str, bool], list[float]] = {(way, laid_out): [] for way in WAYS for laid_out in (False, True)}
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary)
        write_site(folder)
        browser = playwright.chromium.launch(args=CHROMIUM_ARGUMENTS, executable_path=CHROMIUM if CHROMIUM.exists() else None)
        with serve(folder) as base:
            page = browser.new_page()
            page.goto(base)
            page.evaluate(LOADER)
            for number in range(rounds + 1):
                for way, laid_out in figures:
                    taken: Any = page.evaluate("(asked) => measure(...asked)", [way, number, laid_out])
                    if number:
                        figures[way, laid_out].append(float(taken))
        browser.close()
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What a paint of 50 rows × 8 columns costs.")
    parser.add_argument("--rounds", type=int, default=9)
    figures = run(parser.parse_args().rounds)
    for way in WAYS:
        line = {"bench": "render", "way": way, "rows": ROWS, "columns": 8, "paints": PAINTS}
        plain, laid_out = (round(statistics.median(figures[way, kind]), 3) for kind in (False, True))
        print(json.dumps({**line, "ms": plain, "ms_laid_out": laid_out}))


if __name__ == "__main__":
    main()
