"""Turn the wire's `ocr_batch` into a job request."""

from __future__ import annotations

from ocr_protocol.commands import OcrBatch
from ocr_worker.jobs.requests import Asked, job_request
from ocr_worker.model.jobs import JobRequest
from ocr_worker.model.options import make_options


def batch_request(command: OcrBatch, client: str | None) -> JobRequest:
    """The job that a command asks for.

    Raises:
        LanguageMissingError, EngineMissingError: the message says how to install it.
    """
    sent = command.options
    options = make_options(sent.model_dump(exclude={"passwords"}), "options.{}".format)
    return job_request(
        Asked(
            command.files,
            command.output_dir,
            options,
            sent.passwords,
            command.priority,
            "options.{}".format,
            client,
        )
    )
