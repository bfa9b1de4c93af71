"""Put the service together: routes, gate, limits, and what it does at its start and end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.types import Message

from ocr_worker import __version__
from ocr_worker.errors import OcrError
from ocr_worker.jobs.runtime import Runtime
from ocr_worker.model.jobs import RESUMABLE
from ocr_worker.model.serving import ServiceOptions
from ocr_worker.server import (
    correct_routes,
    job_routes,
    note_routes,
    page_routes,
    result_routes,
    service_routes,
    upload_routes,
)
from ocr_worker.server.again import Again
from ocr_worker.server.answers import Answers
from ocr_worker.server.bodies import Bodies
from ocr_worker.server.desk import Desk
from ocr_worker.server.entrance import Entrance
from ocr_worker.server.gate import COOKIE, Gate, needs_token
from ocr_worker.server.heads import Heads
from ocr_worker.server.keeping import keep_house
from ocr_worker.server.places import Places
from ocr_worker.server.problems import add_handlers
from ocr_worker.server.streams import event_stream
from ocr_worker.store.job_store import JobStore

log = logging.getLogger(__name__)

ABOUT = """Searchable PDFs, text and word boxes from scans.

`/api/v1` has all that the service can do; `/api/batch` are the eight endpoints of the design note."""

_SCHEMES = {
    "HTTPBearer": {"type": "http", "scheme": "bearer"},
    "APIKeyCookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
}
_ASKED_MOST = (
    ("GET", "/api/v1/jobs"),
    ("GET", "/api/v1/jobs/20260101_000000_00000000"),
    ("GET", "/api/v1/jobs/20260101_000000_00000000/events"),
    ("POST", "/api/v1/uploads"),
    ("PATCH", f"/api/v1/uploads/{32 * '0'}"),
)


def make_api() -> FastAPI:
    """The routes and their document, without anything behind them."""
    api = FastAPI(
        title="OCR Sidecar",
        version=__version__,
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        lifespan=_life,
    )
    for part in (
        job_routes, upload_routes, result_routes, correct_routes, service_routes, note_routes, page_routes,
    ):  # fmt: skip
        # Not by `include_router`, which makes each route anew with its first request, and looks for it twice with each.
        api.router.routes.extend(part.router.routes)

    def document() -> dict[str, Any]:
        if api.openapi_schema is None:
            made = get_openapi(
                title=api.title, version=api.version, description=api.description, routes=api.routes
            )
            made["components"]["schemas"].update(note_routes.SCHEMAS)
            made["components"]["securitySchemes"] = _SCHEMES
            # The gate sees to it before any route does: dependencies would only look once more.
            for path, operations in made["paths"].items():
                for operation in operations.values() if needs_token(path) else ():
                    operation["security"] = [{name: []} for name in _SCHEMES]
            api.openapi_schema = made
        return api.openapi_schema

    api.openapi = document  # type: ignore[method-assign]  # FastAPI's own way
    return api


def make_service(options: ServiceOptions, runtime: Runtime) -> tuple[Again, Desk]:
    """The ASGI app, gate and all, on a runtime that was started. Raises OSError: its folders can't be made."""
    api, places = make_api(), Places(runtime.settings.state_dir, options.roots)
    desk = Desk(options, runtime, places)
    gate = Gate(Entrance(Heads(Answers(Bodies(api, options.limits), desk.moment))), options)
    api.state.desk, api.state.gate = desk, gate
    add_handlers(api, places)
    return Again(gate, desk.moment, gate.may_ask), desk


@contextlib.asynccontextmanager
async def _life(api: FastAPI) -> AsyncIterator[None]:
    desk: Desk = api.state.desk
    await desk.hub.open()
    await _warm_up(api, desk)
    if desk.options.resume:
        await _resume(desk)
    house = asyncio.create_task(keep_house(desk))
    try:
        yield
    finally:
        house.cancel()
        await desk.close()


async def _warm_up(api: FastAPI, desk: Desk) -> None:
    """Ask what is asked most, of nothing that is there: with its first request a route takes so long that others wait."""

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(_: Message) -> None:
        """Nobody hears it."""

    for method, path in _ASKED_MOST:
        scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": []}
        await api(scope, receive, send)
    # Its first of all loads what it is made of.
    event_stream(_nothing(), desk.options.limits)


async def _nothing() -> AsyncGenerator[bytes, None]:
    for event in list[bytes]():
        yield event


async def _resume(desk: Desk) -> None:
    """Go on with jobs of the service that were interrupted when the last one died."""
    await desk.find_interrupted()

    def interrupted(store: JobStore) -> list[str]:
        kept = [store.job(job_id) for job_id in desk.places.orders_kept()]
        return [job.job_id for job in kept if job is not None and job.state in RESUMABLE - {"cancelled"}]

    for job_id in await desk.read(interrupted):
        try:
            await desk.resume(job_id, {})
        except OcrError as error:
            log.warning("job %s does not go on: %s", job_id, error.message)
