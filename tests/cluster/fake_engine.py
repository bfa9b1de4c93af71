"""An engine without a network: the test plays the nodes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from ocr_worker.cluster.engine import (
    EngineMessage,
    Loss,
    NodeFacts,
    NodesChanged,
    OrderBegun,
    OrderEnded,
    PagesSpoke,
    Reader,
)
from ocr_worker.cluster.orders import RESULT, Order, PageReply, Reply, load_order
from ocr_worker.model.tasks import Outcome, PageDone

READER = Reader("1", {}, {})


@dataclass(eq=False)
class FakeEngine:
    post: Callable[[EngineMessage], None]
    slot_count: int = 2
    secure: bool = True
    topic: str = "told"
    orders: dict[str, Order] = field(default_factory=dict)
    """What was sent and neither withdrawn nor ended, in its order."""
    withdrawn: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    closed: bool = False

    def slots(self) -> int:
        return 0 if "node" in self.refused else self.slot_count

    def nodes(self) -> tuple[NodeFacts, ...]:
        if not self.slot_count:
            return ()
        return (NodeFacts("node", "ada", self.slot_count, READER, refused=self.refused.get("node", "")),)

    def send(self, key: str, order: bytes) -> None:
        self.orders[key] = load_order(order)

    def withdraw(self, keys: Collection[str]) -> None:
        self.withdrawn += keys
        for key in keys:
            self.orders.pop(key, None)

    def refuse(self, node: str, why: str) -> None:
        self.refused[node] = why

    def forgive(self) -> None:
        self.refused.clear()

    def close(self) -> None:
        self.closed = True

    # What a test has happen

    def resize(self, slots: int) -> None:
        self.slot_count = slots
        self.post(NodesChanged(self))

    def begin(self, key: str, node: str = "node") -> None:
        self.post(OrderBegun(self, key, node))

    def reply(self, key: str, *outcomes: Outcome, refusal: str = "") -> bytes:
        """The reply of a node to the first pages of an order."""
        pages = self.orders[key].pages if key in self.orders else ()
        replies = tuple(
            PageReply(
                page.ticket,
                outcome,
                0.1,
                is_first=True,
                files={RESULT: b"result"} if isinstance(outcome, PageDone) else {},
            )
            for page, outcome in zip(pages, outcomes, strict=False)
        )
        return Reply(key, "node", replies, refusal).dump()

    def say(self, reply: bytes) -> None:
        self.post(PagesSpoke(self, reply))

    def finish(self, key: str, why: Loss | None = None) -> None:
        self.orders.pop(key, None)
        self.post(OrderEnded(self, key, why=why))


def read(page: int = 1) -> PageDone:
    return PageDone(page, "ok", 7, 90.0, 0.1)
