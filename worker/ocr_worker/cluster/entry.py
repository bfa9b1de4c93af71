"""The way into the cluster: the pool that a runtime works with where one is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ocr_worker.cluster.lean import lean_dask
from ocr_worker.files.installation import require_packages
from ocr_worker.processes.pool import Pool
from ocr_worker.settings import ClusterSettings


def with_cluster(local: Pool, settings: ClusterSettings, post: Callable[[Any], None]) -> Pool:
    """Processes of this machine, and the nodes of a cluster.

    Raises:
        UnsupportedError: the packages for it are not installed.
        ClusterInsecureError: the way there would take TLS.
    """
    require_cluster()
    from ocr_worker.cluster.cluster_pool import ClusterPool

    with lean_dask():
        from ocr_worker.cluster.dask_engine import DaskEngine

    return ClusterPool(local, DaskEngine(settings, post), settings, post)


def require_cluster() -> None:
    """Raises UnsupportedError where its packages are not installed."""
    require_packages("A cluster needs more packages", "cluster", ("distributed", "cryptography"))
