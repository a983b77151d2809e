"""The built site boots from plain files, and where it cannot it says why (see web/src/boot and web/src/first.js)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route
from static_site import serve

ROOT = Path(__file__).resolve().parents[2]

BOOTED = "() => !document.querySelector('[data-boot=screen]')"
FAILED = "[data-boot=screen][data-state=failed]"
TIMEOUT_MS = 60_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The address of the built site on a plain static host, in a folder below its root."""
    subprocess.run([sys.executable, str(ROOT / "web" / "build.py")], check=True)
    folder = tmp_path_factory.mktemp("host")
    shutil.copytree(ROOT / "web" / "dist", folder / "some" / "where")
    with serve(folder) as base:
        yield f"{base}some/where/"


@pytest.fixture
def page(chromium: Browser) -> Generator[Page]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def diagnostics(page: Page) -> dict[str, Any]:
    """What the boot says of itself while Python has not taken over."""
    state: dict[str, Any] = json.loads(page.evaluate("() => penstock.diagnostics()"))
    return state


def notices(page: Page) -> str:
    said: str = page.evaluate("() => penstockHost.notices.join()")
    return said


def answer(**what: Any) -> Callable[[Route], None]:
    def handle(route: Route) -> None:
        route.fulfill(**what)

    return handle


def failure(page: Page, site: str) -> tuple[str, str]:
    """Load the site until it shows a failure; its title and advice."""
    page.goto(site, wait_until="commit")
    page.wait_for_selector(FAILED, timeout=TIMEOUT_MS)
    return page.inner_text("[data-boot=title]"), page.inner_text("[data-boot=advice]")


def test_it_boots_below_a_sub_path_without_breaking_its_own_policy(page: Page, site: str) -> None:
    violations: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Content-Security-Policy" in message.text:
            violations.append(message.text)

    page.on("console", note)
    page.goto(site)
    page.wait_for_function(BOOTED, timeout=TIMEOUT_MS)
    assert violations == []
    assert page.evaluate("() => penstockHost.config.base") == site
    assert page.evaluate("() => penstockHost.config.api") == site.removesuffix("some/where/")
    assert page.evaluate("() => [...document.querySelectorAll('style')].length") == 0


WATCHERS = """
window.watchers = 0;
const { observe, disconnect } = MutationObserver.prototype;
const watching = new Set();
MutationObserver.prototype.observe = function (target, options) {
  if (target === document) watching.add(this);
  window.watchers = watching.size;
  return observe.call(this, target, options);
};
MutationObserver.prototype.disconnect = function () {
  watching.delete(this);
  window.watchers = watching.size;
  return disconnect.call(this);
};
"""


def test_nobody_watches_the_whole_document_once_it_has_booted(page: Page, site: str) -> None:
    """Every row that is drawn would be searched for scripts."""
    page.add_init_script(WATCHERS)
    page.goto(site)
    page.wait_for_function("() => window.watchers > 0", timeout=TIMEOUT_MS)
    page.wait_for_function(BOOTED, timeout=TIMEOUT_MS)
    page.wait_for_function("() => window.watchers === 0", timeout=TIMEOUT_MS)


def test_nothing_comes_from_another_host(page: Page, site: str) -> None:
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.goto(site)
    page.wait_for_function(BOOTED, timeout=TIMEOUT_MS)
    assert hosts == {site.split("/")[2]}


DRAW = """() => penstockHost.python.runPython(
  "import random, uuid; f'{random.random()} {uuid.uuid4()}'"
)"""


def test_two_loads_draw_different_random_numbers(page: Page, site: str) -> None:
    drawn: list[str] = []
    for _ in range(2):
        page.goto(site)
        page.wait_for_function(BOOTED, timeout=TIMEOUT_MS)
        assert notices(page) == "", "this load did not use the picture of the memory"
        drawn += page.evaluate(DRAW).split()
    assert len(set(drawn)) == 4


