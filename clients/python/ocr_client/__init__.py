"""A host of OCR Sidecar's worker, for threads and for asyncio. The standard library alone.

with Client("my-app") as ocr:
    job = ocr.batch(["scan.pdf"], "out")
    for event in job:
        ...
    print(job.result()["status"])
"""

from ocr_client.aio import AsyncClient, AsyncJob
from ocr_client.client import Client, Job
from ocr_client.errors import OcrError, UnsendableError, WorkerGoneError
from ocr_client.metrics import Metrics
from ocr_client.settings import Settings, Timing
from ocr_client.wire_types import BatchData, BatchOptions, Event, ProgressData

__all__ = [
    "AsyncClient",
    "AsyncJob",
    "BatchData",
    "BatchOptions",
    "Client",
    "Event",
    "Job",
    "Metrics",
    "OcrError",
    "ProgressData",
    "Settings",
    "Timing",
    "UnsendableError",
    "WorkerGoneError",
]
