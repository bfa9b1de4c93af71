"""The resources of a PDF page, as a dictionary that can be changed for this page only."""

from __future__ import annotations

from copy import copy
from typing import Any

import pikepdf
from pikepdf import Dictionary

DEEPEST_FORM = 40
"""So many forms may lie in each other: no viewer draws much more."""


def find_resources(page: pikepdf.Page) -> Any:
    """Its own, or those that it inherits; None without."""
    node: Any = page.obj
    for _ in range(50):
        if "/Resources" in node or not isinstance(node.get("/Parent"), Dictionary):
            break
        node = node.Parent
    return node.get("/Resources")


def own_resources(target: pikepdf.Page) -> Any:
    """A copy for this page alone: others may share the one it has, or inherit it."""
    found = find_resources(target)
    # Copied by pikepdf: names that are not UTF-8 do not survive as Python's.
    target.obj.Resources = copy(found) if isinstance(found, Dictionary) else Dictionary()
    return target.obj.Resources
