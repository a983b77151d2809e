"""The inventory: every stream, query, action and view, one table each, from which the rest of the application is made.

The router's first requests, the feeds, the stream manager and `docs/streams.md` come from here (`python docs/streams.py`); the server's
route test asks for every path of it. A row says what a thing is; how an event changes data is in `reducers/`.
"""

from pyapp.inventory.actions import MUTATIONS, endpoint_specs, mutation_specs
from pyapp.inventory.queries import QUERIES, QueryRow, Reduce, query_specs
from pyapp.inventory.streams import STREAMS, TREND_HOURS, StreamRow, stream_specs
from pyapp.inventory.views import GLOBAL_STREAMS, VIEWS, ViewRow, boot_keys, boot_requests, request_of

__all__ = [
    "GLOBAL_STREAMS",
    "MUTATIONS",
    "QUERIES",
    "STREAMS",
    "TREND_HOURS",
    "VIEWS",
    "QueryRow",
    "Reduce",
    "StreamRow",
    "ViewRow",
    "boot_keys",
    "boot_requests",
    "endpoint_specs",
    "mutation_specs",
    "query_specs",
    "request_of",
    "stream_specs",
]
