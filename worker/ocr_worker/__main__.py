"""The console script `ocr-worker`: with no arguments the stdio worker, otherwise the command line."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

EXIT_INTERNAL, EXIT_START_UP = 1, 2


def main() -> int:
    """Run what argv asks for; the exit code. Page processes of a frozen program come through here as well."""
    arguments = sys.argv[1:]
    if not arguments:
        return _serve()
    if arguments[0] == "page-process":
        from ocr_worker.pipeline.page_process import main as page_process

        return page_process(int(arguments[1]), Path(arguments[2]), int(arguments[3]))
    from ocr_worker.cli.commands import run

    return run(arguments)


def _serve() -> int:
    """Be the stdio worker. Stdin and stdout are claimed and the guard forked before anything heavy is imported."""
    from ocr_worker.claim import claim
    from ocr_worker.guard import start_guard
    from ocr_worker.settings import settings_from_environment

    try:
        settings = settings_from_environment()
        channel = claim()
    except (OSError, ValueError) as error:
        # A closed stderr has no sys.stderr, and a full one takes nothing: the exit code says it then.
        with suppress(OSError):
            os.write(2, f"ocr-worker can't start: {error}\n".encode("ascii", "backslashreplace"))
        return EXIT_START_UP
    for number in (signal.SIGINT, signal.SIGTERM):
        # Until the loop is there to hear it, an order to end is carried out on the spot.
        signal.signal(number, lambda received, _: os._exit(128 + received))
    guard = start_guard(channel.stdout, settings.grace_seconds)
    from ocr_worker.logs import log_to_stderr

    log_to_stderr()
    from ocr_worker.app import App

    return App(channel, settings, guard).run()


if __name__ == "__main__":
    sys.exit(main())
