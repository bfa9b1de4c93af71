"""The page, and the files that it is made of. All of them are in the package: a browser asks nobody else."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

from ocr_worker.files.regular import open_regular
from ocr_worker.server.download import FileAnswer
from ocr_worker.server.problems import RefusedError

router = APIRouter(include_in_schema=False)

STATIC = Path(__file__).with_name("static")
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


@router.get("/")
async def page() -> Response:
    return _answer(STATIC / "index.html")


@router.get("/static/{name}")
async def part(name: str) -> Response:
    path = STATIC / name
    if path.suffix not in _TYPES or path.parent != STATIC or not path.is_file():
        raise RefusedError(404, "There is no such file.")
    return _answer(path)


def _answer(path: Path) -> Response:
    return FileAnswer(open_regular(path), _TYPES[path.suffix])
