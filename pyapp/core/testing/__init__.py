"""Fakes of every port and a clock that a test moves, shipped with the package for other applications' tests; not put into the site.

    clock, sources, http, page = VirtualClock(), FakeSources(), FakeHttp(), FakeVisibility()
    client = Client(clock=clock, sources=sources, http=http, visibility=page, random=random.Random(1), queries=…, streams=…)
    seen = []
    client.use_query(live("jobs"), seen.append)
    clock.settle()                                   # what is due now, and one beat
    http.take("jobs").reply({"jobs": [], "total": 0})
    sources.accept("events/stream")                  # the socket opens …
    sources.say("events/stream", {"type": "job.started", …})
    clock.settle()
    page.set(hidden=True)
    clock.advance(10_000)                            # … and is closed, because nobody looks
    assert sources.open_urls == {}

`ScriptedServer` (its module has an example of its own) is a server behind these fakes, for tests that care for the outcome and not for
single requests.
"""

from pyapp.core.testing.fakes import FakeHttp, FakeLifecycle, FakeNetwork, FakeSources, FakeVisibility, Pending
from pyapp.core.testing.server import ScriptedServer
from pyapp.core.testing.virtual import VirtualClock

__all__ = [
    "FakeHttp",
    "FakeLifecycle",
    "FakeNetwork",
    "FakeSources",
    "FakeVisibility",
    "Pending",
    "ScriptedServer",
    "VirtualClock",
]
