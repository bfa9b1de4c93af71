"""Turn errors into answers: a code, a sentence without a path of this machine, and the status that fits."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from ocr_worker.errors import FAILURES, InternalError, OcrError
from ocr_worker.server.heads import answers_head
from ocr_worker.server.places import Places
from ocr_worker.store.faults import meaning

log = logging.getLogger(__name__)

KINDS = {"UploadedFile", "NamedFile"}
"""Names of ours for what a file may be, which no client has to know."""

NOTE = "/api/batch/"
"""Endpoints of the design note, which has errors of its own form."""
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_STATUS = {
    "not_found": 404,
    "job_not_found": 404,
    "permission": 403,
    "job_active": 409,
    "changed": 409,
    "language_missing": 409,
    "engine_missing": 409,
    "output_permission": 403,
    "too_large": 413,
    "unsupported_type": 415,
    "timeout": 504,
    "busy": 503,
    "no_space": 507,
}
_STATUS_BY_BLAME = {"input": 422, "caller": 422, "machine": 503, "worker": 500}
_CODES = {
    400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
    408: "timeout", 409: "conflict", 412: "precondition_failed", 413: "too_large", 415: "unsupported_type",
    416: "range", 421: "wrong_host", 422: "invalid_params", 429: "too_many_requests",
}  # fmt: skip


class RefusedError(HTTPException):
    """A request that is refused for what it is as HTTP: a limit, a header, a precondition."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, message, dict(headers or {}))


def refusal(path: str, error: HTTPException) -> JSONResponse:
    """The answer to a request that was refused."""
    code = _CODES.get(error.status_code, "refused")
    return _answer(path, error.status_code, _body(code, str(error.detail)), error.headers)


def add_handlers(app: FastAPI, places: Places) -> None:
    """Have every error of the app answered here."""

    async def ours(request: Request, error: Exception) -> JSONResponse:
        meant = _meaning(error)
        body = _body(meant.code, places.without_paths(meant.message), retryable=meant.retryable)
        headers = {"Retry-After": "1"} if meant.code == "busy" else {}
        if isinstance(meant, InternalError):
            # What nobody foresaw ends the connection: a client that keeps it would ask in vain.
            headers["Connection"] = "close"
        return _answer(request.url.path, status_of(meant), body, headers)

    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        if error.status_code == 405:
            error = HTTPException(
                405, "There is no such method here.", {"Allow": _methods(app, request.scope)}
            )
        return refusal(request.url.path, error)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return _answer(request.url.path, 422, _body("invalid_params", _in_words(error)))

    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    for kind in (OcrError, sqlite3.Error, OSError, Exception):
        app.add_exception_handler(kind, ours)


def _methods(app: FastAPI, scope: Scope) -> str:
    """All that a path knows: the router names those of its first route alone."""
    allowed = {method for method in _METHODS if _is_known(app, {**scope, "method": method})}
    if "GET" in allowed and answers_head(scope["path"]):
        allowed.add("HEAD")
    return ", ".join(sorted(allowed))


def _is_known(app: FastAPI, scope: Scope) -> bool:
    return any(route.matches(scope)[0] is Match.FULL for route in app.routes)


def status_of(error: OcrError) -> int:
    return _STATUS.get(error.code) or _STATUS_BY_BLAME[FAILURES[error.code].blame]


def _meaning(error: Exception) -> OcrError:
    # No place of this machine is named.
    ours = meaning(error, "the service's folder")
    if ours is None or isinstance(error, sqlite3.Error):
        log.error("a request failed", exc_info=error)
    return ours or InternalError("The request failed. The log of the service has the details.")


def _in_words(error: RequestValidationError) -> str:
    """The first thing that is wrong, without what was sent: it may be a password."""
    wrong = error.errors()
    # Of a file by upload or by path both kinds are told of; a field of the other kind says nothing.
    first = next((each for each in wrong if each["type"] not in ("missing", "extra_forbidden")), wrong[0])
    if first["type"] == "json_invalid":
        return f"body: it is no JSON: {first['ctx']['error']}"
    place = ".".join(str(part) for part in first["loc"][1:] if part not in KINDS) or str(first["loc"][0])
    return f"{place}: {first['msg']}"


def _body(code: str, message: str, *, retryable: bool = False) -> dict[str, Any]:
    return {"code": code, "message": message, "retryable": retryable}


def _answer(
    path: str, status: int, body: dict[str, Any], headers: Mapping[str, str] | None = None
) -> JSONResponse:
    if path.startswith(NOTE):
        told = {"success": False, "error": body["message"], "code": body["code"]}
        return JSONResponse(told, status, headers)
    return JSONResponse({"error": body}, status, headers)
