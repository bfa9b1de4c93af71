"""The pool that does the tasks of jobs: this machine's page processes, and the nodes of a cluster where the settings name one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ocr_worker.processes.guard import Guard
from ocr_worker.processes.pool import Pool, make_pool
from ocr_worker.settings import Settings


def pool_of_jobs(settings: Settings, guard: Guard, post: Callable[[Any], None]) -> Pool:
    """Make it; `post` puts a message into its owner's inbox.

    Raises:
        UnsupportedError: the packages for a cluster are not installed.
        ClusterInsecureError: the way to the cluster would take TLS.
    """
    local = make_pool(settings.page_processes, settings, guard, post)
    if settings.cluster is None:
        return local
    # Late: who names no cluster pays for none.
    from ocr_worker.cluster.entry import with_cluster

    return with_cluster(local, settings.cluster, post)
