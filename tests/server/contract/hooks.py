"""What schemathesis has to know of this service: `make contract` loads it.

No document can say which jobs, uploads, files, engines and languages a machine has. Where a request names one that could
be there, it names one that is; what is no such name stays as it is, and so does every second path.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import httpx
import schemathesis

from ocr_worker.server import wire
from tests.limits import HANG_SECONDS
from tests.server.contract.kept import KEPT_JOB, NAMED, SERVICE, TOKEN
from tests.server.service import TUS, append, upload

STARTS = {"POST /api/v1/jobs", "POST /api/batch/start"}
PICTURE = b"P5 1 1 255\n\0"

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """A header that a service does not know is no violation of anything."""
    return "x-schemathesis-unknown-property" not in (case.headers or {})


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Have requests find what they ask for; those that follow links of answers do already."""
    if not _follows_links(case):
        _name_what_is_there(case)
    if isinstance(case.body, dict):
        # An upload of its own, as the end of a job is that of its uploads.
        case.body = _known(case.body, cache(_uploaded))
    # What was valid still is, and what was not still is not; schemathesis would find the files of a form to be no strings.
    case._record_starting_state()


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Have no request wait for jobs of ten thousand files that nobody asks for again."""
    if case.operation.label in STARTS and response.status_code in (200, 201) and not _follows_links(case):
        told = response.json()
        _cancel(told.get("job_id") or told["jobId"])


def _follows_links(case: Any) -> bool:
    return case.meta is not None and case.meta.phase.name.value == "stateful"


def _name_what_is_there(case: Any) -> None:
    place = case.path_parameters or {}
    if re.fullmatch(wire.JOB_ID, str(place.get("job_id"))):
        place["job_id"] = _ended() if case.method == "DELETE" else os.environ[KEPT_JOB]
        for name in place.keys() & {"number", "page"}:
            number = str(place[name])
            if number.isdecimal() and int(number) <= 10**9 and int(number) % 2:
                place[name] = 1
    if re.fullmatch(wire.UPLOAD_ID, str(place.get("upload_id"))):
        place["upload_id"] = _begun() if case.method == "PATCH" else _uploaded()
        offset = str((case.headers or {}).get("Upload-Offset"))
        if offset.isdecimal() and int(offset) <= 2**40:
            case.headers["Upload-Offset"] = str(len(PICTURE))


def _known(part: Any, own_upload: Callable[[], str], name: str = "") -> Any:
    if isinstance(part, dict):
        return {key: _known(value, own_upload, key) for key, value in part.items()}
    if isinstance(part, list):
        return [_known(value, own_upload, name) for value in part]
    if not isinstance(part, str):
        return part
    if name == "upload":
        return own_upload() if re.fullmatch(wire.UPLOAD_ID, part) else part
    could_be, known = _KNOWN.get(name, (None, part))
    return known if could_be is None or could_be(part) else part


def _uploaded() -> str:
    return upload(_client(), NAMED, PICTURE)


def _begun() -> str:
    """An upload to which more can be sent."""
    made = _client().post("/api/v1/uploads", headers={**TUS, "Upload-Length": str(2**20)})
    append(_client(), made.headers["location"], 0, PICTURE)
    return str(made.json()["upload"])


def _ended() -> str:
    """A job that can be deleted."""
    made = _client().post("/api/v1/jobs", json={"files": [{"path": NAMED}]})
    job_id = str(made.json()["job_id"])
    _cancel(job_id)
    return job_id


def _cancel(job_id: str) -> None:
    _client().post(f"/api/v1/jobs/{job_id}/cancel").raise_for_status()


@cache
def _client() -> httpx.Client:
    return httpx.Client(
        base_url=os.environ[SERVICE], headers={"Authorization": f"Bearer {TOKEN}"}, timeout=HANG_SECONDS
    )


def _is_every_second_path(text: str) -> bool:
    return len(text) % 2 == 1 and len(text) <= 4096 and "\0" not in text


def _is_language(text: str) -> bool:
    return len(text) <= 64 and re.fullmatch(r"(script/)?[A-Za-z][A-Za-z0-9_-]*", text) is not None


_KNOWN: dict[str, tuple[Callable[[str], Any], str]] = {
    "engine": (re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}").fullmatch, "auto"),
    "languages": (_is_language, "eng"),
    "path": (_is_every_second_path, NAMED),
    "files": (_is_every_second_path, NAMED),
}
