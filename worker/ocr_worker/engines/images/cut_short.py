"""How much of a picture may be missing before it counts as torn, and what is said of one that lacks less, or is damaged."""

from __future__ import annotations

TORN_SHARE = 0.85
"""Of one that lacks more than its foot nobody knows what was on it."""
DAMAGED = (
    "A picture is damaged: parts of it may be missing or out of place, so compare them with the original"
)


def flaws(share: float, *, is_damaged: bool = False) -> tuple[str, ...]:
    """A warning of a picture of which this share is there; none for a whole one."""
    if share >= 1:
        return (DAMAGED,) if is_damaged else ()
    return (f"A picture is cut short: about {max(1, round(100 * (1 - share)))} % of it are missing",)
