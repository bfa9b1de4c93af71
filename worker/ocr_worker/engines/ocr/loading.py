"""ONNX Runtime and NumPy can end the process that loads them: where a processor or a system library does not suit them.

No ImportError says so then. A mark in the process' folder tells the worker what it was about, and the next process that
it must not try again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MARK = "loads-onnxruntime"
"""A file in the folder for temporary files as long as they are being loaded."""
FATAL = "OCR_WORKER_ONNXRUNTIME_FATAL"
"""Told to a page process by its environment: how an earlier one ended."""


@contextmanager
def loading() -> Iterator[None]:
    """Around their import. Raises ImportError whatever is wrong with them, also where they ended an earlier process."""
    import tempfile

    if how := os.environ.get(FATAL):
        raise ImportError(f"the process that tried {how}")
    mark = Path(tempfile.gettempdir(), MARK)
    # A full disk is no reason to do without.
    with suppress(OSError):
        mark.touch()
    try:
        yield
    except (ImportError, MemoryError):
        raise
    # NumPy has a RuntimeError for processors that it is not built for; another version may lack what is asked of it.
    except Exception as error:
        raise ImportError(f"{type(error).__name__}: {error}") from error
    finally:
        with suppress(OSError):
            mark.unlink(missing_ok=True)
