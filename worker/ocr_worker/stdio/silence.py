"""Whether the host still speaks. Counts looks, not seconds: while this process was stopped it has not looked."""

from __future__ import annotations

from dataclasses import dataclass

LOOKS = 10


@dataclass(slots=True)
class Silence:
    limit_seconds: float
    looks: int = 0

    @property
    def pause_seconds(self) -> float:
        """Between two looks."""
        return self.limit_seconds / LOOKS

    def heard(self) -> None:
        """The host has said something."""
        self.looks = 0

    def look(self) -> bool:
        """Count a look; whether it has lasted too long."""
        self.looks += 1
        return self.looks > LOOKS
