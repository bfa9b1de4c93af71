"""Uploaded files on disk, each in a folder of its own, as far as they have come."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from starlette.requests import ClientDisconnect

from ocr_worker.errors import OcrError
from ocr_worker.files.private import make_private
from ocr_worker.model.serving import ServiceLimits
from ocr_worker.pages.file_type import HEAD_BYTES, sniff
from ocr_worker.server.problems import RefusedError

BLOCK_BYTES = 2**20
LONGEST_NAME_BYTES = 200
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')


@dataclass(frozen=True, slots=True)
class Upload:
    upload_id: str
    name: str
    size: int
    path: Path

    @property
    def offset(self) -> int:
        """Bytes that have come."""
        return self.path.stat().st_size

    @property
    def made_at(self) -> float:
        """When it was announced, in seconds since the epoch."""
        return self.path.parent.stat().st_mtime

    @property
    def is_complete(self) -> bool:
        return self.offset == self.size


class Uploads:
    """For the thread of the event loop."""

    def __init__(self, folder: Path, limits: ServiceLimits, in_use: Callable[[], Collection[str]]) -> None:
        """`in_use` has the ids of uploads that jobs have: those count by their bytes alone."""
        self._folder, self._limits, self._in_use = folder, limits, in_use
        self._busy: set[str] = set()
        self.kept_bytes: int = 0
        """Of all uploads and results, as they were last counted."""
        self._at_most = _count(folder)
        """Uploads, those that went, or became files of a job, since they were counted last included."""

    def create(self, name: str, size: int) -> Upload:
        """Make room for a file. Raises RefusedError: too large, or too many."""
        if size > self._limits.upload_bytes:
            raise RefusedError(413, f"A file may have {self._limits.upload_bytes:,} bytes at most.")
        if self._is_full():
            raise RefusedError(
                429, f"There are {self._limits.uploads:,} uploads that no job has: start one, or delete some."
            )
        if not self.has_room(size):
            raise RefusedError(507, "There is no room for it: delete jobs that are no longer needed.")
        upload_id = secrets.token_hex(16)
        upload = Upload(upload_id, safe_name(name), size, self._folder / upload_id / safe_name(name))
        try:
            make_private(upload.path.parent)
            upload.path.touch(mode=0o600)
            self._describe(upload)
        except OSError:
            self.remove(upload_id)
            raise
        self.kept_bytes, self._at_most = self.kept_bytes + size, self._at_most + 1
        return upload

    def _is_full(self) -> bool:
        # There may be 10,000: they are counted anew only where some that went would make a difference.
        if self._at_most >= self._limits.uploads:
            self._at_most = _count(self._folder, self._in_use())
        return self._at_most >= self._limits.uploads

    def has_room(self, size: int) -> bool:
        return self.missing_bytes(size) <= 0

    def missing_bytes(self, size: int) -> int:
        """How many bytes have to go before so many can come."""
        return self.kept_bytes + size - self._limits.kept_bytes

    def bytes_to_come(self) -> int:
        """Of all uploads that were announced; one that is taken back meanwhile has none."""
        left = 0
        for folder in self._folder.iterdir():
            with suppress(OSError):
                upload = self._known(folder.name)
                left += max(0, upload.size - upload.offset) if upload else 0
        return left

    async def receive(self, name: str, blocks: AsyncIterator[bytes]) -> Upload:
        """A file of a form, whose size is known when all of it has come. Raises as `create` and `append`."""
        upload = replace(self.create(name, 0), size=self._limits.upload_bytes)
        try:
            await self._write(upload, 0, blocks)
            upload = replace(upload, size=upload.offset)
            self._require_known(upload)
            await asyncio.to_thread(_sync, upload.path)
        except BaseException:
            self.remove(upload.upload_id)
            raise
        self.kept_bytes += upload.size
        self._describe(upload)
        return upload

    def find(self, upload_id: str) -> Upload:
        """Raises RefusedError."""
        upload = self._known(upload_id)
        if upload is None:
            raise RefusedError(404, "There is no such upload.")
        return upload

    def _known(self, upload_id: str) -> Upload | None:
        try:
            told = json.loads(self._facts(upload_id).read_text(encoding="utf-8"))
            upload = Upload(upload_id, told["name"], told["size"], self._folder / upload_id / told["name"])
            upload.path.stat()
        except (OSError, ValueError, KeyError, TypeError):
            # Somebody has been at it.
            return None
        return upload

    def complete(self, upload_id: str) -> Upload:
        """An upload that has come whole. Raises RefusedError."""
        upload = self.find(upload_id)
        if not upload.is_complete:
            raise RefusedError(
                409, f"Of {upload.name} only {upload.offset:,} of {upload.size:,} bytes have come."
            )
        return upload

    async def append(self, upload: Upload, offset: int, blocks: AsyncIterator[bytes]) -> Upload:
        """Write what comes behind what has come; what is written stays, even if the rest does not come.

        Raises:
            RefusedError: it is written by another request, the offset is wrong, or more comes than was announced.
            UnsupportedTypeError: by its first bytes it is none of the types that are read; the upload is removed.
        """
        if upload.upload_id in self._busy:
            raise RefusedError(409, "Another request is writing this upload.")
        if offset != upload.offset:
            raise RefusedError(409, f"The upload is at offset {upload.offset}.")
        self._busy.add(upload.upload_id)
        try:
            await self._write(upload, offset, blocks)
            # What is written to a file that has gone is lost.
            upload.path.stat()
        except FileNotFoundError as error:
            raise RefusedError(404, "The upload was taken back.") from error
        finally:
            self._busy.discard(upload.upload_id)
        return upload

    def remove(self, upload_id: str) -> None:
        shutil.rmtree(self._folder / upload_id, ignore_errors=True)

    async def _write(self, upload: Upload, offset: int, blocks: AsyncIterator[bytes]) -> None:
        checked, at = offset >= HEAD_BYTES, offset
        with upload.path.open("ab") as stream:
            async for block in gathered(blocks):
                at += len(block)
                if at > upload.size:
                    raise RefusedError(413, f"More than the announced {upload.size:,} bytes came.")
                await asyncio.to_thread(_put, stream.fileno(), block, is_last=at == upload.size)
                if not checked and at >= min(HEAD_BYTES, upload.size):
                    checked = True
                    self._require_known(upload)
        if upload.size == 0:
            self._require_known(upload)

    def _require_known(self, upload: Upload) -> None:
        with upload.path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
        try:
            sniff(head, upload.path)
        except OcrError:
            self.remove(upload.upload_id)
            raise

    def _describe(self, upload: Upload) -> None:
        told = {"name": upload.name, "size": upload.size}
        self._facts(upload.upload_id).write_text(json.dumps(told), encoding="utf-8")

    def _facts(self, upload_id: str) -> Path:
        return self._folder / upload_id / ".facts.json"


async def gathered(blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in larger blocks; what has come is given even if the rest does not come."""
    held, broken = bytearray(), None
    try:
        async for block in blocks:
            held += block
            if len(held) >= BLOCK_BYTES:
                yield bytes(held)
                held.clear()
    except (ClientDisconnect, RefusedError) as error:
        broken = error
    if held:
        yield bytes(held)
    if broken is not None:
        raise broken


def safe_name(name: str) -> str:
    """The last part of a name, as any system can have it; a hidden file is none."""
    last = re.split(r"[/\\]", name)[-1].encode("utf-8", "replace").decode()
    kept = _UNSAFE.sub("_", last).strip(" .")
    stem, suffix = Path(kept).stem, Path(kept).suffix
    while len((stem + suffix).encode()) > LONGEST_NAME_BYTES:
        stem, suffix = (stem[:-1], suffix) if stem else ("", suffix[:-1])
    return (stem + suffix).lstrip(".") or "file"


def _count(folder: Path, but: Collection[str] = ()) -> int:
    with os.scandir(folder) as found:
        return sum(entry.name not in but for entry in found)


def _put(handle: int, block: bytes, *, is_last: bool) -> None:
    left = memoryview(block)
    while left:
        left = left[os.write(handle, left) :]
    if is_last:
        os.fsync(handle)


def _sync(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
