"""The browsers that the tests drive: Debian's where they are, else Playwright's own; installed where they are missing.

`python tests/e2e/browsers.py chromium firefox` makes sure that they are there and says nothing when there is nothing to do. As root on
Debian the missing packages are installed; elsewhere Playwright fetches its own builds.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Playwright

CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass(frozen=True)
class Engine:
    """One browser: its Debian packages and where they put its program."""

    name: str
    packages: tuple[str, ...]
    program: str

    @property
    def debian(self) -> str | None:
        """Debian's program, if it is installed."""
        return self.program if Path(self.program).exists() else None


ENGINES = {
    "chromium": Engine("chromium", ("chromium",), "/usr/bin/chromium"),
    "firefox": Engine("firefox", ("firefox-esr",), "/usr/bin/firefox-esr"),
    "webkit": Engine("webkit", ("webkit2gtk-driver", "xvfb"), "/usr/bin/WebKitWebDriver"),
}


def launch(playwright: Playwright, name: str, *, bfcache: bool = False) -> Browser:
    """Start an engine, without a window."""
    engine = ENGINES[name]
    if name == "chromium":
        # Playwright switches the back/forward cache off, which is the very thing some tests are about.
        dropped = ["--disable-back-forward-cache"] if bfcache else None
        return playwright.chromium.launch(executable_path=engine.debian, args=CHROMIUM_ARGS, ignore_default_args=dropped)
    if engine.debian:
        return playwright.firefox.launch(channel="moz-firefox", executable_path=engine.debian)
    return playwright.firefox.launch()


def new_context(browser: Browser, **options: Any) -> BrowserContext:
    """A context that the engine takes: Debian's Firefox knows none of Playwright's media settings, and wants each named as absent."""
    if browser.browser_type.name == "firefox" and ENGINES["firefox"].debian:
        for name in ("color_scheme", "reduced_motion", "forced_colors", "contrast"):
            options.setdefault(name, "null")
    return browser.new_context(**options)


def install(names: list[str]) -> int:
    """Make sure that the engines are there; the exit code for the command line."""
    missing = [ENGINES[name] for name in names if not ENGINES[name].debian]
    if not missing:
        return 0
    packages = [package for engine in missing for package in engine.packages]
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing {', '.join(packages)}…", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]):
            done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
            if done.returncode != 0:
                print(f"{packages} could not be installed by apt-get: {done.stderr.strip()[-300:]}", file=sys.stderr)
                return 1
        return 0
    own = [engine.name for engine in missing if engine.name != "webkit" and not playwright_has(engine.name)]
    if not own:
        return 0
    done = subprocess.run([sys.executable, "-m", "playwright", "install", *own], check=False)
    if done.returncode != 0:
        print(f"No browser for the tests: install {', '.join(packages)} with the system's package manager.", file=sys.stderr)
    return done.returncode


def playwright_has(name: str) -> bool:
    """Whether Playwright's own build is on this machine."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(getattr(playwright, name).executable_path).exists()


if __name__ == "__main__":
    unknown = [name for name in sys.argv[1:] if name not in ENGINES]
    if unknown or len(sys.argv) < 2:
        print(f"Name engines of {', '.join(ENGINES)}.", file=sys.stderr)
        sys.exit(2)
    sys.exit(install(sys.argv[1:]))
