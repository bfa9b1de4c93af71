"""Take a share of a core, in as many short turns a second as clients that poll: `python -m bench.server.burden CORES`.

Until it is killed.
"""

from __future__ import annotations

import sys
import time

from bench.server.load import POLLS_PER_SECOND


def main() -> None:
    cores, begun = float(sys.argv[1]), time.perf_counter()
    while True:
        # Where it had to wait for its turn, it catches up, as clients do.
        while time.process_time() < cores * (time.perf_counter() - begun):
            continue
        time.sleep(1 / POLLS_PER_SECOND)


if __name__ == "__main__":
    main()
