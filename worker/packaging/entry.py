"""What the frozen sidecar starts: the console script `ocr-worker`."""

from __future__ import annotations

import sys

from ocr_worker.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
