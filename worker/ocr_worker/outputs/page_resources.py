"""The resources of a PDF page, as a dictionary that can be changed for this page only."""

from __future__ import annotations

from copy import copy
from typing import Any

import pikepdf
from pikepdf import Dictionary


def own_resources(target: pikepdf.Page) -> Any:
    """A copy for this page alone: others may share the one it has, or inherit it."""
    node: Any = target.obj
    for _ in range(50):
        if "/Resources" in node or not isinstance(node.get("/Parent"), Dictionary):
            break
        node = node.Parent
    found = node.get("/Resources")
    # Copied by pikepdf: names that are not UTF-8 do not survive as Python's.
    target.obj.Resources = copy(found) if isinstance(found, Dictionary) else Dictionary()
    return target.obj.Resources
