"""What a person can ask the server to do, and which endpoint is of which class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from pyapp.core.cache.keys import WritableKey, item, live
from pyapp.core.client import MutationSpec
from pyapp.core.ports import HttpRequest
from pyapp.core.requests.endpoint import EndpointSpec
from pyapp.inventory.queries import ACTIONS, QUERIES


def _post(path: Callable[[Mapping[str, Any]], str]) -> Callable[[Mapping[str, Any]], HttpRequest]:
    return lambda args: HttpRequest("POST", path(args), {"X-Penstock-CSRF": "1"})


def _job_keys(args: Mapping[str, Any]) -> tuple[WritableKey, ...]:
    return (item("jobs", str(args["job_id"])),)


def _functions_key(args: Mapping[str, Any]) -> tuple[WritableKey, ...]:
    return (live("functions"),)


MUTATIONS: tuple[MutationSpec, ...] = (
    MutationSpec("jobs.cancel", _post(lambda args: f"jobs/{quote(str(args['job_id']), safe='')}/cancel"), _job_keys),
    MutationSpec("jobs.retry", _post(lambda args: f"jobs/{quote(str(args['job_id']), safe='')}/retry"), _job_keys),
    MutationSpec("functions.pause", _post(lambda args: f"functions/{quote(str(args['key']), safe='')}/pause"), _functions_key),
    MutationSpec("functions.resume", _post(lambda args: f"functions/{quote(str(args['key']), safe='')}/resume"), _functions_key),
)


def endpoint_specs() -> dict[str, EndpointSpec]:
    """Which endpoint is of which class, by the name under which its requests are sent and counted (RT-65)."""
    specs = {row.endpoint: EndpointSpec(row.endpoint, row.cls) for row in QUERIES}
    return specs | {spec.name: EndpointSpec(spec.name, ACTIONS) for spec in MUTATIONS}


def mutation_specs() -> dict[str, MutationSpec]:
    """What a person can ask the server to do, by name."""
    return {spec.name: spec for spec in MUTATIONS}
