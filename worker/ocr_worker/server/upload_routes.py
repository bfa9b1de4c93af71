"""/api/v1/uploads: files come by the protocol tus 1.0, so that an upload that breaks off goes on where it was."""

from __future__ import annotations

import base64
import binascii
from email.utils import formatdate
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi import Path as InPath

from ocr_worker.server import wire
from ocr_worker.server.desk import Desk
from ocr_worker.server.keeping import make_room, unused_seconds
from ocr_worker.server.problems import RefusedError
from ocr_worker.server.shared import REFUSALS, DeskOf
from ocr_worker.server.uploads import Upload

router = APIRouter(prefix="/api/v1/uploads", tags=["uploads"], responses=REFUSALS)

VERSION = "1.0.0"
CONTENT = "application/offset+octet-stream"
UploadId = Annotated[str, InPath(pattern=wire.UPLOAD_ID)]
Resumable = Annotated[str | None, Header(include_in_schema=False)]
_OFFSETS: dict[str, Any] = {
    "Upload-Offset": {"schema": {"type": "integer"}, "description": "Bytes that have come."},
    "Tus-Resumable": {"schema": {"type": "string"}},
    "Upload-Expires": {"schema": {"type": "string"}, "description": "When it goes if no job has it by then."},
}


@router.options("", status_code=204)
async def uploads_offered(desk: DeskOf, response: Response) -> None:
    """What of tus is spoken."""
    _speak(response)
    response.headers["Tus-Version"] = VERSION
    response.headers["Tus-Extension"] = "creation,termination,expiration"
    response.headers["Tus-Max-Size"] = str(desk.options.limits.upload_bytes)


@router.post(
    "", status_code=201, responses={201: {"headers": _OFFSETS, "description": "The upload can begin."}}
)
async def create_upload(
    desk: DeskOf,
    response: Response,
    upload_length: Annotated[int, Header(ge=0, le=2**40)],
    upload_metadata: Annotated[str | None, Header(max_length=4096, pattern=r"^[ -~]*$")] = None,
    tus_resumable: Resumable = None,
) -> wire.Upload:
    """Announce a file; its name is `filename` of the metadata. Then send its bytes by PATCH."""
    _require_version(tus_resumable)
    if not desk.uploads.has_room(upload_length):
        await make_room(desk, upload_length)
    upload = desk.uploads.create(_name(upload_metadata or ""), upload_length)
    _speak_of(upload, desk, response)
    response.headers["Location"] = f"/api/v1/uploads/{upload.upload_id}"
    return _told(upload)


@router.get("/{upload_id}")
async def show_upload(upload_id: UploadId, desk: DeskOf) -> wire.Upload:
    """How much of a file has come."""
    return _told(desk.uploads.find(upload_id))


@router.head(
    "/{upload_id}",
    response_class=Response,
    responses={200: {"headers": _OFFSETS, "description": "Where to go on."}},
)
async def upload_offset(upload_id: UploadId, desk: DeskOf) -> Response:
    """Where an upload goes on."""
    upload, response = desk.uploads.find(upload_id), Response()
    _speak_of(upload, desk, response)
    response.headers["Upload-Length"] = str(upload.size)
    return response


@router.patch(
    "/{upload_id}",
    status_code=204,
    responses={204: {"headers": _OFFSETS, "description": "The bytes are kept."}},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {CONTENT: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def append_to_upload(
    upload_id: UploadId,
    desk: DeskOf,
    request: Request,
    upload_offset: Annotated[int, Header(ge=0, le=2**40)],
    tus_resumable: Resumable = None,
) -> Response:
    """Send the bytes from an offset on. What has come is kept, even if the connection breaks."""
    _require_version(tus_resumable)
    upload = desk.uploads.find(upload_id)
    if request.headers.get("content-type", "").partition(";")[0].strip() != CONTENT:
        raise RefusedError(415, f"Content-Type must be {CONTENT}.")
    response = Response(status_code=204)
    _speak_of(await desk.uploads.append(upload, upload_offset, request.stream()), desk, response)
    return response


@router.delete("/{upload_id}", status_code=204)
async def delete_upload(upload_id: UploadId, desk: DeskOf, response: Response) -> None:
    """Remove an upload; a job that has not read it yet will not find it."""
    desk.uploads.remove(desk.uploads.find(upload_id).upload_id)
    _speak(response)


def _require_version(given: str | None) -> None:
    if given not in (None, VERSION):
        raise RefusedError(412, f"This service speaks tus {VERSION}.", {"Tus-Version": VERSION})


def _speak(response: Response) -> None:
    response.headers["Tus-Resumable"] = VERSION
    response.headers["Cache-Control"] = "no-store"


def _speak_of(upload: Upload, desk: Desk, response: Response) -> None:
    _speak(response)
    response.headers["Upload-Offset"] = str(upload.offset)
    response.headers["Upload-Expires"] = formatdate(
        upload.made_at + unused_seconds(desk.options.limits), usegmt=True
    )


def _told(upload: Upload) -> wire.Upload:
    return wire.Upload(
        upload=upload.upload_id,
        name=upload.name,
        size=upload.size,
        offset=upload.offset,
        complete=upload.is_complete,
    )


def _name(metadata: str) -> str:
    """`filename` of `Upload-Metadata`: pairs with commas between, values in base64."""
    for pair in metadata.split(","):
        key, _, value = pair.strip().partition(" ")
        if key == "filename":
            try:
                return base64.b64decode(value, validate=True).decode("utf-8")
            except (binascii.Error, UnicodeDecodeError) as error:
                raise RefusedError(422, "Upload-Metadata: filename is no UTF-8 in base64.") from error
    return "file"
