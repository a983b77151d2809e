"""How each event changes which data: pure functions, one module per family, and the table of them."""

from __future__ import annotations

from pyapp.inventory import Reduce
from pyapp.reducers.jobs import reduce_jobs
from pyapp.reducers.requests import reduce_requests
from pyapp.reducers.snapshots import reduce_apis, reduce_trends, reduce_workers

REDUCERS: dict[str, Reduce] = {
    "jobs": reduce_jobs,
    "requests": reduce_requests,
    "workers": reduce_workers,
    "apis": reduce_apis,
    "jobs.trends": reduce_trends,
    "apis.trends": reduce_trends,
}
"""By family."""
