"""What carries orders to other machines: the seam behind which Dask is, and a fake in tests."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal, Protocol, Union


@dataclass(frozen=True, slots=True)
class Reader:
    """With what a machine reads pages, as far as results depend on it."""

    version: str
    """Of this program."""
    engines: dict[str, str]
    """Name to the package, with its version, that it comes through."""
    languages: dict[str, str]
    """Code to the sha256 of its data, as the usual engine finds it."""


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """A machine of the cluster."""

    address: str
    name: str
    slots: int
    reader: Reader
    memory_bytes: int = 0
    python: str = ""
    pages_per_minute: int = 0
    refused: str = ""
    """Why it gets no pages; empty for one that does."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Why an order comes to nothing."""

    why: Literal["node", "scheduler", "withdrawn"]


@dataclass(frozen=True, slots=True)
class OrderBegun:
    """A node has begun with an order. Again, if the one before is gone and the engine gave it to another."""

    engine: Engine = field(repr=False)
    key: str
    node: str


@dataclass(frozen=True, slots=True)
class PagesSpoke:
    """A reply ahead of the order's own: some of its pages have ended."""

    engine: Engine = field(repr=False)
    reply: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OrderEnded:
    """No more comes of an order: what it has not told of is lost, and this is why."""

    engine: Engine = field(repr=False)
    key: str
    reply: bytes | None = field(default=None, repr=False)
    why: Loss | None = None


@dataclass(frozen=True, slots=True)
class NodesChanged:
    """Nodes came or went."""

    engine: Engine = field(repr=False)


EngineMessage = Union[OrderBegun, PagesSpoke, OrderEnded, NodesChanged]


class Engine(Protocol):
    """Carries orders to nodes. It posts EngineMessages into its owner's inbox, from any thread."""

    @property
    def secure(self) -> bool:
        """Whether what is sent can be read by the node alone."""
        ...

    @property
    def topic(self) -> str:
        """For orders: where nodes tell of their pages."""
        ...

    def slots(self) -> int:
        """How many orders can be at work: those of all nodes that are not refused."""
        ...

    def nodes(self) -> tuple[NodeFacts, ...]:
        """All that are there, refused ones too."""
        ...

    def send(self, key: str, order: bytes) -> None:
        """Have an order carried out by a node."""
        ...

    def withdraw(self, keys: Collection[str]) -> None:
        """Of these nothing more is wanted: what runs is ended, what waits is not begun."""
        ...

    def refuse(self, node: str, why: str) -> None:
        """Send nothing more to this node."""
        ...

    def forgive(self) -> None:
        """Try those again that were refused by `refuse`."""
        ...

    def close(self) -> None:
        """Withdraw everything, and leave the cluster."""
        ...
