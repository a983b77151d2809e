"""The key of a stream: its path below ``/api/v1`` without ``/stream``, with its parameters in canonical form.

Sequence, position and ring belong to a key. Parameters are sorted and defaults dropped, so that however a client spells
its query, it gets the same stream (and ``X-Penstock-Position`` of the matching GET is that stream's).
"""

from urllib.parse import urlencode

EVENTS = "events"
API_REQUESTS = "apis/events"
APIS = "apis"
WORKERS = "workers"
DEFAULT_TREND_HOURS = 24


def _with(path: str, **params: str | int | None) -> str:
    given = sorted((name, str(value)) for name, value in params.items() if value is not None)
    return f"{path}?{urlencode(given)}" if given else path


def api_requests(api_name: str | None) -> str:
    """Requests of one API, or of all."""
    return _with(API_REQUESTS, api_name=api_name)


def api(name: str) -> str:
    """One API's figures."""
    return f"apis/{name}"


def apis_trends(hours: int) -> str:
    """Hourly figures of API requests."""
    return _with("apis/trends", hours=None if hours == DEFAULT_TREND_HOURS else hours)


def jobs_trends(hours: int, function: str | None, job_type: str | None) -> str:
    """Hourly figures of jobs."""
    given = None if hours == DEFAULT_TREND_HOURS else hours
    return _with("jobs/trends", hours=given, function=function, type=job_type)


def artifacts(job_id: str) -> str:
    """The artifacts of a job."""
    return f"jobs/{job_id}/artifacts"
