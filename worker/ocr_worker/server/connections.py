"""Connections: closed in time whose client sends no request, or part of one, or takes no answer; quick where it repeats one."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from ocr_worker.model.serving import ServiceLimits
from ocr_worker.server.again import ASKED, LONGEST_REQUEST, Again
from ocr_worker.server.feed import LINE

READ_BYTES = 2**16


class ToClient:
    """A line of `Feed.follow`: what is sent goes to the socket at once."""

    def __init__(self, protocol: Impatient) -> None:
        self._protocol, self._cycle = protocol, protocol.cycle

    @property
    def is_free(self) -> bool:
        protocol, cycle = self._protocol, self._cycle
        # A client of HTTP/1.0 knows of no parts.
        is_open = cycle is protocol.cycle and cycle.response_started and not cycle.response_complete
        is_heard = not cycle.disconnected and not protocol.transport.is_closing()
        return (
            is_open
            and is_heard
            and not protocol.flow.write_paused
            and protocol.scope["http_version"] == "1.1"
        )

    def send(self, framed: bytes) -> None:
        self._protocol.transport.write(framed)


class Impatient(H11Protocol):
    """Uvicorn's protocol, with limits of time. What is known to be asked again is not parsed again."""

    limits: ServiceLimits
    again: Again
    _silent: asyncio.TimerHandle | None = None
    """Runs from the connection, or a request's first byte, to the end of its headers."""
    _deaf: asyncio.TimerHandle | None = None
    """Runs while more is to be sent than the client takes."""

    def connection_made(self, transport: Any) -> None:
        # For each read of asyncio's 256 KiB the system would have to find memory, which takes longer than an answer.
        transport.max_size = READ_BYTES
        super().connection_made(transport)
        self._wait_for_request()

    def data_received(self, data: bytes) -> None:
        is_between = self._is_between_requests()
        if is_between and self._answered_again(data):
            return
        super().data_received(data)
        if is_between and len(data) <= LONGEST_REQUEST and self._is_one_request():
            # Its task runs later.
            scope = cast("dict[str, Any]", self.scope)
            scope[ASKED], scope[LINE] = (self._peer, data), ToClient(self)
        if self.conn.their_state is h11.IDLE:
            self._wait_for_request()
        else:
            _stop(self._silent)
            self._silent = None

    @property
    def _peer(self) -> str:
        return self.client[0] if self.client else ""

    def _is_one_request(self) -> bool:
        """Whether what came is a request, from its first byte to its last."""
        return self.conn.their_state is h11.DONE and self.conn.trailing_data[0] == b""

    def _is_between_requests(self) -> bool:
        """Whether the next bytes begin a request, and nothing is still to be sent."""
        states = {self.conn.our_state, self.conn.their_state}
        return states == {h11.IDLE} and self.conn.trailing_data == (b"", False) and not self.flow.write_paused

    def _answered_again(self, data: bytes) -> bool:
        said = self.again.answer(self._peer, data)
        if said is None:
            return False
        _stop(self._silent)
        self._silent = None
        self._unset_keepalive_if_required()
        dated = b"".join(b"%s: %s\r\n" % header for header in self.server_state.default_headers)
        self.transport.write(b"HTTP/1.1 200 OK\r\n" + dated + said)
        self.on_response_complete()
        return True

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


def impatient(limits: ServiceLimits, again: Again) -> type[Impatient]:
    """The protocol with these limits, for this app."""
    return type("Impatient", (Impatient,), {"limits": limits, "again": again})
