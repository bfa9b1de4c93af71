"""A request that comes again in the very same bytes is answered in the same bytes, for as long as its answer stands."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ocr_worker.server.moment import Moment

ASKED = "ocr_sidecar.asked"
"""In the scope of a request: its bytes, if they came alone and at once, and have no body."""
STANDS = "ocr_sidecar.stands"
"""In the scope before it is answered: the version for which any such request has this answer."""
MOST_KEPT, LONGEST_REQUEST, LONGEST_ANSWER = 64, 2**12, 2**16


@dataclass(frozen=True, slots=True)
class _Answer:
    version: Hashable
    address: str
    """Of the client, who may be behind a proxy: it is in the bytes of the request as well."""
    said: bytes
    """From the first header on."""


class Again:
    """ASGI middleware, outside of the gate. For the thread of the event loop.

    What the gate checks is in the bytes, but for how often an address asks.
    """

    def __init__(self, app: ASGIApp, moment: Moment, may_ask: Callable[[str], bool]) -> None:
        """`moment` as for `Answers`; `may_ask` takes one from the allowance of an address."""
        self._app, self._moment, self._may_ask = app, moment, may_ask
        self._kept = OrderedDict[tuple[str, bytes], _Answer]()

    def answer(self, peer: str, asked: bytes) -> bytes | None:
        """The answer to a request from an address, from its first header on; None if it has to be asked."""
        kept = self._kept.get((peer, asked))
        if kept is None or kept.version != self._moment.lately() or not self._may_ask(kept.address):
            return None
        return kept.said

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if ASKED not in scope:
            await self._app(scope, receive, send)
            return
        said = list[Message]()

        async def keep(message: Message) -> None:
            # Of a download, or of events, nothing is held back.
            if STANDS in scope:
                said.append(message)
            await send(message)

        peer, asked = scope[ASKED]
        await self._app(scope, receive, keep)
        if said:
            self._keep((peer, asked), _Answer(scope[STANDS], scope["client"][0], _on_the_wire(said)))

    def _keep(self, key: tuple[str, bytes], answer: _Answer) -> None:
        self._kept.pop(key, None)
        if len(answer.said) <= LONGEST_ANSWER:
            self._kept[key] = answer
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)


def _on_the_wire(said: list[Message]) -> bytes:
    headers = b"".join(b"%s: %s\r\n" % header for header in said[0]["headers"])
    return headers + b"\r\n" + b"".join(message.get("body", b"") for message in said)
