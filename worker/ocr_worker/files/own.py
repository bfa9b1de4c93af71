"""Files that belong to this program."""

from __future__ import annotations

from importlib.resources import files

from ocr_worker.errors import InternalError


def own_file(package: str, name: str) -> bytes:
    """What a file beside a package's modules holds.

    Raises:
        InternalError: an installation that lacks it is ours to mend, and no fault of a user's file or folder.
    """
    try:
        return files(package).joinpath(name).read_bytes()
    except OSError as error:
        raise InternalError(
            f"A file of ocr-sidecar can't be read ({name}: {error.strerror}). Install ocr-sidecar again."
        ) from error
