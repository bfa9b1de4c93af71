"""Files as answers: by range, and again only if they have changed. Links are not followed to where clients may not look."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import sys
from datetime import datetime, timezone
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO, Literal
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ocr_worker.files.regular import open_regular
from ocr_worker.server.heads import HEAD_ONLY
from ocr_worker.server.places import Places
from ocr_worker.server.problems import RefusedError, refusal

BLOCK_BYTES = 2**18
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII | re.IGNORECASE)


class FileAnswer(Response):
    """A file that is open already: what is sent is of one and the same file, whatever happens to its name."""

    def __init__(self, stream: BinaryIO, media_type: str, name: str | None = None) -> None:
        status = os.fstat(stream.fileno())
        super().__init__(media_type=media_type)
        self._stream, self._size = stream, status.st_size
        self.etag: str = f'"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"'
        self.headers["etag"] = self.etag
        # To the second, as the header has it.
        self._changed = datetime.fromtimestamp(int(status.st_mtime), timezone.utc)
        self.headers["last-modified"] = format_datetime(self._changed, usegmt=True)
        self.headers["accept-ranges"] = "bytes"
        self.headers["cache-control"] = "private, no-cache"
        if name is not None:
            self.headers["content-disposition"] = (
                f"attachment; filename*=UTF-8''{quote(plain_name(name), safe='')}"
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._stream:
            headers, first, last = Headers(scope=scope), 0, self._size - 1
            if not self._is_still_meant(headers):
                other = RefusedError(412, "The file is another one by now.")
                await refusal(scope["path"], other)(scope, receive, send)
                return
            if self._is_there_already(headers):
                self.status_code = 304
                del self.headers["content-length"]
                await self._send(send, 0, -1, head_only=True)
                return
            if "range" in headers and headers.get("if-range", self.etag) in (
                self.etag,
                self.headers["last-modified"],
            ):
                asked = _asked_range(headers["range"], self._size)
                if isinstance(asked, str):
                    gone = RefusedError(
                        416, "The file has no such range.", {"Content-Range": f"bytes */{self._size}"}
                    )
                    await refusal(scope["path"], gone)(scope, receive, send)
                    return
                if asked is not None:
                    first, last = asked
                    self.status_code = 206
                    self.headers["content-range"] = f"bytes {first}-{last}/{self._size}"
            self.headers["content-length"] = str(last - first + 1)
            await self._send(send, first, last, head_only=HEAD_ONLY in scope)

    def _is_still_meant(self, headers: Headers) -> bool:
        """What is to happen only to the file that the client knows; tags are compared strongly."""
        if "if-match" in headers:
            return self.etag in (tags := _tags(headers, "if-match")) or tags == ["*"]
        since = _moment(headers.get("if-unmodified-since"))
        return since is None or self._changed <= since

    def _is_there_already(self, headers: Headers) -> bool:
        """Whether the client has the file as it is."""
        if "if-none-match" in headers:
            tags = [tag.removeprefix("W/") for tag in _tags(headers, "if-none-match")]
            return self.etag in tags or tags == ["*"]
        since = _moment(headers.get("if-modified-since"))
        return since is not None and self._changed <= since

    async def _send(self, send: Send, first: int, last: int, *, head_only: bool) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        at, end = first, first if head_only else last + 1
        while at < end:
            block = await asyncio.to_thread(self._read, at, min(BLOCK_BYTES, end - at))
            if not block:
                raise OSError(errno.EIO, "the file was cut short while it was sent")
            at += len(block)
            await send({"type": "http.response.body", "body": block, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _read(self, at: int, size: int) -> bytes:
        self._stream.seek(at)
        return self._stream.read(size)


def plain_name(name: str) -> str:
    """A file's name as any client can have it: bytes that are not UTF-8 as `%FF`."""
    return "".join(f"%{ord(c) - 0xDC00:02X}" if "\udc80" <= c <= "\udcff" else c for c in name)


def open_for_clients(places: Places, path: Path) -> BinaryIO:
    """Open a file that clients may have. Raises RefusedError."""
    if not places.is_open(path):
        raise RefusedError(403, "The file lies outside of the folders that this service may show.")
    try:
        stream = open_regular(path)
    except OSError as error:
        raise RefusedError(404, f"{path.name} is not there any more.") from error
    if sys.platform == "linux" and not places.is_open(Path(f"/proc/self/fd/{stream.fileno()}")):
        # Somebody put a link there in between.
        stream.close()
        raise RefusedError(403, "The file lies outside of the folders that this service may show.")
    return stream


def _tags(headers: Headers, name: str) -> list[str]:
    """Of a list, which may come in several lines."""
    return [tag.strip() for line in headers.getlist(name) for tag in line.split(",")]


def _moment(date: str | None) -> datetime | None:
    """None for what is no date by HTTP: it has no meaning."""
    try:
        found = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return found if found.tzinfo else None


def _asked_range(header: str, size: int) -> tuple[int, int] | Literal["unsatisfiable"] | None:
    """The range; None where the whole file is meant, as of several ranges or other units."""
    found = _RANGE.fullmatch(header.strip())
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        begin, end = max(0, size - int(last)), size - 1
    else:
        begin, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < begin:
            return None
    return (begin, end) if begin <= end else "unsatisfiable"
