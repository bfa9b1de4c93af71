"""What goes to a node and what comes back: lines of JSON, then bytes. Never pickle."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, cast

from ocr_worker.model.tasks import Outcome, PageTask
from ocr_worker.processes import messages

RESULT, PICTURE = ".page", ".picture"
"""The files of a page's result, by their endings."""


@dataclass(frozen=True, slots=True)
class OrderedPage:
    ticket: int
    task: PageTask = field(repr=False)
    limit_seconds: float
    content: bytes | None = field(default=None, repr=False)
    """The file itself, for a node that does not share the folder."""


@dataclass(frozen=True, slots=True)
class Order:
    """Up to eight pages for one slot of a node, in their order."""

    key: str
    topic: str
    """Under which the node tells of each page as it ends."""
    reader: str
    """The digest of what must read them: engine, version, data."""
    pages: tuple[OrderedPage, ...]

    def dump(self) -> bytes:
        head = {
            "key": self.key,
            "topic": self.topic,
            "reader": self.reader,
            "pages": [
                {"limit": page.limit_seconds, "bytes": None if page.content is None else len(page.content)}
                for page in self.pages
            ],
        }
        tasks = (messages.dump(page.ticket, page.task) for page in self.pages)
        return b"".join([_line(head), *tasks, *(page.content or b"" for page in self.pages)])


def load_order(content: bytes) -> Order:
    """Raises ValueError, KeyError or TypeError for what is none."""
    head, rest = _parted(content)
    tasks = [(*messages.load_task(rest.line()), said) for said in head["pages"]]
    pages = tuple(
        OrderedPage(
            ticket,
            cast("PageTask", task),
            said["limit"],
            None if said["bytes"] is None else rest.take(said["bytes"]),
        )
        for ticket, task, said in tasks
    )
    return Order(head["key"], head["topic"], head["reader"], pages)


@dataclass(frozen=True, slots=True)
class PageReply:
    """How a page ended at a node."""

    ticket: int
    outcome: Outcome
    seconds: float | None = None
    is_first: bool = False
    files: dict[str, bytes] = field(default_factory=dict, repr=False)
    """Ending to content: what the coordinator puts into the place of the page's result."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Pages that have ended; or why this node does none of the order's."""

    key: str
    node: str
    pages: tuple[PageReply, ...] = ()
    refusal: str = ""

    def dump(self) -> bytes:
        head = {
            "key": self.key,
            "node": self.node,
            "refusal": self.refusal,
            "pages": [
                {
                    "seconds": page.seconds,
                    "first": page.is_first,
                    "files": {end: len(file) for end, file in page.files.items()},
                }
                for page in self.pages
            ],
        }
        outcomes = (messages.dump(page.ticket, page.outcome) for page in self.pages)
        files = (file for page in self.pages for file in page.files.values())
        return b"".join([_line(head), *outcomes, *files])


def load_reply(content: bytes) -> Reply:
    """Raises ValueError, KeyError or TypeError for what is none."""
    head, rest = _parted(content)
    outcomes = [(*messages.load_outcome(rest.line()), said) for said in head["pages"]]
    pages = tuple(
        PageReply(
            int(ticket),
            outcome,
            said["seconds"],
            bool(said["first"]),
            {end: rest.take(size) for end, size in said["files"].items() if end in (RESULT, PICTURE)},
        )
        for ticket, outcome, said in outcomes
    )
    return Reply(str(head["key"]), str(head["node"]), pages, str(head["refusal"]))


class _Rest:
    """What is left to be read."""

    def __init__(self, content: bytes, at: int) -> None:
        self.content, self.at = content, at

    def line(self) -> bytes:
        end = self.content.index(b"\n", self.at) + 1
        return self.take(end - self.at)

    def take(self, size: int) -> bytes:
        if size < 0 or self.at + size > len(self.content):
            raise ValueError("it is cut short")
        self.at += size
        return self.content[self.at - size : self.at]


def _parted(content: bytes) -> tuple[dict[str, Any], _Rest]:
    rest = _Rest(content, 0)
    return dict(json.loads(rest.line())), rest


def _line(head: dict[str, Any]) -> bytes:
    return json.dumps(head, separators=(",", ":")).encode("ascii") + b"\n"
