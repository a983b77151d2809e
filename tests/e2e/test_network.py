"""The network and the page's life: offline, the back/forward cache, leaving, sleep (RT-50 to RT-53), in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Generator

import pytest
from browsers import launch, new_context
from conftest import TRUTH, Console, Server, running
from engine_lab import KINDS, Lab, Transport, lab_page, record, site, wait_until
from playwright.sync_api import Browser, BrowserContext, Playwright

JUMPING = """(() => {
    const now = performance.now.bind(performance);
    performance.now = () => now() + (globalThis.__jump ?? 0);
})()"""
"""A clock that a test can let jump, as that of a machine that slept does."""
TRANSPORTS: tuple[Transport, ...] = ("single", "multiplexed")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    folder = tmp_path_factory.mktemp("network")
    args = ("--source", "sim", "--rate", "10", "--profile", "test", "--site", str(site(folder / "site")))
    with running(*args, data=folder / "data") as found:
        yield found


@pytest.fixture(autouse=True)
def idle(server: Server) -> None:
    """What the page of the test before held is released."""
    wait_until(lambda: sockets(server) == 0)


def sockets(server: Server) -> int:
    """Connections that streams hold at the server."""
    found: int = server.get("__streams__")["sockets"]
    return found


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_offline_is_a_hint_and_online_comes_back_equal(chromium: Browser, server: Server, transport: Transport) -> None:
    # RT-32, RT-52, RT-84: the browser's word counts here although the API is on this machine
    with lab_page(chromium, server, transport, network="browser") as lab:
        lab.all_live()
        since = lab.now()
        lab.page.context.set_offline(True)
        for kind in KINDS:
            wait_until(lambda kind=kind: lab.mark(kind) == ("stale", "offline"))
        offline = lab.now()
        lab.page.wait_for_timeout(1_500)
        rec = record(lab, offline)
        asked = [url for at, method, url, why in rec.sent if at > offline and method == "GET" and why != "probe"]
        assert asked == []
        lab.page.context.set_offline(False)
        lab.all_live()
        for kind in KINDS:
            lab.equals_server(kind)
        whole = record(lab, since)
        for kind in KINDS:
            assert "polling fallback" not in whole.said(kind)[1:3], "polling cannot help where there is no network"


def test_a_server_on_this_machine_is_never_offline(chromium: Browser, server: Server) -> None:
    # RT-52
    with lab_page(chromium, server, "multiplexed") as lab:
        lab.all_live()
        lab.page.evaluate(
            """() => {
                Object.defineProperty(navigator, "onLine", { configurable: true, get: () => false });
                dispatchEvent(new Event("offline"));
            }"""
        )
        lab.page.wait_for_timeout(700)
        lab.all_live()
        assert all(state == "live" or reason != "offline" for _, _, state, reason in record(lab, 0).marks)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_frozen_page_holds_nothing_and_comes_back_equal(chromium: Browser, server: Server, transport: Transport) -> None:
    # RT-51, RT-53: the lifecycle of a page that the browser put to sleep
    before = sockets(server)
    with lab_page(chromium, server, transport) as lab:
        lab.all_live()
        wait_until(lambda: sockets(server) > before)
        # Chromium freezes no page that is seen, so the page is told as the browser would tell it.
        lab.page.evaluate("document.dispatchEvent(new Event('freeze'))")
        wait_until(lambda: sockets(server) == before)
        lab.page.evaluate("document.dispatchEvent(new Event('resume'))")
        lab.all_live()
        for kind in KINDS:
            lab.equals_server(kind)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_timer_that_is_fifteen_seconds_late_is_a_gap(chromium: Browser, server: Server, transport: Transport) -> None:
    # RT-32, RT-52: the clock of a machine that slept jumps, and no event says so
    with lab_page(chromium, server, transport, script=JUMPING) as lab:
        lab.all_live()
        before = lab.diagnostics()["totals"]
        lab.page.evaluate("globalThis.__jump = 20_000")
        wait_until(lambda: lab.diagnostics()["totals"]["sleeps"] > before["sleeps"])
        lab.all_live()
        assert lab.diagnostics()["totals"]["gaps"] >= before["gaps"] + len(KINDS)
        for kind in KINDS:
            lab.equals_server(kind)


# The page's life, in the console itself ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def caching(playwright: Playwright) -> Generator[Browser]:
    """A browser that keeps pages which were left: Playwright's switches that off."""
    browser = launch(playwright, "chromium", bfcache=True)
    yield browser
    browser.close()


@pytest.fixture
def context(caching: Browser) -> Generator[BrowserContext]:
    made = new_context(caching)
    made.add_init_script(path=TRUTH)
    yield made
    made.close()


def console(context: BrowserContext, server: Server) -> Console:
    opened = Console(context.new_page()).open(f"{server.url}#/jobs")
    opened.fresh("jobs", "live")
    return opened


def test_leaving_for_the_back_forward_cache_releases_every_stream_and_coming_back_is_live(
    context: BrowserContext, server: Server
) -> None:
    # RT-51, RT-53, RT-84
    before = sockets(server)
    page = console(context, server)
    wait_until(lambda: sockets(server) > before)
    page.page.evaluate("globalThis.__same = true")
    page.page.goto(f"{server.url}boot.json")
    wait_until(lambda: sockets(server) == before)
    page.page.go_back(wait_until="commit")
    page.fresh("jobs", "live")
    assert page.page.evaluate("globalThis.__same") is True, "the page was loaded anew: this proves nothing of the cache"
    wait_until(lambda: sockets(server) > before)
    page.until("() => __truth.checked >= 2")
    assert page.page.evaluate("__truth.violations") == []
    assert page.diagnostics()["errors"] == []


@pytest.mark.parametrize("leave", ["close", "reload"])
def test_closing_and_reloading_release_every_stream(context: BrowserContext, server: Server, leave: str) -> None:
    # RT-53
    before = sockets(server)
    page = console(context, server)
    wait_until(lambda: sockets(server) > before)
    held = sockets(server)
    gone: Callable[[], object] = page.page.close if leave == "close" else page.page.reload
    gone()
    if leave == "close":
        wait_until(lambda: sockets(server) == before)
        return
    page.fresh("jobs", "live", timeout_ms=60_000)
    wait_until(lambda: sockets(server) <= held)


def test_the_lab_is_what_it_says(chromium: Browser, server: Server) -> None:
    """Without this, every test of these files could be about something else."""
    for transport, held in (("single", 3), ("multiplexed", 1)):
        before = sockets(server)
        with lab_page(chromium, server, "single" if transport == "single" else "multiplexed") as lab:
            lab.all_live()
            assert isinstance(lab, Lab)
            wait_until(lambda before=before, held=held: sockets(server) - before == held)
        wait_until(lambda before=before: sockets(server) == before)
