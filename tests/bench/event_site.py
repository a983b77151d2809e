"""The pages that are compared under a flow of events, and the server that feeds them."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
DIST = ROOT / "web" / "dist"
RIVALS = HERE / "rivals"
sys.path.insert(0, str(ROOT / "web"))

from sitebuild import tools  # noqa: E402


def build_rivals(out: Path) -> None:
    """The React pages, a production build from the locked packages."""
    _, npm = tools.node_commands()
    lock, mark = RIVALS / "package-lock.json", RIVALS / "node_modules" / ".built-from"
    if not mark.is_file() or mark.read_text(encoding="utf-8") != lock.read_text(encoding="utf-8"):
        command = [*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        subprocess.run(command, cwd=RIVALS, check=True, stdout=sys.stderr)
        shutil.copy(lock, mark)
    command = [str(RIVALS / "node_modules" / ".bin" / "esbuild"), "src/main.jsx", "--bundle", "--minify", "--jsx=automatic"]
    command += ['--define:process.env.NODE_ENV="production"', "--format=esm", f"--outfile={out}", "--log-level=warning"]
    subprocess.run(command, cwd=RIVALS, check=True, stdout=sys.stderr)


def build_site() -> None:
    """The console as it is shipped, in `web/dist`."""
    subprocess.run([sys.executable, str(ROOT / "web" / "build.py")], check=True, stdout=sys.stderr)


def write_site(folder: Path, *, rivals: bool = False) -> None:
    """`console/` (ours) and `noop/` below `folder`; with `rivals` `react/`, too, with our style sheet, icons and elements."""
    build_site()
    ours, noop = folder / "console", folder / "noop"
    shutil.copytree(DIST, ours)
    # An address of another host is nothing to this server.
    (ours / "penstock.json").write_text('{"api": ""}', encoding="utf-8")
    shutil.copy(HERE / "pages" / "table_main.py", ours / "main.py")
    noop.mkdir()
    shutil.copy(HERE / "pages" / "noop.html", noop / "index.html")
    shutil.copy(HERE / "pages" / "noop.js", noop)
    if rivals:
        write_react(folder / "react")


def write_react(react: Path) -> None:
    """React's page."""
    react.mkdir()
    build_rivals(react / "main.js")
    shutil.copytree(DIST / "assets", react / "assets")
    styles = "\n".join(f'<link rel="stylesheet" href="assets/{path.name}">' for path in react.glob("assets/site-*.css"))
    icons = (ROOT / "web" / "icons.svg").read_text(encoding="utf-8")
    page = (HERE / "pages" / "react.html").read_text(encoding="utf-8")
    (react / "index.html").write_text(page.replace("{styles}", styles).replace("{icons}", icons), encoding="utf-8")


@contextlib.contextmanager
def emitter(site: Path, events: int) -> Generator[str]:
    """The server in a process of its own; gives its address."""
    command = [sys.executable, str(HERE / "emitter.py"), str(site), "--events", str(events)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def state_of(base: str) -> dict[str, Any]:
    """What the emitter says of itself."""
    with urllib.request.urlopen(f"{base}bench/state") as answer:
        return json.load(answer)


@contextlib.contextmanager
def reference_server(site: Path, rate: float, data: Path | None = None) -> Generator[str]:
    """The reference server with `site` and the simulator at `rate` events a second; gives its address."""
    command = [sys.executable, "-m", "server_stub", "--port", "0", "--source", "sim", "--rate", str(rate)]
    command += ["--site", str(site), "--data", str(data or site.parent / "state"), "--requests-per-minute", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout is not None
        try:
            for line in server.stdout:
                if found := re.search(r"https?://\S+", line):
                    yield found[0]
                    break
        finally:
            server.terminate()
