"""The rows of a shard, one for each input, and where all that belongs to a shard lies."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from ocr_worker.errors import CorruptError
from ocr_worker.jobs.output_names import SUFFIXES
from ocr_worker.model.extensions import EXTENSIONS

FOLDER_SHARDS = 1000
"""Shards of a folder: stores and people list so many at once."""
PAGE_BYTES = 150_000
"""Of a page, as far as a size can tell: how many a file has is known once it is opened."""
LONGEST_STEM_BYTES = 100
UNKNOWN = 0
"""The size of an input where its server tells none; what is empty has it as well."""
MANY_PAGES = frozenset({"pdf", "tif", "tiff"})


@dataclass(frozen=True, slots=True)
class Row:
    """An input as it was when it was planned."""

    url: str
    bytes: int
    etag: str | None = None
    mtime: int | None = None
    """In ns, where its store gives no etag."""
    depth: int | None = None
    """How many steps it lies below the folder in which it was found; none of them may become a link. None for one that was named."""

    @property
    def digest(self) -> str:
        """Orders inputs, and names their outputs."""
        return hashlib.sha256(self.url.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def name(self) -> str:
        """Of its outputs, without their endings; no other input of the plan has it."""
        stem = PurePosixPath(self._base).stem or "file"
        short = (
            stem.encode("utf-8", "replace")[:LONGEST_STEM_BYTES].decode("utf-8", "ignore").replace("\0", "")
        )
        return f"{short}-{self.digest[:12]}"

    @property
    def staged_name(self) -> str:
        """Of its copy on the local disk."""
        return f"{self.name}.{self._ending}" if self._ending in EXTENSIONS else self.name

    @property
    def pages(self) -> int:
        """As they are estimated."""
        return max(1, round(self.bytes / PAGE_BYTES)) if self._ending in MANY_PAGES else 1

    def is_same(self, other: Row) -> bool:
        """Whether it is the same content, as far as stores tell."""
        return (self.bytes, self.etag, self.mtime) == (other.bytes, other.etag, other.mtime)

    @property
    def version(self) -> dict[str, Any]:
        """Its etag or time of change."""
        return {"mtime": self.mtime} if self.etag is None else {"etag": self.etag}

    @property
    def _base(self) -> str:
        base = self.url.partition("?")[0].rstrip("/").rpartition("/")[2]
        # Keys of stores of objects are not coded.
        return unquote(base, errors="replace") if self.url.startswith(("file:", "http")) else base

    @property
    def _ending(self) -> str:
        return self._base.rpartition(".")[2].lower()


def row_of(fields: Mapping[str, Any]) -> Row:
    return Row(fields["url"], fields["bytes"], fields.get("etag"), fields.get("mtime"), fields.get("depth"))


def line_of(row: Row) -> bytes:
    """A row as JSON. A million of them are written, so that no encoder is made for each."""
    if row.etag is not None:
        version = f'"etag":{encode_basestring_ascii(row.etag)}'
    else:
        version = '"mtime":null' if row.mtime is None else f'"mtime":{row.mtime}'
    depth = "" if row.depth is None else f',"depth":{row.depth}'
    url = encode_basestring_ascii(row.url)
    return f'{{"url":{url},"bytes":{row.bytes},{version}{depth}}}'.encode("ascii")


def packed(lines: Iterable[bytes]) -> tuple[bytes, bytes]:
    """A shard's content, plain and packed, the same at each time."""
    plain = b"".join(line + b"\n" for line in lines)
    return plain, gzip.compress(plain, 6, mtime=0)


def unpacked(content: bytes, key: str) -> tuple[bytes, tuple[Row, ...]]:
    """A shard's content and its rows. Raises CorruptError."""
    try:
        plain = gzip.decompress(content)
        return plain, tuple(row_of(json.loads(line)) for line in plain.splitlines())
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise CorruptError(f"{key} is no shard of a plan. Plan anew into another place.") from error


def shard_hash(options_hash: str, plain: bytes) -> str:
    """Identifies what is to be done: the inputs as they were, and the options."""
    return hashlib.sha256(options_hash.encode("ascii") + b"\n" + plain).hexdigest()


def folder_key(number: int) -> str:
    return f"{number // FOLDER_SHARDS:04}"


def shard_key(number: int) -> str:
    return f"shards/{folder_key(number)}/{number:07}.jsonl.gz"


def hashes_key(folder: int) -> str:
    """The hashes of a folder's shards, so that whoever looks at all of them need not read them."""
    return f"shards/{folder:04}/hashes.json"


def done_folder_key(number: int) -> str:
    return f"done/{folder_key(number)}"


def done_key(number: int) -> str:
    return f"{done_folder_key(number)}/{number:07}.json"


def tries_key(number: int) -> str:
    return f"tries/{folder_key(number)}/{number:07}"


def files_key(number: int) -> str:
    return f"files/{folder_key(number)}/{number:07}"


def output_names(row: Row, kinds: Iterable[str]) -> dict[str, str]:
    return {kind: row.name + SUFFIXES[kind] for kind in kinds}
