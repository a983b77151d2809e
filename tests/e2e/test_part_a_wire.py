"""A living server of part A behind a network that tears, delays, stalls, half-closes and cuts (RT-22 to RT-30), in a real browser.

Part A says no hello, no heartbeat and no number: a frame is only whole or not there, and what is missed shows at the next snapshot. So
the panels may say live while nothing comes, as RT-26 has it, and must be right again after the safety snapshot.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest
from conftest import Server, running
from engine_lab import KINDS, TIMES, Lab, lab_page, record, site, wait_until
from playwright.sync_api import Browser
from tcp_proxy import TcpProxy


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    folder = tmp_path_factory.mktemp("part-a")
    args = ("--source", "sim", "--rate", "6", "--profile", "test", "--contract", "a", "--site", str(site(folder / "site")))
    with running(*args, data=folder / "data") as found:
        yield found


@pytest.fixture(scope="module")
def proxy(server: Server) -> Generator[TcpProxy]:
    with TcpProxy(int(server.url.rstrip("/").rpartition(":")[2])) as made:
        yield made


@pytest.fixture(scope="module")
def wire(chromium: Browser, server: Server, proxy: TcpProxy) -> Generator[Lab]:
    """One page for all: it loads through the proxy, and so does everything that it asks."""
    with lab_page(chromium, server, "single", url=f"{proxy.url}/") as lab:
        lab.all_live()
        yield lab


def invalid(lab: Lab) -> int:
    found: int = lab.diagnostics()["totals"]["invalid"]
    return found


def equal(lab: Lab) -> None:
    """Live, and the data is the server's: at part A the safety snapshot sees to that at the latest."""
    lab.all_live(timeout_ms=30_000)
    for kind in KINDS:
        lab.equals_server(kind, place=False, timeout_s=30)


@pytest.mark.parametrize("size", [1, 7])
def test_torn_frames_are_whole_again(wire: Lab, proxy: TcpProxy, size: int) -> None:
    # RT-29
    since, before = wire.now(), invalid(wire)
    proxy.split(size)
    try:
        wire.page.wait_for_timeout(1_500)
        assert invalid(wire) == before
    finally:
        proxy.split(0)
    equal(wire)
    assert all("error" not in mark for kind in KINDS for mark in record(wire, since).said(kind))


def test_late_frames_are_late_and_nothing_more(wire: Lab, proxy: TcpProxy) -> None:
    # RT-26
    since, before = wire.now(), wire.diagnostics()["totals"]["drops"]
    proxy.delay(200)
    try:
        wire.page.wait_for_timeout(1_500)
    finally:
        proxy.delay(0)
    equal(wire)
    assert wire.diagnostics()["totals"]["drops"] == before
    assert all("polling" not in mark for kind in KINDS for mark in record(wire, since).said(kind))


def test_a_stalled_network_is_seen_by_what_is_asked(wire: Lab, proxy: TcpProxy) -> None:
    # RT-8, RT-12, RT-26: nothing is announced, so only silence and the safety snapshot tell
    proxy.stall(True)
    try:
        wait_until(lambda: all(wire.mark(kind) != ("live", "delivering") for kind in KINDS), timeout_s=30)
        assert {wire.mark(kind)[0] for kind in KINDS} <= {"live", "error", "stale"}
        assert all(wire.mark(kind)[1] in ("unverified", "network", "old", "synchronized", "breaker") for kind in KINDS)
    finally:
        proxy.stall(False)
    equal(wire)


@pytest.mark.parametrize("cut", [pytest.param("reset", id="cut"), pytest.param("half-close", id="half-close")])
def test_an_end_is_seen_at_once_and_the_streams_come_back(wire: Lab, proxy: TcpProxy, cut: str) -> None:
    # RT-22, RT-23, RT-32, RT-34
    before = wire.diagnostics()["totals"]
    if cut == "reset":
        proxy.reset()
    else:
        proxy.half_close("client")
    wait_until(lambda: wire.diagnostics()["totals"]["drops"] >= before["drops"] + 3)
    equal(wire)
    assert wire.diagnostics()["totals"]["reconnects"] >= before["reconnects"] + 3


def test_a_server_that_is_away_is_polled_in_vain_and_found_again(wire: Lab, proxy: TcpProxy) -> None:
    # RT-12, RT-33, RT-66
    since = wire.now()
    proxy.refuse(True)
    proxy.reset()
    try:
        wait_until(lambda: all(wire.mark(kind)[0] == "error" for kind in KINDS), timeout_s=30)
        assert all(wire.mark(kind)[1] in ("network", "breaker") for kind in KINDS)
        wire.page.wait_for_timeout(TIMES.breaker_open_ms)
    finally:
        proxy.refuse(False)
    equal(wire)
    assert all("live" not in mark for kind in KINDS for mark in record(wire, since).said(kind)[1:3])
