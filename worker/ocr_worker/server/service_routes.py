"""/api/v1: the service itself. Health, metrics, languages, and the cookie that a browser gets for the token."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response
from starlette.responses import PlainTextResponse

from ocr_worker import __version__
from ocr_worker.jobs.capabilities import capabilities, rss_bytes
from ocr_worker.jobs.service import JobService
from ocr_worker.model.jobs import JobState
from ocr_worker.server import wire
from ocr_worker.server.gate import COOKIE, Gate
from ocr_worker.server.shared import REFUSALS, DeskOf
from ocr_worker.store.job_store import JobStore

router = APIRouter(prefix="/api/v1", tags=["service"], responses=REFUSALS)

STATES: tuple[JobState, ...] = (
    "queued", "running", "paused", "completed", "cancelled", "stopped", "interrupted", "failed",
)  # fmt: skip

_MEANINGS = {
    "ocr_jobs_waiting": "Jobs of this service that wait for their turn.",
    "ocr_page_processes_resident_bytes": "Memory of the page processes.",
    "ocr_pages_per_second": "Pages a second, as they were measured last.",
    "ocr_resident_bytes": "Memory of the service, without its page processes.",
    "ocr_start_time_seconds": "When the service started, in seconds since the epoch.",
    "ocr_watchers": "Clients that watch the events of a job.",
    "ocr_kept_bytes": "Uploads and results that the service keeps, as they were counted last.",
}


@router.get("/health")
async def health(desk: DeskOf) -> wire.Health:
    """Whether the service answers and its runtime lives. Needs no token."""
    state = await desk.order(lambda service: service.state)
    return wire.Health(
        status="ok",
        version=__version__,
        state=state,
        token_needed=desk.options.token is not None,
        paths_taken=bool(desk.places.roots),
    )


@router.post("/session", status_code=204)
async def log_in(login: wire.Login, request: Request, response: Response) -> None:
    """Give a browser a cookie for the token, which also works for events and downloads."""
    gate: Gate = request.app.state.gate
    if gate.token is None:
        return
    gate.require_word(request.client.host if request.client else "", given=gate.token.is_word(login.token))
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, gate.token.cookie, httponly=True, samesite="strict", secure=secure, path="/")


@router.delete("/session", status_code=204)
async def log_out(response: Response) -> None:
    """Take the cookie back."""
    response.delete_cookie(COOKIE, path="/")


@router.get("/languages")
async def languages(desk: DeskOf) -> wire.Languages:
    """Languages and engines that are installed."""
    own = await asyncio.to_thread(capabilities, desk.runtime.settings)
    engines = [wire.Engine(name=name, version=version) for name, version in own.engines]
    return wire.Languages(languages=list(own.languages), engines=engines)


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "The figures."}
    },
)
async def metrics(desk: DeskOf) -> PlainTextResponse:
    """Figures for Prometheus."""

    def counts(store: JobStore) -> dict[str, int]:
        return {state: store.job_count(state) for state in STATES}

    def own(service: JobService) -> dict[str, float]:
        return {
            "ocr_jobs_waiting": service.queued,
            "ocr_page_processes_resident_bytes": service.pool.rss_bytes(),
            "ocr_pages_per_second": service.store.measured_rate() or 0.0,
        }

    jobs, gauges = await desk.read(counts), await desk.order(own)
    gauges |= {
        "ocr_resident_bytes": rss_bytes(),
        "ocr_start_time_seconds": round(desk.started, 3),
        "ocr_watchers": desk.hub.watchers,
        "ocr_kept_bytes": desk.uploads.kept_bytes,
    }
    lines = _about("ocr_jobs", "gauge", "Jobs by state.")
    lines += [f'ocr_jobs{{state="{state}"}} {count}' for state, count in jobs.items()]
    lines += _about(
        "ocr_files_ended_total", "counter", "Files of this service that have ended since its start."
    )
    lines.append(f"ocr_files_ended_total {desk.hub.files_ended}")
    for name, value in gauges.items():
        lines += [*_about(name, "gauge", _MEANINGS[name]), f"{name} {value}"]
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


def _about(name: str, kind: str, meaning: str) -> list[str]:
    return [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
