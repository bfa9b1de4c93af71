"""The folders of the service, and which files of the machine its clients may name and see."""

from __future__ import annotations

import json
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from ocr_worker.errors import InvalidParamsError, PermissionDeniedError
from ocr_worker.files.paths import folder_above
from ocr_worker.files.private import make_private
from ocr_worker.model.jobs import JobId
from ocr_worker.model.tasks import Source

FOLDER = "server"
"""In the state folder."""
DEEPEST = 200


class Places:
    def __init__(self, state_dir: Path, roots: tuple[Path, ...]) -> None:
        """Make the service's folders. Raises OSError."""
        own = state_dir / FOLDER
        make_private(state_dir, own)
        self.uploads, self.results = own / "uploads", own / "results"
        self.pictures, self.orders = own / "pictures", own / "orders"
        make_private(self.uploads, self.results, self.pictures, self.orders)
        self.roots: tuple[Path, ...] = tuple(Path(os.path.realpath(root)) for root in roots)
        hidden = {str(state_dir), str(Path(os.path.realpath(state_dir)))}
        hidden |= {str(root) for root in (*roots, *self.roots)}
        self._hidden = re.compile(
            "|".join(re.escape(path) + r"[^\s:;,()'\"]*/" for path in sorted(hidden, reverse=True))
        )
        self._own = Path(os.path.realpath(own))
        self.orders_version: int = 0
        """It changes whenever an order is kept or forgotten."""

    def new_results(self) -> Path:
        """A folder for the outputs of one job."""
        folder = self.results / secrets.token_hex(16)
        make_private(folder)
        return folder

    def named(self, path: str) -> Path:
        """The file or folder that a client names by path, with links resolved; relative ones are of the first root.

        Raises:
            InvalidParamsError: it is no path.
            PermissionDeniedError: it lies outside of all roots, whether it exists or not, or is changed meanwhile.
        """
        if not path or "\0" in path or path.count("/") > DEEPEST:
            raise InvalidParamsError(
                f"A path is not empty, holds no NUL, and has at most {DEEPEST} folders.", field="path"
            )
        if not self.roots:
            raise PermissionDeniedError(
                "This service reads no paths. Upload the file, or start the service with --root."
            )
        found = _real(self.roots[0] / path)
        if not any(found.is_relative_to(root) for root in self.roots):
            raise PermissionDeniedError("The path lies outside of the folders that this service may read.")
        return found

    def is_open(self, path: Path) -> bool:
        """Whether clients may have the content of a file: one of the service's own, or below a root."""
        try:
            found = _real(path)
        except PermissionDeniedError:
            return False
        return any(found.is_relative_to(folder) for folder in (self._own, *self.roots))

    def fixed(self, path: Path) -> Source:
        """The file as it is now, for a page process that follows no link from a root on. Raises PermissionDeniedError."""
        real = str(_real(path))
        return Source(real, no_links_below=folder_above(real, map(str, self.roots)))

    def label(self, path: str) -> str:
        """What clients call a file: its path below a root, or its name."""
        for root in self.roots:
            if Path(path).is_relative_to(root):
                return Path(path).relative_to(root).as_posix()
        return Path(path).name or path

    def without_paths(self, text: str) -> str:
        """A sentence that names files without their folders."""
        told = self._hidden.sub("", text)
        # A root itself has its name.
        for root in self.roots:
            told = told.replace(str(root), root.name) if root.name else told
        return told

    def keep_order(self, job_id: JobId, order: dict[str, Any]) -> None:
        """Remember what only this face knows of a job."""
        (self.orders / f"{job_id}.json").write_text(json.dumps(order), encoding="utf-8")
        self.orders_version += 1

    def order(self, job_id: JobId) -> dict[str, Any] | None:
        """What `keep_order` kept; None for jobs of others."""
        try:
            kept: dict[str, Any] = json.loads((self.orders / f"{job_id}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return kept

    def orders_kept(self) -> list[JobId]:
        """The jobs that the service started."""
        return sorted(path.stem for path in self.orders.glob("*.json"))

    def uploads_of(self, job_id: JobId) -> set[str]:
        """The ids of the uploads that a job of the service has."""
        return set((self.order(job_id) or {}).get("uploads", ()))

    def uploads_in_use(self) -> set[str]:
        """Those of all its jobs."""
        return {upload_id for job_id in self.orders_kept() for upload_id in self.uploads_of(job_id)}

    def forget_order(self, job_id: JobId) -> None:
        with suppress(OSError):
            (self.orders / f"{job_id}.json").unlink()
        self.orders_version += 1


def _real(path: Path) -> Path:
    """With links resolved. Raises PermissionDeniedError: something else takes the place of a link at this moment."""
    try:
        return Path(os.path.realpath(path))
    except OSError as error:
        raise PermissionDeniedError("The path was changed while it was looked at. Try again.") from error
