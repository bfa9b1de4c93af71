"""OCR for Python programs: searchable PDFs, text and word boxes from scans and PDFs.

    import ocr_sidecar

    result = ocr_sidecar.ocr(["scan.pdf"], "out", languages="deu+eng")
    page = ocr_sidecar.read_page("letter.png")
    print(page.text)

`ocr`, `read_page` and `inspect` start what they need and end it again; a `Sidecar` keeps it warm, gives jobs that can be
watched, paused and cancelled, and can be used from any thread. `AsyncSidecar` is the same for asyncio.

What is imported here is loaded when it is first used: importing this package loads neither pydantic nor an image library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ocr_worker import __version__
    from ocr_worker.errors import (
        BadNameError,
        BadPasswordError,
        BusyError,
        ChangedError,
        ClusterInsecureError,
        CorruptError,
        CrashedError,
        EmptyFileError,
        EncryptedError,
        EngineError,
        EngineMissingError,
        InternalError,
        InvalidParamsError,
        JobActiveError,
        JobNotFoundError,
        LanguageMissingError,
        LockedError,
        NodeLostError,
        NoPagesError,
        NoSpaceError,
        NotFoundError,
        NotRegularError,
        OcrError,
        OutputConflictError,
        OutputExistsError,
        OutputPermissionError,
        PageTimeoutError,
        PermissionDeniedError,
        SignedError,
        TooLargeError,
        UnreachableError,
        UnsupportedTypeError,
        XfaError,
    )
    from ocr_worker.library.aio import AsyncJob, AsyncSidecar
    from ocr_worker.library.callbacks import (
        ConsoleProgress,
        NullProgress,
        ProgressCallback,
        ProgressFunction,
    )
    from ocr_worker.library.front import inspect, ocr, read_page
    from ocr_worker.library.manifest import BatchManifest
    from ocr_worker.library.options import Options
    from ocr_worker.library.service import OCRBatchService
    from ocr_worker.library.sidecar import Job, JobBrokenError, Sidecar
    from ocr_worker.model.events import FileDone, JobEnded, JobFailed, ProgressMade, RunEnd
    from ocr_worker.model.page import Line, Page, Word
    from ocr_worker.model.results import (
        BatchResult,
        FileCounts,
        FileResult,
        Inspection,
        PageFacts,
        Progress,
        Rehearsal,
        Statistics,
    )
    from ocr_worker.model.tasks import FailedPage, Failure

__all__ = [
    "AsyncJob",
    "AsyncSidecar",
    "BadNameError",
    "BadPasswordError",
    "BatchManifest",
    "BatchResult",
    "BusyError",
    "ChangedError",
    "ClusterInsecureError",
    "ConsoleProgress",
    "CorruptError",
    "CrashedError",
    "EmptyFileError",
    "EncryptedError",
    "EngineError",
    "EngineMissingError",
    "FailedPage",
    "Failure",
    "FileCounts",
    "FileDone",
    "FileResult",
    "Inspection",
    "InternalError",
    "InvalidParamsError",
    "Job",
    "JobActiveError",
    "JobBrokenError",
    "JobEnded",
    "JobFailed",
    "JobNotFoundError",
    "LanguageMissingError",
    "Line",
    "LockedError",
    "NoPagesError",
    "NoSpaceError",
    "NodeLostError",
    "NotFoundError",
    "NotRegularError",
    "NullProgress",
    "OCRBatchService",
    "OcrError",
    "Options",
    "OutputConflictError",
    "OutputExistsError",
    "OutputPermissionError",
    "Page",
    "PageFacts",
    "PageTimeoutError",
    "PermissionDeniedError",
    "Progress",
    "ProgressCallback",
    "ProgressFunction",
    "ProgressMade",
    "Rehearsal",
    "RunEnd",
    "Sidecar",
    "SignedError",
    "Statistics",
    "TooLargeError",
    "UnreachableError",
    "UnsupportedTypeError",
    "Word",
    "XfaError",
    "__version__",
    "inspect",
    "ocr",
    "read_page",
]

_PLACES = {
    "ocr_worker.library.aio": ("AsyncJob", "AsyncSidecar"),
    "ocr_worker.library.callbacks": ("ConsoleProgress", "NullProgress", "ProgressCallback", "ProgressFunction"),
    "ocr_worker.library.front": ("inspect", "ocr", "read_page"),
    "ocr_worker.library.manifest": ("BatchManifest",),
    "ocr_worker.library.options": ("Options",),
    "ocr_worker.library.service": ("OCRBatchService",),
    "ocr_worker.library.sidecar": ("Job", "JobBrokenError", "Sidecar"),
    "ocr_worker.model.events": ("FileDone", "JobEnded", "JobFailed", "ProgressMade", "RunEnd"),
    "ocr_worker.model.page": ("Line", "Page", "Word"),
    "ocr_worker.model.results": (
        "BatchResult", "FileCounts", "FileResult", "Inspection", "PageFacts", "Progress", "Rehearsal", "Statistics",
    ),
    "ocr_worker.model.tasks": ("FailedPage", "Failure"),
}  # fmt: skip
_PLACE_OF = {name: place for place, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> object:
    if name == "__version__":
        return import_module("ocr_worker").__version__
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # What stands nowhere else is an error.
    return getattr(import_module(_PLACE_OF.get(name, "ocr_worker.errors")), name)


def __dir__() -> list[str]:
    return sorted(__all__)
