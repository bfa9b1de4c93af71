"""What tests/hold.py puts before all else in each process of a worker."""

from __future__ import annotations

import os
import re
import runpy
import sys
import time
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

HELD_IN = "ocr_worker.processes.child"


class Hook:
    """Wraps the loading of the module in which a page process does its tasks."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != HELD_IN:
            return None
        found = PathFinder.find_spec(name, path)
        assert found
        assert found.loader
        load = found.loader.exec_module

        def load_and_wrap(module: Any) -> None:
            load(module)
            module.run = held(module.run)

        found.loader.exec_module = load_and_wrap  # type: ignore[method-assign]
        return found


def held(run: Any) -> Any:
    let_go = os.environ["OCR_TESTS_LET_GO"]
    # Now, as nothing but its own folders can be opened by a process that is confined.
    arrived = os.open(f"{let_go}.arrived", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def run_when_let_go(bench: Any, task: Any) -> Any:
        path = task.source.path if type(task).__name__ == "PageTask" else ""
        pages = re.search(r"\.held((?:-\d+)+)", path)
        if pages and str(task.page) in pages[1].split("-"):
            os.write(arrived, b"%d\n" % os.getpid())
            while not os.path.exists(let_go):  # noqa: PTH110
                time.sleep(0.01)
        return run(bench, task)

    return run_when_let_go


if "page-process" in sys.orig_argv:
    sys.meta_path.insert(0, Hook())
# Of several modules of this name Python imports the first alone, and a test may have one of its own.
for folder in os.environ["PYTHONPATH"].split(os.pathsep)[1:]:
    if os.path.exists(own := os.path.join(folder, "sitecustomize.py")):  # noqa: PTH110, PTH118
        runpy.run_path(own, run_name="sitecustomize")
        break
