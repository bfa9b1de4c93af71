"""The way into the cluster: the pool that a runtime works with where one is named."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from ocr_worker.errors import UnsupportedError
from ocr_worker.processes.guard import Guard
from ocr_worker.processes.pool import Pool, make_pool
from ocr_worker.settings import Settings


def pool_of_jobs(settings: Settings, guard: Guard, post: Callable[[Any], None]) -> Pool:
    """Processes of this machine, and the nodes of the cluster that the settings name.

    Raises:
        UnsupportedError: the packages for it are not installed.
        ClusterInsecureError: the way there would take TLS.
    """
    assert settings.cluster is not None
    require_packages()
    from ocr_worker.cluster.cluster_pool import ClusterPool
    from ocr_worker.cluster.dask_engine import DaskEngine

    local = make_pool(settings.page_processes, settings, guard, post)
    return ClusterPool(local, DaskEngine(settings.cluster, post), settings.cluster, post)


def require_packages() -> None:
    """Raises UnsupportedError."""
    if missing := [name for name in ("distributed", "cryptography") if find_spec(name) is None]:
        raise UnsupportedError(
            f"A cluster needs more packages ({', '.join(missing)}): pip install 'ocr-sidecar[cluster]'."
        )
