"""The key of a stream: its path below ``/api/v1`` without ``/stream``, with its parameters in canonical form.

Sequence, position and ring belong to a key. Parameters are sorted and defaults dropped, so that however a client spells
its query, it gets the same stream (and ``X-Penstock-Position`` of the matching GET is that stream's). Names in the path
are percent-encoded as in a URL, so no name can be taken for another key or for a query.
"""

from typing import get_args
from urllib.parse import parse_qsl, quote, unquote, urlencode

from pyapp.contract.jobs import JobType

EVENTS = "events"
API_REQUESTS = "apis/events"
APIS = "apis"
WORKERS = "workers"
DEFAULT_TREND_HOURS = 24
MAX_TREND_HOURS = 168


class UnknownStreamError(LookupError):
    """There is no stream of that name; the text says so."""


class ParameterError(ValueError):
    """A parameter of a stream is wrong; the text says which and what would be right."""


def _with(path: str, **params: str | int | None) -> str:
    given = sorted((name, str(value)) for name, value in params.items() if value is not None)
    return f"{path}?{urlencode(given)}" if given else path


def api_requests(api_name: str | None) -> str:
    """Requests of one API, or of all."""
    return _with(API_REQUESTS, api_name=api_name)


def api(name: str) -> str:
    """One API's figures."""
    return f"apis/{quote(name, safe='')}"


def apis_trends(hours: int) -> str:
    """Hourly figures of API requests."""
    return _with("apis/trends", hours=None if hours == DEFAULT_TREND_HOURS else hours)


def jobs_trends(hours: int, function: str | None, job_type: str | None) -> str:
    """Hourly figures of jobs."""
    given = None if hours == DEFAULT_TREND_HOURS else hours
    return _with("jobs/trends", hours=given, function=function, type=job_type)


def artifacts(job_id: str) -> str:
    """The artifacts of a job."""
    return f"jobs/{quote(job_id, safe='')}/artifacts"


def _hours(params: dict[str, str]) -> int:
    text = params.get("hours", str(DEFAULT_TREND_HOURS))
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= MAX_TREND_HOURS):
        raise ParameterError(f"hours must be a whole number from 1 to {MAX_TREND_HOURS}, not {text!r}.")
    return int(text)


def _job_type(params: dict[str, str]) -> str | None:
    given = params.get("type")
    if given is not None and given not in get_args(JobType):
        raise ParameterError(f"type must be one of {', '.join(get_args(JobType))}, not {given!r}.")
    return given


def canonical(given: str) -> str:
    """The key that a client means, however it spells it; parameters that a stream does not have are left out.

    Raises ``UnknownStreamError`` and ``ParameterError``.
    """
    path, _, query = given.partition("?")
    params = dict(parse_qsl(query, keep_blank_values=True))
    match [unquote(part) for part in path.split("/")]:
        case ["events"]:
            return EVENTS
        case ["apis"]:
            return APIS
        case ["workers"]:
            return WORKERS
        case ["apis", "events"]:
            return api_requests(params.get("api_name"))
        case ["apis", "trends"]:
            return apis_trends(_hours(params))
        case ["jobs", "trends"]:
            return jobs_trends(_hours(params), params.get("function"), _job_type(params))
        case ["apis", name] if name:
            return api(name)
        case ["jobs", job_id, "artifacts"] if job_id:
            return artifacts(job_id)
        case _:
            raise UnknownStreamError(f"There is no stream {given!r} here.")
