from typing import Any, Literal

from pydantic import BaseModel
from pyscript import document

from pyapp.browser.connect import connect
from pyapp.core.client import Result, live
from pyapp.core.declare import snapshots
from pyapp.ui import html, to_html


class Worker(BaseModel, frozen=True):
    name: str
    instance_count: int
    concurrency: int


class Workers(BaseModel, frozen=True):
    workers: tuple[Worker, ...]


class Snapshot(BaseModel, frozen=True):
    type: Literal["workers.snapshot"]
    workers: Workers


def show(result: Result[Workers]) -> None:
    rows = result.data.workers if result.data is not None else ()
    body = [html(t"<tr><td>{row.name}</td><td>{row.instance_count}</td><td>{row.concurrency}</td></tr>") for row in rows]
    table = html(t"<table><tr><th>Worker</th><th>Instances</th><th>Slots</th></tr>{body}</table>")
    document.querySelector("#table").innerHTML = to_html(table)
    mark: Any = document.querySelector("#mark")
    mark.textContent = mark.dataset.state = str(result.freshness.state)


client = connect(snapshots("workers", "workers", Workers, "workers/stream", Snapshot, lambda event: event.workers))
client.use_query(live("workers"), show)