def test_it_boots_without_the_picture_of_the_memory(page: Page, site: str) -> None:
    page.route("**/snapshot.bin", answer(status=404, body=""))
    page.goto(site)
    page.wait_for_function(BOOTED, timeout=TIMEOUT_MS)
    assert "without its prepared memory" in notices(page)


def test_it_boots_when_the_picture_is_of_another_build(page: Page, site: str) -> None:
    page.route("**/snapshot.bin", answer(status=200, body=b"\x1f\x8b\x08\x00not gzip at all"))
    page.goto(site)
    page.wait_for_function(BOOTED, timeout=TIMEOUT_MS)
    assert "without its prepared memory" in notices(page)


def test_it_boots_where_the_browser_cannot_unpack(page: Page, site: str) -> None:
    page.add_init_script("delete globalThis.DecompressionStream")
    page.goto(site)
    page.wait_for_function(BOOTED, timeout=TIMEOUT_MS)


@pytest.mark.parametrize(
    "file",
    ["boot.json", "pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "app.zip", "core.js"],
)
def test_a_missing_file_is_named(page: Page, site: str, file: str) -> None:
    page.route(f"**/{file}*", answer(status=404, body=""))
    title, advice = failure(page, site)
    assert title == "A file of the console did not load"
    assert file in advice
    assert "reload" in advice


def test_missing_packages_are_named(page: Page, site: str) -> None:
    page.route("**/*.whl", lambda route: route.abort())
    title, advice = failure(page, site)
    assert title == "A file of the console did not load"
    assert "penstock_packages" in advice


def test_an_exception_of_python_is_shown_with_its_traceback(page: Page, site: str) -> None:
    page.route("**/main.py", answer(body='raise ValueError("no <b>jobs</b>")', content_type="text/plain"))
    title, advice = failure(page, site)
    assert title == "The console could not start"
    assert advice == "ValueError: no <b>jobs</b>"
    assert "Traceback" in (page.text_content("[data-boot=details]") or "")
    assert diagnostics(page)["errors"][0]["title"] == title


@pytest.mark.parametrize(
    ("text", "said"),
    [('{"api": ', "not JSON"), ("[]", 'no text "api"'), ('{"api": "ftp://x/"}', "not an address")],
)
def test_an_unreadable_configuration_is_an_error_that_says_what_to_correct(page: Page, site: str, text: str, said: str) -> None:
    page.route("**/penstock.json", answer(body=text, content_type="application/json"))
    title, advice = failure(page, site)
    assert title == "The configuration cannot be read"
    assert said in advice
    assert "Correct penstock.json" in advice


def test_a_missing_configuration_means_the_own_origin_and_a_notice(page: Page, site: str) -> None:
    page.route("**/penstock.json", answer(status=404, body=""))
    page.goto(site)
    page.wait_for_function(BOOTED, timeout=TIMEOUT_MS)
    assert "penstock.json is missing" in notices(page)


def test_a_browser_without_webassembly_is_told(page: Page, site: str) -> None:
    page.add_init_script("delete globalThis.WebAssembly")
    title, _ = failure(page, site)
    assert title == "This browser cannot run WebAssembly"


def test_without_javascript_the_page_says_so(chromium: Browser, site: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site)
    assert "JavaScript is off" in page.locator("noscript").inner_text()
    context.close()


def test_the_first_answers_are_asked_for_while_python_starts(page: Page, site: str) -> None:
    about = json.loads((ROOT / "web" / "dist" / "boot.json").read_text(encoding="utf-8"))
    route, paths = next((route, paths) for route, paths in about["requests"].items() if "{" not in route and paths)
    clients: list[str | None] = []

    def handle(asked: Route) -> None:
        clients.append(asked.request.headers.get("x-penstock-client"))
        headers = {"X-Penstock-Position": "e:7", "Content-Type": "application/json"}
        asked.fulfill(body='{"from": "boot"}', headers=headers)

    page.route("**/api/v1/**", handle)
    page.goto(f"{site}#{route}")
    page.wait_for_function(BOOTED, timeout=TIMEOUT_MS)
    assert clients[: len(paths)] == ["boot"] * len(paths)
