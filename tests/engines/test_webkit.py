"""The console in WebKit (Debian's MiniBrowser, driven by Selenium under a virtual screen): `make engines`, not part of `make test`."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Generator
from glob import glob
from pathlib import Path
from typing import Any

import pytest
from conftest import Server, running
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

# Selenium warns of a way in which only Selenium itself calls itself.
pytestmark = pytest.mark.filterwarnings("ignore:setting remote_server_addr:DeprecationWarning")

BOOT_S = 120
MINI_BROWSER = "/usr/lib/*/webkit2gtk-4.*/MiniBrowser"


@pytest.fixture(scope="module")
def screen() -> Generator[str]:
    """A virtual screen, for as long as the tests take."""
    read, write = os.pipe()
    with subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1440x900x24", "-nolisten", "tcp"],
        pass_fds=(write,),
        stderr=subprocess.DEVNULL,
    ) as xvfb:
        os.close(write)
        with os.fdopen(read) as told:
            display = f":{told.readline().strip()}"
        yield display
        xvfb.terminate()


@pytest.fixture
def webkit(screen: str, monkeypatch: pytest.MonkeyPatch) -> Generator[Any]:
    monkeypatch.setenv("DISPLAY", screen)
    # The sandbox of the web process needs what a container has not.
    monkeypatch.setenv("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1")
    options = webdriver.WebKitGTKOptions()
    options.binary_location = next(iter(sorted(glob(MINI_BROWSER), reverse=True)))
    options.add_argument("--automation")
    service = webdriver.WebKitGTKService(executable_path=shutil.which("WebKitWebDriver") or "/usr/bin/WebKitWebDriver")
    browser = webdriver.WebKitGTK(options=options, service=service)
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    with running("--source", "sim", "--rate", "20", "--profile", "development", data=tmp_path_factory.mktemp("webkit")) as one:
        yield one


def test_webkit_boots_shows_live_rows_and_gives_its_streams_up(webkit: Any, server: Server, tmp_path: Path) -> None:
    webkit.get(server.url)
    live = "return document.querySelectorAll('[data-panel=activity-jobs][data-freshness=live] tbody tr').length"
    WebDriverWait(webkit, BOOT_S).until(lambda one: one.execute_script(live) == 50)
    webkit.save_screenshot(str(tmp_path / "webkit.png"))
    assert "events" in server.streams()
    webkit.execute_script("location.hash = '#/jobs'")
    jobs = "return document.querySelectorAll('[data-panel=jobs][data-freshness=live] tbody tr').length"
    WebDriverWait(webkit, BOOT_S).until(lambda one: one.execute_script(jobs) == 50)
    WebDriverWait(webkit, BOOT_S).until(lambda _: server.streams() == ["events"])
    said = webkit.execute_script("return JSON.parse(penstock.diagnostics()).page.errors")
    assert said == []


def test_windows_of_webkit_share_one_connection_and_another_leads_when_the_leader_closes(webkit: Any, server: Server) -> None:
    # RT-60, RT-61
    webkit.get(f"{server.url}#/jobs")
    for _ in range(2):
        webkit.switch_to.new_window("window")
        webkit.get(f"{server.url}#/jobs")
    windows = list(webkit.window_handles)
    assert len(windows) == 3

    def ask(window: str, script: str) -> Any:
        webkit.switch_to.window(window)
        return webkit.execute_script(f"return {script}")

    def roles(_: Any = None) -> list[str]:
        return [ask(window, "globalThis.penstock?.query ? JSON.parse(penstock.diagnostics()).tabs.role : ''") for window in windows]

    def live(_: Any = None) -> bool:
        rows = "document.querySelectorAll('[data-panel=jobs][data-freshness=live] tbody tr').length"
        return all(ask(window, rows) == 50 for window in windows)

    def connections() -> set[tuple[str, str]]:
        return {(stream["path"], stream["client"]) for stream in server.get("__streams__")["streams"]}

    patient = WebDriverWait(webkit, BOOT_S)
    patient.until(lambda one: sorted(roles(one)) == ["following", "following", "leading"])
    patient.until(live)
    patient.until(lambda _: len(connections()) == 1)
    leader = windows[roles().index("leading")]
    webkit.switch_to.window(leader)
    webkit.close()
    windows.remove(leader)
    patient.until(lambda one: sorted(roles(one)) == ["following", "leading"])
    patient.until(live)
    patient.until(lambda _: len(connections()) == 1)
    for window in windows:
        assert ask(window, "JSON.parse(penstock.diagnostics()).page.errors") == []
