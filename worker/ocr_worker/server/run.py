"""Run the service until it is told to end; only its own machine can reach it, unless there is a token."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator

import uvicorn

from ocr_worker.errors import InvalidParamsError, OutputPermissionError
from ocr_worker.jobs.runtime import Runtime
from ocr_worker.model.serving import ServiceOptions
from ocr_worker.processes.guard import ending_signals
from ocr_worker.server.again import Again
from ocr_worker.server.app import make_service
from ocr_worker.server.connections import impatient
from ocr_worker.server.desk import Desk
from ocr_worker.server.gate import LEAST_TOKEN, as_sent, is_loopback
from ocr_worker.settings import Settings

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 0.25
"""Between two of a job: each is put into words, and sent to all who watch."""
OPEN_FILES_BESIDE = 1000
"""Those that are no connections: the store, page processes, downloads."""
GRACE_SECONDS = 3
"""How long requests in work may take when the service ends."""


def serve(options: ServiceOptions, settings: Settings, ready: Callable[[str], None]) -> int:
    """Serve until a signal.

    Args:
        options: of the service.
        settings: of its worker.
        ready: told the address once the service listens.

    Returns:
        The exit code.

    Raises:
        InvalidParamsError: it would be open to others without a token, or the address can't be used.
        OutputPermissionError: the state folder can't be used.
    """
    require_safe(options)
    _allow_connections(options.limits.connections)
    listener = _listener(options)
    runtime = Runtime(settings, progress_seconds=PROGRESS_SECONDS).start()
    try:
        app, desk = make_service(options, runtime)
        ready(_address(listener, options))
        return asyncio.run(_serve(app, desk, listener))
    except OSError as error:
        raise OutputPermissionError(f"The state folder can't be used: {error}.") from error
    finally:
        listener.close()
        runtime.call(lambda service: service.interrupt("the service ended"))
        runtime.close()


def require_safe(options: ServiceOptions) -> None:
    """Raises InvalidParamsError."""
    token = options.token
    if token is not None and (len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable()):
        raise InvalidParamsError(
            f"The token must have at least {LEAST_TOKEN} printable ASCII characters.", field="token"
        )
    if token is None and not is_loopback(options.host):
        raise InvalidParamsError(
            f"Without a token only this machine may reach the service, and {options.host} is more than that. "
            "Give --token-file, or leave --host away.",
            field="host",
        )
    if token is None and options.allowed_hosts:
        raise InvalidParamsError("--allow-host needs a token: give --token-file.", field="allowed_hosts")
    for host in options.allowed_hosts:
        if as_sent(host) is None:
            raise InvalidParamsError(
                f"--allow-host takes a name or an address alone, without scheme, port and path, and not {host}.",
                field="allowed_hosts",
            )
    for root in options.roots:
        if not root.is_dir():
            raise InvalidParamsError(f"The root {root} is no folder.", field="roots")


def _allow_connections(most: int) -> None:
    """Have as many open files as connections may need: a shell or systemd allow a thousand until they are asked for more."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + OPEN_FILES_BESIDE
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


class _Server(uvicorn.Server):
    """Watchers are told before requests are waited for: they would never end."""

    def __init__(self, config: uvicorn.Config, desk: Desk) -> None:
        super().__init__(config)
        self._desk = desk

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Not uvicorn's, which raises the signal again at the end: then nobody would be left to end the runtime."""
        before = {number: signal.signal(number, self.handle_exit) for number in ending_signals()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._desk.hub.close()
        await super().shutdown(sockets)


async def _serve(app: Again, desk: Desk, listener: socket.socket) -> int:
    limits = desk.options.limits
    config = uvicorn.Config(
        app,
        http=impatient(limits, app),
        ws="none",
        lifespan="on",
        limit_concurrency=limits.connections,
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
        access_log=False,
        log_config=None,
        # Whoever sends rubbish is no news, and could fill the log with it.
        log_level="error",
    )
    # It tells of each form that is rubbish.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    server = _Server(config, desk)
    await server.serve([listener])
    return 0 if server.started else 1


def _listener(options: ServiceOptions) -> socket.socket:
    try:
        found = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, address = found[0]
        # With its protocol known, asyncio sends small answers at once.
        listener = socket.socket(family, kind, protocol)
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        message = f"Can't listen on {options.host}, port {options.port}: {error.strerror or error}."
        raise InvalidParamsError(message, field="port") from error
    return listener


def _address(listener: socket.socket, options: ServiceOptions) -> str:
    host = f"[{options.host}]" if ":" in options.host else options.host
    return f"http://{host}:{listener.getsockname()[1]}/"
