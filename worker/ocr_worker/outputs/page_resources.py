"""A PDF page's resources, as a dictionary that may be changed for it alone."""

from __future__ import annotations

from typing import Any

import pikepdf
from pikepdf import Dictionary


def own_resources(target: pikepdf.Page) -> Any:
    """A copy for this page alone: others may share the one it has, or inherit it."""
    node: Any = target.obj
    for _ in range(50):
        if "/Resources" in node or "/Parent" not in node:
            break
        node = node.Parent
    found = node.get("/Resources")
    target.obj.Resources = Dictionary(dict(found.items())) if isinstance(found, Dictionary) else Dictionary()
    return target.obj.Resources
