"""The page of the benchmarks, in place of the console's main.py: real client, inventory, reducers and renderer, one live table."""

# pyright: basic

import json
import random
from time import perf_counter

from pyapp.browser.host import Host
from pyapp.browser.javascript import create_proxy, js
from pyapp.core.client import Client, aggregate, live
from pyapp.core.ports import HttpRequest
from pyapp.inventory import endpoint_specs, mutation_specs, query_specs, stream_specs
from pyapp.pages import formats
from pyapp.pages.jobs_table import _duration, _when
from pyapp.reducers import REDUCERS
from pyapp.ui import each, html
from pyapp.ui.components.marks import status
from pyapp.ui.encode import Encoder

JOBS = live("jobs")
COLUMNS = ("Status", "Function", "Job", "Attempt", "Worker", "Duration", "Age")
COUNTS = ("received", "applied", "coalesced", "dropped", "invalid", "old", "ignored", "waiting", "overflows")


def row(job):
    tries = f"{job.attempts}/{max(job.attempts, job.max_retries + 1)}"
    return html(
        t'<tr><td>{status(job.status)}</td><td><bdi class="fn" title={job.function}>{job.function_name}</bdi></td>'
        t'<td><span class="mono">{job.id}</span></td><td class="num">{tries}</td>'
        t'<td><span class="mono">{job.worker_id or formats.NONE}</span></td>'
        t'<td class="num">{_duration(job, live=True)}</td>{_when(job, live=True)}</tr>'
    )


def table(jobs):
    heads = tuple(html(t'<th scope="col">{word}</th>') for word in COLUMNS)
    rows = each(jobs, key=lambda job: job.id, render=row, recycle=True)  # as the console's live lists do
    return html(
        t'<section class="panel listing"><table class="tight"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></section>'
    )


class Page:
    """One table."""

    def __init__(self, host):
        self.host = host
        self.encoder = Encoder()
        self.rows = None
        self.drawn = None
        self.spent = {}
        self.client = Client(
            clock=host.clock,
            sources=host.sources,
            http=host.http,
            visibility=host.visibility,
            random=random.Random(),
            queries=query_specs(REDUCERS),
            streams=stream_specs(),
            mutations=mutation_specs(),
            endpoints=endpoint_specs(),
            protocol=host.protocol,
            multiplexed=True,  # as the console is at a server that has it
            headers={"X-Penstock-Client": "bench"},
            on_error=lambda error: host.log(f"{type(error).__name__}: {error}"),
        )
        for name in ("_collect", "_deliver", "_notify", "_draw"):
            self.timed(self.client._beat, name, name[1:])
        if "where" in str(js.location.search):
            self.measure_parts()
        host.connect(lambda text: None)
        self.client.on_paint(self.draw)
        self.client.use_query(JOBS, self.show)
        host.booted()

    def show(self, result):
        if result.data is not None:
            self.rows = result.data.rows
        if result.freshness.state == "live":
            js.globalThis.benchReady = True

    def draw(self):
        if self.rows is self.drawn:
            return False
        self.drawn = self.rows
        self.encoder.report(self.host.paint(self.encoder.paint({"shell": table(self.rows)})))
        return True

    def statistics(self):
        every = self.client.statistics()
        inbox = every.streams[0].counts if every.streams else None
        return json.dumps(
            {
                "inbox": {name: getattr(inbox, name) for name in COUNTS},
                "gaps": every.streams[0].gaps,
                "beats": every.beat.beats,
                "slices": every.beat.slices,
                "over": every.beat.over,
                "paints": every.beat.paints,
                "longest_ms": round(every.beat.longest_ms, 1),
                "errors": [*every.errors, *(error.details for error in self.encoder.errors)],
                "spent_ms": {name: round(ms, 1) for name, ms in self.spent.items()},
            }
        )

    # Where the time goes ----------------------------------------------------------------------------------------------------

    def measure_parts(self):
        """Time the steps of a beat; what is inside another is counted in both."""
        client = self.client
        self.timed(self.host.sources, "drain", "drain (bridge)")
        self.timed(client._beat, "_run", "beat")
        from pyapp.core.streams.decode import Decoder
        from pyapp.core.streams.inbox import Inbox

        self.timed(Decoder, "decode", "validate")
        self.timed(Inbox, "put", "inbox put")
        self.timed(Inbox, "take", "inbox take")
        self.timed(Inbox, "_decode", "inbox decode")
        self.timed(Inbox, "_coalesce", "inbox coalesce")
        self.timed(client._feeds, "stream_delivered", "feeds")
        self.timed(client._feeds, "_apply", "reduce")
        self.timed(client._cache, "flush", "flush")
        self.timed(self.encoder, "paint", "encode")
        self.timed(self.host, "paint", "lit")

    def timed(self, owner, name, label):
        call = getattr(owner, name)
        spent = self.spent
        spent[label] = 0.0

        def measured(*args):
            began = perf_counter()
            try:
                return call(*args)
            finally:
                spent[label] += (perf_counter() - began) * 1000

        try:
            setattr(owner, name, measured)
        except AttributeError:  # slots
            del spent[label]

    # Requests and kept answers ---------------------------------------------------------------------------------------------

    def observe(self, count):
        """Ten components that need four endpoints."""
        keys = (live("workers"), live("functions"), live("apis"), aggregate("jobs.stats"))
        for number in range(count):
            self.client.use_query(keys[number % len(keys)], lambda result: None)

    def kept(self, times):
        """Microseconds to read what is known: by `peek`, and by a new observer until it has been told and has left."""
        client = self.client
        began = perf_counter()
        for _ in range(times):
            client.peek(JOBS)
        peek = (perf_counter() - began) / times * 1e6
        told = []
        began = perf_counter()
        for _ in range(times):
            observer = client.use_query(JOBS, told.append)
            client.now()
            observer.close()
        observed = (perf_counter() - began) / times * 1e6
        assert len(told) == times
        assert all(result.has_data for result in told)
        return json.dumps({"peek_us": peek, "observe_us": observed})

    def ask(self, times):
        """Microseconds to read an answer of the last moment through the coordinator, until it is told."""
        requests, request = self.client._requests, HttpRequest("GET", "workers")
        told = []

        def answered(outcome):
            began = perf_counter()
            for _ in range(times):
                requests.send("workers", request, told.append)
            requests._tellings.tell_all()
            spent = (perf_counter() - began) / times * 1e6
            assert len(told) == times
            js.globalThis.benchAsked = json.dumps({"coordinator_us": spent})

        js.globalThis.benchAsked = ""
        requests.send("workers", request, answered, by_user=True)


def started():
    host = Host(lambda error: js.console.error(f"{type(error).__name__}: {error}"))
    page = Page(host)
    js.globalThis.benchStatistics = create_proxy(page.statistics)
    js.globalThis.benchObserve = create_proxy(page.observe)
    js.globalThis.benchKept = create_proxy(page.kept)
    js.globalThis.benchAsk = create_proxy(page.ask)


started()
