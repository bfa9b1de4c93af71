"""Forms with files: each file goes to disk as it comes, never into memory."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import Headers
from starlette.requests import Request

from ocr_worker.server.problems import RefusedError
from ocr_worker.server.uploads import Upload, Uploads

MOST_FIELD_BYTES = 2**20
LONGEST_BOUNDARY = 70
"""By RFC 2046."""


@dataclass(slots=True)
class Form:
    fields: dict[str, str] = field(default_factory=dict)
    uploads: list[Upload] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Head:
    """A part begins."""

    name: str
    file_name: str | None


class _End:
    """A part ends."""


def is_form(headers: Headers) -> bool:
    """Whether the body of a request is a form."""
    return headers.get("content-type", "").lower().startswith("multipart/")


async def read_form(request: Request, uploads: Uploads, most_files: int) -> Form:
    """Read a form; its files are uploads by then. Those of a form that is refused are removed. Raises RefusedError."""
    form, parts = Form(), _Parts(request)
    try:
        async for head in parts.heads():
            if head.file_name is None:
                form.fields[head.name] = await _text(parts)
            else:
                _require_room(form, most_files)
                form.uploads.append(await uploads.receive(head.file_name, parts.content()))
    except BaseException:
        for upload in form.uploads:
            uploads.remove(upload.upload_id)
        raise
    return form


def _require_room(form: Form, most_files: int) -> None:
    if len(form.uploads) >= most_files:
        raise RefusedError(413, f"A form may have {most_files:,} files at most.")


async def _text(parts: _Parts) -> str:
    held = bytearray()
    async for block in parts.content():
        held += block
        if len(held) > MOST_FIELD_BYTES:
            raise RefusedError(413, "A field of the form is too long.")
    return held.decode("utf-8", "replace")


class _Parts:
    """The parts of a form, in order."""

    def __init__(self, request: Request) -> None:
        kind, options = parse_options_header(request.headers.get("content-type"))
        if kind != b"multipart/form-data" or not 0 < len(options.get(b"boundary", b"")) <= LONGEST_BOUNDARY:
            raise RefusedError(415, "Send JSON, or a form as multipart/form-data with a boundary.")
        self._blocks = request.stream()
        self._news = deque[_Head | _End | bytes]()
        self._headers: dict[bytes, bytes] = {}
        self._header, self._value = b"", b""
        self._ended = False
        self._parser = MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": self._on_header,
                "on_header_value": self._on_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers,
                "on_part_data": lambda block, start, end: self._news.append(block[start:end]),
                "on_part_end": lambda: self._news.append(_End()),
                "on_end": self._on_end,
            },
        )

    async def heads(self) -> AsyncIterator[_Head]:
        while (news := await self._next()) is not None:
            if isinstance(news, _Head):
                yield news

    async def content(self) -> AsyncIterator[bytes]:
        """Of the part whose head came last."""
        while isinstance(news := await self._next(), bytes):
            yield news
        if news is None:
            raise RefusedError(400, "The form breaks off.")

    async def _next(self) -> _Head | _End | bytes | None:
        """None at the end of the form."""
        while not self._news:
            block = await anext(self._blocks, None)
            if block is None:
                if not self._ended:
                    raise RefusedError(400, "The form breaks off.")
                return None
            try:
                self._parser.write(block)
            except MultipartParseError as error:
                raise RefusedError(400, "The form can't be read.") from error
        return self._news.popleft()

    def _on_header(self, block: bytes, start: int, end: int) -> None:
        self._header += block[start:end]

    def _on_value(self, block: bytes, start: int, end: int) -> None:
        self._value += block[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._header.lower()] = self._value
        self._header, self._value = b"", b""

    def _on_headers(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        name, file_name = options.get(b"name", b""), options.get(b"filename")
        told = None if file_name is None else file_name.decode("utf-8", "replace")
        self._news.append(_Head(name.decode("utf-8", "replace"), told))

    def _on_end(self) -> None:
        self._ended = True
