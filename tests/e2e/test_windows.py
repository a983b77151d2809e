"""Windows in a real browser: chosen, shared by their address, drawn from a chart, and ten thousand rows long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from conftest import Console, Server
from playwright.sync_api import Browser
from test_console import eventually

Open = Callable[..., Console]

KOLKATA = timedelta(hours=5, minutes=30)
ROWS = "() => document.querySelectorAll('[data-panel=jobs] tbody tr:not(.spacer)').length"
# Of each row of the window: the moment in its time element, and the words in it.
TIMES = """rows => rows.filter((row) => !row.classList.contains("spacer")).map((row) => {
  const time = row.querySelector("pen-time time");
  return [time.dateTime, time.textContent, time.closest("pen-time").title];
})"""
# From the left edge of the first of these bars to the middle of the last, as a drag sees it.
BARS = """([panel, first, last]) => {
  const chart = document.querySelector(`[data-panel="${panel}"] pen-chart`);
  const spans = [...chart.querySelectorAll("tbody pen-span")];
  chart.scrollIntoView({ block: "center" });
  const { left, top, width, height } = chart.querySelector(".plot").getBoundingClientRect();
  const step = width * chart.querySelector(".chart").dataset.plot / 100 / spans.length;
  return {
    from: [left + step * (first + 0.5), top + height / 2], to: [left + step * (last + 0.5), top + height / 2],
    after: spans[first].getAttribute("from"), before: spans[last].getAttribute("to"),
  };
}"""


def hash_params(console: Console) -> dict[str, str]:
    """The parameters of the address."""
    return dict(parse_qsl(console.page.evaluate("location.hash").partition("?")[2]))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_window_is_chosen_in_the_viewers_zone_and_its_address_shows_the_same_rows_again(
    engine: Browser, moving: Server, open_console: Open
) -> None:
    """RT-3, RT-4, RT-5: in German, in Kolkata, while twenty events a second arrive."""
    console = open_console(engine, f"{moving.url}#/jobs", locale="de-DE", timezone_id="Asia/Kolkata")
    page = console.page
    console.fresh("jobs", "live")
    newest = utc(moving.get("api/v1/jobs?limit=1")["jobs"][0]["created_at"]).replace(microsecond=0)
    after, before = newest - timedelta(minutes=10), newest - timedelta(minutes=1)
    page.click("[data-panel=jobs] .seg >> text=Window")
    assert "GMT+5:30" in page.inner_text(".pop:popover-open .zone")
    for name, at in (("after", after), ("before", before)):
        page.fill(f".pop:popover-open input[name={name}]", (at + KOLKATA).strftime("%Y-%m-%dT%H:%M:%S"))
    page.click(".pop:popover-open >> text=Show window")
    console.fresh("jobs", "window")
    bounds = {name: at.strftime("%Y-%m-%dT%H:%M:%SZ") for name, at in (("after", after), ("before", before))}
    assert hash_params(console) == bounds
    console.until("() => document.querySelector('[data-panel=jobs] .count').innerText.includes('the whole range')")
    # The server's own answer to the same question.
    told = moving.get(f"api/v1/jobs?limit=1000&after={bounds['after']}&before={bounds['before']}")["jobs"]
    shown = console.query(["jobs", "window", bounds])
    assert [row["id"] for row in shown["rows"]] == [row["id"] for row in told]
    # Times are those of Kolkata, the whole of each is in its title, and numbers have a comma.
    times = page.eval_on_selector_all("[data-panel=jobs] tbody tr", TIMES)
    # As many lines as can be seen are drawn at first, and a few to spare.
    assert len(times) > page.evaluate(
        "(innerHeight - document.querySelector('[data-panel=jobs] tbody').getBoundingClientRect().top) / 32"
    )
    for (stamp, words, title), job in zip(times, told, strict=False):
        there = utc(job["created_at"]) + KOLKATA
        assert abs(utc(stamp) - utc(job["created_at"])) < timedelta(milliseconds=1)
        assert words.endswith(there.strftime("%H:%M:%S"))
        assert "GMT+5:30" in title
    page.wait_for_selector("[data-panel=jobs] td.num:text-matches('^\\\\d+,\\\\d+')")
    # Others arrive, and nothing of it moves; a reload, or whoever is sent the address, sees the same rows.
    still = console.rows("jobs")
    latest = moving.get("api/v1/jobs?limit=1")["jobs"][0]["id"]
    eventually(lambda: moving.get("api/v1/jobs?limit=1")["jobs"][0]["id"] != latest)
    assert console.rows("jobs") == still
    page.reload()
    console.fresh("jobs", "window")
    console.until("() => document.querySelector('[data-panel=jobs] .count').innerText.includes('the whole range')")
    again = console.query(["jobs", "window", bounds])
    assert [row["id"] for row in again["rows"]] == [row["id"] for row in told]
    assert hash_params(console) == bounds
    # Live again: the latest rows, at once.
    page.click("[data-panel=jobs] .seg >> text=Live")
    console.fresh("jobs", "live")
    assert console.query(["jobs", "live", {}])["rows"][0]["id"] not in {row["id"] for row in told}
    assert hash_params(console) == {}


def test_a_range_of_a_chart_opens_its_window_by_pointer_and_by_keyboard(engine: Browser, quiet: Server, open_console: Open) -> None:
    """RT-4."""
    console = open_console(engine, f"{quiet.url}#/dashboard")
    page = console.page
    page.wait_for_selector("[data-panel=job-trends] pen-chart")
    page.wait_for_selector("[data-panel=api-trends] pen-chart")
    bars = page.evaluate(BARS, ["job-trends", 20, 21])
    page.mouse.move(*bars["from"])
    page.wait_for_selector("[data-panel=job-trends] .tip >> text=complete")
    page.mouse.down()
    page.mouse.move(*bars["to"], steps=3)
    page.mouse.up()
    console.fresh("jobs", "window")
    assert hash_params(console) == {"after": bars["after"], "before": bars["before"]}
    total = quiet.get(f"api/v1/jobs?limit=1&after={bars['after']}&before={bars['before']}")["total"]
    console.until("() => document.querySelector('[data-panel=jobs] .count').innerText.includes('the whole range')")
    assert int(page.get_attribute("[data-panel=jobs] pen-viewport", "count") or 0) == total
    page.go_back()
    page.wait_for_selector("[data-panel=api-trends] pen-chart")
    # By keyboard: the slider says the bar it is at, and Enter opens it.
    bars = page.evaluate(BARS, ["api-trends", 21, 22])
    plot = page.locator("[data-panel=api-trends] .plot")
    plot.focus()
    for key in ("End", "ArrowLeft", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    assert plot.get_attribute("aria-valuenow") == "22"
    page.keyboard.press("Enter")
    console.fresh("activity-apis", "window")
    assert hash_params(console) == {"requests.after": bars["after"], "requests.before": bars["before"]}
    # Hourly becomes daily, in the address too, and stacked by type.
    page.click("[data-panel=job-trends] >> text=Daily")
    page.select_option("[data-panel=job-trends] select", "each")
    console.until("() => document.querySelector('[data-panel=job-trends] .plot')?.ariaLabel.startsWith('Jobs per day over 7 days')")
    assert hash_params(console).items() >= {"trends": "daily", "type": "each"}.items()
    told = quiet.get("api/v1/jobs/trends?hours=168&type=cron")["hourly"]
    assert page.locator("[data-panel=job-trends] tbody tr").count() == 7
    cron = sum(one["complete"] + one["active"] + one["retrying"] + one["failed"] for one in told)
    console.until("(n) => document.querySelector('[data-panel=job-trends] .legend').textContent.includes(`cron ${n}`)", f"{cron:,}")


def test_ten_thousand_rows_are_all_there_and_few_of_them_are_drawn(chromium: Browser, quiet: Server, open_console: Open) -> None:
    """RT-4."""
    newest = utc(quiet.get("api/v1/jobs?limit=1")["jobs"][0]["created_at"]).replace(microsecond=0)
    bounds = {"after": f"{newest - timedelta(hours=12):%Y-%m-%dT%H:%M:%SZ}", "before": f"{newest:%Y-%m-%dT%H:%M:%SZ}"}
    console = open_console(chromium, f"{quiet.url}#/jobs?after={bounds['after']}&before={bounds['before']}")
    page = console.page
    console.fresh("jobs", "window")
    console.until("() => document.querySelector('[data-panel=jobs] .count').innerText.includes('the whole range')", timeout_ms=60_000)
    rows = console.query(["jobs", "window", bounds])["rows"]
    assert len(rows) == quiet.get(f"api/v1/jobs?limit=1&after={bounds['after']}&before={bounds['before']}")["total"] > 10_000
    for share in (0.5, 1.0, 0.0):
        index = round((len(rows) - 1) * share)
        page.evaluate("(share) => scrollTo(0, share * document.documentElement.scrollHeight)", share)
        console.until("(id) => document.querySelector('[data-panel=jobs] tbody').innerText.includes(id)", rows[index]["id"])
        assert page.evaluate(ROWS) < 150
