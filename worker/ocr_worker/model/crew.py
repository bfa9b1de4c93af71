"""Who works for a pool: this machine's own processes, and the nodes of a cluster."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RefusedNode:
    """A machine of the cluster that gets no pages, and why."""

    node: str
    code: str
    """`node_differs` of one that would read otherwise, or does not see the files."""
    message: str


@dataclass(frozen=True, slots=True)
class Crew:
    """A picture of now; two that are equal need no telling."""

    width: int
    """How many tasks are really worked on at once."""
    nodes: int | None = None
    """Machines that pages go to; None without a cluster."""
    slots: int = 0
    """Pages that they read at once."""
    lost: int = 0
    """Pages that came back unread since the pool was made, because a node or the way to it was gone."""
    refused: tuple[RefusedNode, ...] = ()
    alone: bool = False
    """No node has been there for so long that our own processes do all of it, or all waits."""
