"""What every end-to-end test stands on: a real server, the built site, a real browser, and the truth invariant watching (RT-84)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browsers import launch, new_context
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
TRUTH = Path(__file__).with_name("truth.js")
DIST = ROOT / "web" / "dist"
BOOT_MS = 90_000
READY = "Penstock is ready at "


class Server:
    """A reference server in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url

    def get(self, path: str) -> Any:
        """The JSON of a GET, counted by nobody."""
        return self._ask(urllib.request.Request(self.url + path, headers={"X-Penstock-Client": "test"}))

    def post(self, path: str, body: object | None = None) -> Any:
        """The JSON of a POST, as a script would send it."""
        data = json.dumps(body if body is not None else {}).encode()
        headers = {"Content-Type": "application/json", "X-Penstock-CSRF": "1", "X-Penstock-Client": "test"}
        return self._ask(urllib.request.Request(self.url + path, data=data, headers=headers, method="POST"))

    @staticmethod
    def _ask(request: urllib.request.Request) -> Any:
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.loads(response.read())

    def streams(self) -> list[str]:
        """The keys of the streams that are open now."""
        return sorted(stream["key"] for stream in self.get("__streams__")["streams"])

    def stop(self) -> int:
        """End it as Ctrl-C does; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=20)


@contextmanager
def running(*args: str, data: Path) -> Generator[Server]:
    """A server on a free port, until the block ends."""
    command = [sys.executable, "-m", "server_stub", "--port", "0", "--data", str(data), "--faults", *args]
    data.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with (data / "stderr.txt").open("w+") as errors:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
        assert process.stdout is not None
        with process.stdout:
            url = next((line.removeprefix(READY).strip() for line in process.stdout if line.startswith(READY)), "")
            if not url:
                process.wait(timeout=10)
                errors.seek(0)
                raise RuntimeError(f"The server did not start: {errors.read()}")
            server = Server(process, url)
            try:
                yield server
            finally:
                server.stop()


@pytest.fixture(scope="session")
def playwright() -> Generator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session", params=["chromium", "firefox"])
def engine(request: pytest.FixtureRequest, playwright: Playwright) -> Generator[Browser]:
    """Each browser in turn, started once."""
    browser = launch(playwright, request.param)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Generator[Browser]:
    browser = launch(playwright, "chromium")
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def moving(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """A simulator at a moderate rate, on the profile `test`."""
    with running("--source", "sim", "--rate", "20", "--profile", "test", data=tmp_path_factory.mktemp("moving")) as server:
        yield server


@pytest.fixture(scope="session")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """A simulator in which nothing moves but what a test asks for."""
    with running("--source", "sim", "--rate", "0", "--profile", "test", data=tmp_path_factory.mktemp("quiet")) as server:
        yield server


class Console:
    """A page with the console in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        page.on("pageerror", self._raised)

    def _raised(self, error: object) -> None:
        # Debian's Firefox reports a refused connection as an error of the page; a server that is stopped is no mistake of ours.
        if not any(words in str(error) for words in ("CORS request did not succeed", "can’t establish a connection")):
            self.problems.append(f"page error: {error}")

    def open(self, url: str) -> Console:
        """Load the site and wait until it has painted."""
        self.page.goto(url)
        self.page.wait_for_selector("[data-panel]", timeout=BOOT_MS)
        return self

    def panel(self, name: str) -> str:
        return f'[data-panel="{name}"]'

    def until(self, expression: str, argument: object = None, *, timeout_ms: float = 20_000) -> None:
        """Wait for a condition in the page."""
        self.page.wait_for_function(expression, arg=argument, timeout=timeout_ms)

    def fresh(self, panel: str, state: str, *, timeout_ms: float = 20_000) -> None:
        """Wait until a panel says a freshness."""
        self.page.wait_for_selector(f'{self.panel(panel)}[data-freshness="{state}"]', timeout=timeout_ms)

    def diagnostics(self) -> dict[str, Any]:
        return json.loads(self.page.evaluate("penstock.diagnostics()"))

    def query(self, key: Sequence[object]) -> Any:
        """The cached data of a key (RT-83)."""
        text = self.page.evaluate("(key) => penstock.query(key) ?? null", json.dumps(key))
        return None if text is None else json.loads(text)

    def hide(self, hidden: bool) -> None:
        """Hide or show the page: headless browsers cannot, so the document's word is replaced and its event sent."""
        self.page.evaluate(
            """(hidden) => {
                Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (hidden ? "hidden" : "visible") });
                Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
                document.dispatchEvent(new Event("visibilitychange"));
            }""",
            hidden,
        )

    def rows(self, panel: str) -> list[str]:
        """The visible text of a panel's rows."""
        return self.page.eval_on_selector_all(f"{self.panel(panel)} tbody tr", "rows => rows.map(row => row.innerText)")


@pytest.fixture
def open_console(request: pytest.FixtureRequest) -> Generator[Callable[..., Console]]:
    """Open consoles in fresh contexts; at the end each is asked whether it ever lied (RT-84), and whether anything was raised."""
    contexts: list[BrowserContext] = []
    consoles: list[Console] = []

    def open_one(browser: Browser, url: str, *, truth: bool = True, **options: Any) -> Console:
        context = new_context(browser, **options)
        contexts.append(context)
        if truth:
            context.add_init_script(path=TRUTH)
        console = Console(context.new_page())
        consoles.append(console)
        return console.open(url)

    yield open_one
    try:
        for console in consoles:
            found = console.page.evaluate("globalThis.__truth ?? null")
            if found is not None:
                assert found["violations"] == []
            errors = json.loads(console.page.evaluate("penstock.diagnostics()"))
            assert errors.get("errors", []) == []
            assert errors.get("page", {}).get("errors", []) == []
            assert console.problems == []
    finally:
        for context in contexts:
            context.close()
