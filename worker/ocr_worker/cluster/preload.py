"""`dask worker … --preload ocr_worker.cluster.preload`: a worker that others start (dask-jobqueue, dask-kubernetes, Coiled) is a node.

Its number of threads is that of its slots. Maps come from OCR_WORKER_NODE_MAP: THEIRS=HERE, more behind semicolons.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from ocr_worker.cluster.node import PathMap
from ocr_worker.cluster.node_plugin import NodePlugin, apply_node_settings
from ocr_worker.settings import settings_from_environment

VARIABLE = "OCR_WORKER_NODE_MAP"


async def dask_setup(worker: Any) -> None:
    """Called by Dask before the worker registers."""
    apply_node_settings()
    settings = replace(settings_from_environment(), page_processes=worker.state.nthreads, cluster=None)
    plugin = NodePlugin(settings, path_maps(os.environ.get(VARIABLE, "")))
    await worker.plugin_add(plugin=plugin, name=NodePlugin.name, catch_errors=False)


def path_maps(said: str) -> tuple[PathMap, ...]:
    """Raises ValueError for what is none."""
    try:
        return tuple(map(PathMap.of, filter(None, said.split(";"))))
    except ValueError as error:
        raise ValueError(f"{VARIABLE} {error}") from error
