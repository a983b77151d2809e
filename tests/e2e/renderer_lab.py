"""A browser page with the bridge on one side, and the interface kit in Python 3.14 on the other.

The kit runs in Pyodide under Node, not in the page: so the page keeps a policy without `'unsafe-eval'`, and what the
bridge does is not mixed up with what an interpreter does. Tests write both sides as text: `lab.run(python)` and
`lab.page.evaluate(javascript)`.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Generator
from pathlib import Path
from typing import Any

from browsers import new_context
from playwright.sync_api import Browser, Page, Route

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
POLICY = "default-src 'self'; script-src 'self'; style-src 'self'"
ORIGIN = "http://renderer.test"

PRELUDE = """
import json
from dataclasses import dataclass, replace
from pyapp.ui import *

@dataclass(frozen=True)
class Item:
    id: str
    name: str

def items(text):
    return [Item(letter, letter) for letter in text]
"""

INDEX = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Renderer</title><link rel="icon" href="/icon">
<body><div data-root="main"><p>Loading</p></div><div data-root="side"></div>
<script type="module" src="/page.js"></script></body></html>"""

SCRIPT = """
import { createBridge } from "./bridge.js";
window.sent = [];
window.executed = [];
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
window.bridge = createBridge({ root: document, dispatch: (json) => { sent.push(json); window.onAction?.(json); } });
/** How many nodes were added, removed or changed while `work` ran. */
window.mutations = (work) => {
  const observer = new MutationObserver(() => {});
  observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  const result = work();
  const records = observer.takeRecords();
  observer.disconnect();
  return { result, records: records.map((record) => record.type) };
};
window.ready = true;
"""


class Interpreter:
    """Pyodide under Node."""

    def __init__(self) -> None:
        node = shutil.which("node") or str(Path(sys.executable).parent / "node")
        prepared = subprocess.run([sys.executable, str(WEB / "test_packages.py")], capture_output=True, text=True, check=True)
        self._process = subprocess.Popen(
            [node, str(Path(__file__).with_suffix(".mjs")), str(ROOT), prepared.stdout.strip()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def run(self, code: str) -> Any:
        """Run Python; what it assigned to `answer`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"code": textwrap.dedent(code)}) + "\n")
        self._process.stdin.flush()
        reply = json.loads(self._process.stdout.readline())
        if "error" in reply:
            raise AssertionError(reply["error"])
        return reply["answer"]

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)


class Lab:
    """One page, one encoder."""

    def __init__(self, page: Page, interpreter: Interpreter, engine: str) -> None:
        self.page = page
        self.engine = engine
        self.expected_errors: tuple[str, ...] = ()
        self.errors: list[str] = []
        self._interpreter = interpreter
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.run(PRELUDE + "\nencoder = Encoder()")

    def run(self, code: str) -> Any:
        """Python on the kit's side; what it assigned to `answer`."""
        return self._interpreter.run(code)

    def encode(self, roots: str) -> str:
        """The JSON of a paint of `roots`, written as keyword arguments."""
        text: str = self.run(f"answer = encoder.paint(dict({roots}))")
        return text

    def paint(self, roots: str) -> list[Any]:
        """Paint, and hand the answer back; what the bridge reported."""
        report: str = self.page.evaluate("json => bridge.paint(json)", self.encode(roots))
        self.run(f"encoder.report({report!r})")
        return json.loads(report) if report else []

    def mutations(self, roots: str) -> list[str]:
        """Paint; what the browser saw change."""
        seen: list[str] = self.page.evaluate("json => mutations(() => bridge.paint(json)).records", self.encode(roots))
        return seen

    def paint_on_action(self, roots: str) -> None:
        """Prepare the paint that answers the next action, as the console paints what the user did at once (RT-43)."""
        self.page.evaluate("json => { onAction = () => { onAction = undefined; bridge.paint(json); }; }", self.encode(roots))

    def actions(self) -> list[Any]:
        """The actions the page sent since the last call, as Python makes them: root, class name and arguments."""
        sent: list[str] = self.page.evaluate("() => sent.splice(0)")
        decoded: list[Any] = self.run(
            f"""
            answer = []
            for text in {sent!r}:
                root, action = decode_action(text)
                answer.append([root, type(action).__name__, action.model_dump(mode="json")])
            """
        )
        return decoded

    def text(self, selector: str = "[data-root=main]") -> str:
        """The text of an element."""
        found: str = self.page.evaluate("selector => document.querySelector(selector).textContent", selector)
        return found


def bundle(out: Path) -> str:
    """The bridge and lit as one module."""
    esbuild = WEB / "node_modules" / ".bin" / "esbuild"
    command = [str(esbuild), str(WEB / "src" / "bridge.mjs"), "--bundle", "--format=esm", f"--outfile={out}", "--log-level=warning"]
    subprocess.run(command, check=True)
    return out.read_text(encoding="utf-8")


@contextlib.contextmanager
def open_page(browser: Browser, bridge: str) -> Generator[Page]:
    """A page with two roots under the strict policy."""
    context = new_context(browser)
    files = {
        "/": ("text/html", INDEX),
        "/page.js": ("text/javascript", SCRIPT),
        "/bridge.js": ("text/javascript", bridge),
        "/icon": ("image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg"/>'),
    }

    def answer(route: Route) -> None:
        kind, body = files.get(route.request.url.removeprefix(ORIGIN), ("text/plain", ""))
        route.fulfill(body=body, headers={"content-type": f"{kind}; charset=utf-8", "content-security-policy": POLICY})

    context.route(f"{ORIGIN}/**", answer)
    page = context.new_page()
    page.goto(f"{ORIGIN}/")
    page.wait_for_function("() => window.ready")
    try:
        yield page
    finally:
        context.close()
