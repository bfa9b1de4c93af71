"""Whether the page in the wheel, and the client it uses, are those of their sources: `python -m tools.service_page --check`.

Needs Python alone: `make page` builds them anew, and needs npm. `make test-ui` builds them and compares every byte.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STATIC = ROOT / "worker" / "ocr_worker" / "server" / "static"
SOURCES = STATIC / "sources.sha256"


def main() -> int:
    """Return 1 if something is stale."""
    stale = list(changed(SOURCES.read_text(encoding="utf-8")))
    if stale:
        sys.stderr.write(
            f"{STATIC.relative_to(ROOT)} is stale: run `make page`. Changed: {', '.join(stale)}\n"
        )
    return int(bool(stale))


def changed(listed: str) -> list[str]:
    """Files that are not those that the page was built of."""
    rows = [line.split("  ", 1) for line in listed.splitlines()]
    return [path for digest, path in rows if _digest(ROOT / path) != digest]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


if __name__ == "__main__":
    sys.exit(main())
