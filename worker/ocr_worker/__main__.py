"""The console script `ocr-worker`: with no arguments the stdio worker, otherwise the command line."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

    from ocr_worker.logs import Stderr
    from ocr_worker.model.serving import ServiceOptions
    from ocr_worker.model.sharding import Shards
    from ocr_worker.settings import Settings
    from ocr_worker.stdio.startup import HeadStart

EXIT_INTERNAL, EXIT_START_UP = 1, 2


def main() -> int:
    """Run what argv asks for; the exit code. Page processes of a frozen program come through here as well."""
    _read_paths_as_utf8()
    _leave_no_core()
    arguments = sys.argv[1:]
    if not arguments:
        return _serve()
    if arguments[0] == "page-process":
        from ocr_worker.processes.child import main as page_process

        return page_process(int(arguments[1]), int(arguments[2]), *arguments[3:])
    # Imports take a while, and nothing has started: a Ctrl-C this early just ends the process.
    signal.signal(signal.SIGINT, lambda number, _: os._exit(128 + number))
    if arguments[0] == "node-process":
        from ocr_worker.cluster.node_process import main as node_process

        return node_process(arguments[1])
    # What imports make is no garbage: looking for some among it takes a while.
    gc.disable()
    from ocr_worker.cli.app import OtherFaces, run

    gc.freeze()
    gc.enable()
    return run(arguments, OtherFaces(_start_service, _open_shards))


def _start_service(options: ServiceOptions, settings: Settings, ready: Callable[[str], None]) -> int:
    """Serve over HTTP, by packages that the main install does without."""
    from ocr_worker.files.installation import require_packages

    packages = ("fastapi", "python_multipart", "sse_starlette", "uvicorn")
    require_packages("The service needs more packages", "server", packages)
    from ocr_worker.server.run import serve

    return serve(options, settings, ready)


def _open_shards() -> Shards:
    """Files by URL, by a package that the main install does without."""
    from ocr_worker.files.installation import require_packages

    require_packages("Shards need one more package", "shards", ("fsspec",))
    from ocr_worker.shards.face import Sharding

    return Sharding()


def _serve() -> NoReturn:
    """Be the stdio worker. Stdin and stdout are claimed and the guard forked before anything heavy is imported."""
    from ocr_worker.processes.claim import claim
    from ocr_worker.processes.guard import ending_signals, start_guard
    from ocr_worker.settings import log_level, settings_from_environment

    try:
        channel = claim()
        settings, level = settings_from_environment(), log_level("WARNING")
    except (OSError, ValueError) as error:
        _refuse(error)
    for number in ending_signals():
        # Until the loop is there to hear it, an order to end is carried out on the spot.
        signal.signal(number, lambda received, _: os._exit(128 + received))
    try:
        guard = start_guard(channel.stdout, settings.grace_seconds)
    except OSError as error:
        _refuse(error)
    # What imports make is no garbage: looking for some among it is a fifteenth of the way to hello.
    gc.disable()
    # Plugins of other programs in this environment have no business in our models, and finding them takes time.
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    from ocr_worker.logs import Stderr, log_to

    stderr = Stderr(os.dup(2))
    stderr.take_prints()
    log_to(stderr, level)
    from ocr_worker.stdio.startup import head_start

    code = _run_loop(head_start(channel, settings, guard))
    # What a library does at its exit may hang as well.
    guard.end_within_grace()
    _leave(code, stderr)


def _refuse(error: Exception) -> NoReturn:
    """End before anything was begun. A stderr that is closed or takes nothing leaves it to the exit code to say so."""
    from ocr_worker.logs import Stderr

    stderr = Stderr(2)
    stderr.say(f"ocr-worker can't start: {error}\n".encode("ascii", "backslashreplace"))
    stderr.finish()
    os._exit(EXIT_START_UP)


def _run_loop(start: HeadStart) -> int:
    try:
        from ocr_worker.stdio.app import App

        app = App(start)
        gc.freeze()
        gc.enable()
        return app.run()
    except Exception:
        from logging import getLogger

        getLogger(__name__).exception("the worker failed")
        return EXIT_INTERNAL


def _leave(code: int, stderr: Stderr) -> NoReturn:
    """Exit with what libraries do at their exit, but not through the interpreter's end, which stops the thread that empties fd 2."""
    atexit._run_exitfuncs()  # noqa: SLF001  # there is no other way to have them run before os._exit
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError, ValueError):
            stream.flush()
    stderr.finish()
    os._exit(code)


def _read_paths_as_utf8() -> None:
    """Begin anew in Python's UTF-8 mode where the locale is another: JSON names files in UTF-8, whatever the shell speaks."""
    if sys.getfilesystemencoding() == "utf-8" or sys.flags.utf8_mode or getattr(sys, "frozen", False):
        return
    # Page processes inherit it. What is said on the terminal stays in its encoding.
    os.environ["PYTHONUTF8"] = "1"
    if sys.stdout is not None:
        os.environ.setdefault("PYTHONIOENCODING", f"{sys.stdout.encoding}:backslashreplace")
    os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606  # ourselves


def _leave_no_core() -> None:
    """A core file would hold passwords. All that we start inherits this."""
    if sys.platform != "win32":
        import resource

        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main())
