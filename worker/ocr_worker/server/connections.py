"""Connections are closed in time whose client sends no request, or only part of one, or takes no answer."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from ocr_worker.model.serving import ServiceLimits


class Impatient(H11Protocol):
    """Uvicorn's protocol, with limits of time."""

    limits: ServiceLimits = ServiceLimits()
    _silent: asyncio.TimerHandle | None = None
    """Runs from the connection, or a request's first byte, to the end of its headers."""
    _deaf: asyncio.TimerHandle | None = None
    """Runs while more is to be sent than the client takes."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait_for_request()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._wait_for_request()
        else:
            _stop(self._silent)
            self._silent = None

    def send_400_response(self, msg: str) -> None:
        """Ends the request in work, too: its answer would come after this one."""
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        # Closing would wait for what is still to be sent.
        self._deaf = self.loop.call_later(self.limits.send_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        _stop(self._deaf)

    def connection_lost(self, exc: Exception | None) -> None:
        _stop(self._silent)
        _stop(self._deaf)
        super().connection_lost(exc)

    def _wait_for_request(self) -> None:
        if self._silent is None:
            self._silent = self.loop.call_later(self.limits.header_seconds, self.transport.close)


def _stop(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()


def impatient(limits: ServiceLimits) -> type[Impatient]:
    """The protocol with these limits."""
    return type("Impatient", (Impatient,), {"limits": limits})
