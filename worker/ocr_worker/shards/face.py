"""What the command line calls of this room."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ocr_worker.errors import InvalidParamsError, NotFoundError, OcrError, PermissionDeniedError
from ocr_worker.model.sharding import (
    AGAIN,
    OURS,
    Exported,
    ExportOrder,
    Planned,
    PlanOrder,
    ShardEnd,
    ShardOrder,
    Standing,
)

log = logging.getLogger(__name__)


class Sharding:
    """Each call imports what it takes."""

    def plan(self, order: PlanOrder) -> Planned:
        from ocr_worker.shards.planning import make_plan

        with _stores_answers():
            return make_plan(order)

    def run(self, order: ShardOrder) -> ShardEnd:
        """How it ended: a scheduler reads exit codes only. Raises InvalidParamsError."""
        from ocr_worker.shards.running import run_shard

        try:
            with _stores_answers():
                return run_shard(order)
        except InvalidParamsError:
            raise
        except OcrError as error:
            return _broken(order, AGAIN if error.retryable else OURS, error.message)
        except Exception as error:
            log.exception("shard %d failed", order.index)
            return _broken(order, OURS, f"{type(error).__name__}: {error}")

    def status(self, plan: str, out: str, price: float | None) -> Standing:
        from ocr_worker.shards.standing import standing

        with _stores_answers():
            return standing(plan, out, price)

    def export(self, order: ExportOrder) -> Exported:
        from ocr_worker.shards.export import export

        with _stores_answers():
            return export(order)


@contextmanager
def _stores_answers() -> Iterator[None]:
    """Stores say what is not there, or not allowed, as systems do."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"{_said(error)}: check the URLs.") from error
    except PermissionError as error:
        raise PermissionDeniedError(f"{_said(error)}: check who may read and write there.") from error


def _said(error: OSError) -> str:
    return f"{error.strerror}: {error.filename}" if error.filename else str(error).rstrip(".")


def _broken(order: ShardOrder, code: int, message: str) -> ShardEnd:
    return ShardEnd(code=code, message=message, shard=order.index)
