"""The composition root: builds the parts, mounts routes and middleware, starts and stops in order."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from . import VERSION
from .context import Context
from .faults import Faults
from .figures import Figures
from .guard import Guard
from .hub import Hub
from .journal import Journal
from .limits import StreamLimiter
from .routes import artifacts, fleet, functions, jobs, meta, multiplexed, streams, testing
from .settings import Settings
from .site import Site
from .sources.base import Source
from .store.database import Database
from .tree import archive_maker

PREFIX = "/api/v1"


def build(settings: Settings) -> tuple[ASGIApp, Context]:
    """The application (its lifespan starts and stops everything) and its parts."""
    keeps = settings.source == "local"  # the others make their history again at every start
    path = settings.data / f"{settings.source}.sqlite3"
    database = Database(path, durable=keeps, fresh=not keeps)
    # A part-A server sends a snapshot per change; what changes while one is made is in the next.
    plain = settings.contract == "a"
    hub = Hub(database, replace(settings.times, snapshot_interval_s=0.0) if plain else settings.times)
    journal = Journal(database, hub)
    source = _source(settings, database, journal)
    faults = Faults()
    context = Context(settings, database, hub, journal, faults, StreamLimiter(settings.limits), source)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        hub.start()
        journal.start()
        await source.start()
        try:
            yield
        finally:
            hub.say_bye("shutdown")
            await source.stop()
            await journal.stop()
            await hub.stop()
            database.close()

    api = FastAPI(title="Penstock", version=VERSION, lifespan=lifespan, docs_url=None, redoc_url=None)
    api.state.context = context
    # Fixed paths before dynamic ones: no stream may be taken for a job or an API of that name.
    own = () if plain else (multiplexed.router,)
    for router in (streams.router, *own, meta.router, artifacts.router, jobs.router, functions.router, fleet.router):
        api.include_router(router, prefix=PREFIX)
    api.include_router(meta.outside)
    if settings.faults:
        api.include_router(testing.router)
    api.add_route(PREFIX + "/{rest:path}", _unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    api.mount("/", Site(settings.site, settings.allowed_origins, archive_maker() if settings.dev else None))
    inner: ASGIApp = api
    if settings.source == "local":
        inner = Figures(api, journal.record)
    return Guard(inner, settings, faults), context


async def _unknown(request: Request) -> Response:
    return JSONResponse({"detail": f"There is no {request.url.path} here."}, 404)


def _source(settings: Settings, database: Database, journal: Journal) -> Source:
    """The source that the settings name; imported only when wanted."""
    if settings.source == "sim":
        from .sources.sim import Simulator

        return Simulator(database, journal, settings)
    if settings.source == "replay":
        from .sources.replay import Replay

        assert settings.replay_dir is not None
        return Replay(settings.replay_dir, database, journal)
    from .sources.local.source import LocalSource

    return LocalSource(settings, database, journal)
