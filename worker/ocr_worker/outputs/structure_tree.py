"""The structure tree of a tagged PDF, after pages lost their content: what pointed to it goes, and what is empty then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name

_DEPTH = 200
Number = tuple[int, int]


def prune(pdf: pikepdf.Pdf, pages: set[Number]) -> None:
    """Take out what these pages, by their object numbers, no longer hold. Annotations stay on them, and in the tree."""
    if not pages:
        return
    parents = set(_detached(pdf, pages))
    root: Any = pdf.Root.get("/StructTreeRoot")
    if not isinstance(root, Dictionary):
        return
    if not _prune_kids(root, pages, _DEPTH, None):
        del pdf.Root["/StructTreeRoot"]
        if "/MarkInfo" in pdf.Root:
            del pdf.Root["/MarkInfo"]
    elif isinstance(root.get("/ParentTree"), Dictionary):
        tree = pikepdf.NumberTree(root.ParentTree)
        for number in parents & set(tree.keys()):
            del tree[number]


def _detached(pdf: pikepdf.Pdf, pages: set[Number]) -> Iterator[int]:
    """Under which numbers the tree knew these pages, which don't know it any more."""
    for page in pdf.pages:
        if page.objgen in pages and "/StructParents" in page.obj:
            yield int(page.obj.StructParents)
            del page.obj["/StructParents"]


def _prune_kids(element: Any, pages: set[Number], depth: int, page: Any) -> bool:
    """Whether the element still has something in it."""
    kids = element.get("/K")
    listed = list(kids) if isinstance(kids, Array) else [] if kids is None else [kids]
    own = element.get("/Pg", page)
    kept = [kid for kid in listed if _is_left(kid, pages, depth, own)]
    if len(kept) < len(listed):
        if kept:
            element.K = Array(kept)
        else:
            del element["/K"]
    # An element that was empty before, as a cell of a table may be, goes only where its page went.
    return bool(kept) or (not listed and not _is_gone(own, pages))


def _is_left(kid: Any, pages: set[Number], depth: int, page: Any) -> bool:
    if not isinstance(kid, Dictionary):
        return not _is_gone(page, pages)
    match kid.get("/Type"):
        case Name.MCR:
            return not _is_gone(kid.get("/Pg", page), pages)
        case Name.OBJR:
            return not _is_picture_gone(kid, pages, page)
        case _:
            return depth == 0 or _prune_kids(kid, pages, depth - 1, page)


def _is_gone(page: Any, pages: set[Number]) -> bool:
    return isinstance(page, Dictionary) and page.objgen in pages


def _is_picture_gone(kid: Any, pages: set[Number], page: Any) -> bool:
    """Objects that are drawn go with the page's content; annotations do not."""
    return isinstance(kid.get("/Obj"), pikepdf.Stream) and _is_gone(kid.get("/Pg", page), pages)
