"""Each page in a real browser against the real server: it shows what the server answers, by its address and by the keyboard."""

from __future__ import annotations

from collections.abc import Callable

from conftest import Console, Server
from playwright.sync_api import Browser
from test_console import eventually

Open = Callable[..., Console]


def test_the_workers_are_those_of_the_server_and_each_leads_to_its_page(engine: Browser, moving: Server, open_console: Open) -> None:
    """RT-20: both pages read one answer and one stream."""
    console = open_console(engine, f"{moving.url}#/workers")
    console.fresh("workers", "live")
    told = {worker["name"]: worker for worker in moving.get("api/v1/workers")["workers"]}
    shown = console.page.eval_on_selector_all("[data-panel=workers] tbody a.fn", "links => links.map((link) => link.textContent)")
    assert shown == sorted(told)
    eventually(lambda: moving.streams() == ["workers"])
    name = shown[0]
    console.page.focus("[data-panel=workers] tbody a.fn")
    console.page.keyboard.press("Enter")
    console.fresh("instances", "live")
    assert console.page.title() == f"{name} · Workers · Penstock"
    instances = console.page.eval_on_selector_all(
        "[data-panel=instances] tbody a.mono", "links => links.map((link) => link.textContent)"
    )
    assert instances == sorted(one["id"] for one in told[name]["instances"])
    functions = console.page.eval_on_selector_all("[data-panel=functions] li", "items => items.map((item) => item.textContent.trim())")
    assert sorted(functions) == sorted(told[name]["function_names"].values())
    # Going from one to the other asks nothing anew, and the way back is the browser's.
    assert moving.streams() == ["workers"]
    console.page.go_back()
    console.fresh("workers", "live")


def test_a_paused_list_says_so_holds_no_stream_and_its_address_is_enough(chromium: Browser, moving: Server, open_console: Open) -> None:
    """RT-5."""
    console = open_console(chromium, f"{moving.url}#/workers?sort=-running")
    console.fresh("workers", "live")
    console.page.click("[data-panel=workers] .seg >> text=Pause")
    console.fresh("workers", "paused")
    eventually(lambda: moving.streams() == [])
    assert console.page.evaluate("location.hash") == "#/workers?paused=1&sort=-running"
    console.page.reload()
    console.fresh("workers", "paused")
    console.page.click("[data-panel=workers] .seg >> text=Live")
    console.fresh("workers", "live")


def test_a_function_is_paused_and_resumed_and_the_page_shows_what_the_server_says(
    chromium: Browser, quiet: Server, open_console: Open
) -> None:
    console = open_console(chromium, f"{quiet.url}#/functions")
    console.fresh("functions", "polling")
    told = quiet.get("api/v1/functions")["functions"]
    shown = console.page.eval_on_selector_all("[data-panel=functions] tbody a.fn", "links => links.map((link) => link.title)")
    assert shown == [one["key"] for one in sorted(told, key=lambda one: one["name"].casefold())]
    key = shown[0]
    console.page.click("[data-panel=functions] tbody tr:first-child >> text=Pause")
    console.until("() => document.querySelector('[data-panel=functions] tbody tr').innerText.includes('Resume')")
    assert next(one["paused"] for one in quiet.get("api/v1/functions")["functions"] if one["key"] == key) is True
    console.page.click("[data-panel=functions] tbody tr:first-child a.fn")
    console.fresh("summary", "polling")
    console.fresh("trends", "live")
    console.fresh("jobs", "live")
    eventually(lambda: sorted(name.partition("?")[0] for name in quiet.streams()) == ["events", "jobs/trends"])
    console.page.click("[data-panel=summary] >> text=Resume")
    console.until("() => document.querySelector('[data-panel=summary]').innerText.includes('Pause')")
    assert next(one["paused"] for one in quiet.get("api/v1/functions")["functions"] if one["key"] == key) is False


def test_the_apis_are_those_of_the_server_and_one_shows_its_routes_and_its_requests(
    chromium: Browser, moving: Server, open_console: Open
) -> None:
    console = open_console(chromium, f"{moving.url}#/apis")
    console.fresh("apis", "live")
    names = sorted(one["name"] for one in moving.get("api/v1/apis")["apis"])
    assert console.page.eval_on_selector_all("[data-panel=apis] tbody a.fn", "links => links.map((link) => link.textContent)") == names
    console.page.click("[data-panel=apis] tbody a.fn")
    for panel in ("summary", "routes", "requests"):
        console.fresh(panel, "live")
    told = moving.get(f"api/v1/apis/{names[0]}")["endpoints"]
    paths = console.page.eval_on_selector_all("[data-panel=routes] td[title]", "cells => cells.map((cell) => cell.title)")
    assert {one["path"] for one in told} <= set(paths)
    console.page.click("[data-panel=requests] .seg >> text=4xx")
    console.until(
        "() => [...document.querySelectorAll('[data-panel=requests] tbody .st')].every((mark) => mark.textContent.startsWith('4'))"
    )
    assert console.page.evaluate("location.hash") == f"#/apis/{names[0]}?status=4xx"
