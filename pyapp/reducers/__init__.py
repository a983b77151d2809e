"""How each event changes which data: pure functions, one module per family, and the table of them."""

from __future__ import annotations

from pyapp.inventory import Reduce
from pyapp.reducers.artifacts import reduce_artifacts
from pyapp.reducers.jobs import reduce_jobs
from pyapp.reducers.requests import reduce_requests
from pyapp.reducers.snapshots import reduce_apis, reduce_trends, reduce_workers
from pyapp.reducers.timeline import reduce_timeline

REDUCERS: dict[str, Reduce] = {
    "jobs": reduce_jobs,
    "timeline": reduce_timeline,
    "artifacts": reduce_artifacts,
    "requests": reduce_requests,
    "workers": reduce_workers,
    "apis": reduce_apis,
    "jobs.trends": reduce_trends,
    "apis.trends": reduce_trends,
}
"""By family."""
