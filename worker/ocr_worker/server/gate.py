"""Who may come in: host, origin, rate and token of a request are checked before anything else sees it."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import time
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ocr_worker.model.serving import ServiceOptions
from ocr_worker.server.problems import RefusedError, refusal

COOKIE = "ocr_sidecar"
LEAST_TOKEN = 16
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_OPEN = {"/api/v1/health", "/api/v1/session"}
"""Beside the page itself, which has nothing to tell."""
_HOST = re.compile(r"(\[(?P<address>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(:[0-9]*)?")
"""By RFC 9110: nothing else that an address may have."""
MOST_ADDRESSES = 10_000


def needs_token(path: str) -> bool:
    """Whether nothing is told there without the token, where there is one."""
    return path.startswith(("/api/", "/openapi")) and path not in _OPEN


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def as_sent(host: str) -> str | None:
    """A host as browsers name it: small letters, Punycode, addresses as short as can be. None if it is more than a host."""
    try:
        if ":" in host:
            return str(ipaddress.ip_address(host))
        name = host.lower() if host.isascii() else host.encode("idna").decode()
    except ValueError:
        return None
    return name if _host_name(name) == name else None


@dataclass(slots=True)
class Allowance:
    """So many a second for each address, and as many at once."""

    per_second: float
    at_once: float
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)

    def spend(self, address: str) -> bool:
        """Take one; False if none is left."""
        now = time.monotonic()
        left, then = self._left.pop(address, (self.at_once, now))
        left = min(self.at_once, left + (now - then) * self.per_second)
        if len(self._left) >= MOST_ADDRESSES:
            # The one that was seen least recently has most of its allowance back.
            self._left.pop(next(iter(self._left)))
        self._left[address] = (left - 1 if left >= 1 else left, now)
        return left >= 1


class Token:
    """The word that clients must have. Compared by digests, in a time that tells nothing of it."""

    def __init__(self, word: str) -> None:
        self._word = _digest(word)
        self.cookie: str = hmac.new(word.encode(), b"ocr-sidecar session", hashlib.sha256).hexdigest()
        """What a browser keeps in its place."""
        self._cookie = _digest(self.cookie)

    def is_word(self, given: str) -> bool:
        return hmac.compare_digest(_digest(given), self._word)

    def is_given(self, headers: Headers) -> bool:
        """Whether a request has the word, or the cookie."""
        scheme, _, word = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.is_word(word.strip())
        try:
            kept = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return kept is not None and hmac.compare_digest(_digest(kept.value), self._cookie)


class Gate:
    """ASGI middleware, the outermost."""

    def __init__(self, app: ASGIApp, options: ServiceOptions) -> None:
        self._app, limits = app, options.limits
        self._hosts = _LOOPBACK | {options.host, *filter(None, map(as_sent, options.allowed_hosts))}
        self.token: Token | None = Token(options.token) if options.token else None
        self._requests = Allowance(limits.requests_per_second, 2.0 * limits.requests_per_second)
        self._wrong = Allowance(limits.wrong_tokens_per_minute / 60, limits.wrong_tokens_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/api/"):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        try:
            self._check(scope)
        except RefusedError as error:
            await refusal(scope["path"], error)(scope, receive, send_safely)
            return
        await self._app(scope, receive, send_safely)

    def _check(self, scope: Scope) -> None:
        headers, address = Headers(scope=scope), (scope.get("client") or ("", 0))[0]
        if not self.may_ask(address):
            raise RefusedError(429, "Too many requests. Try again in a second.", {"Retry-After": "1"})
        host = headers.get("host", "")
        if _host_name(host) not in self._hosts:
            # Another name that leads here may be an attacker's (DNS rebinding).
            raise RefusedError(421, "This service does not answer under that host name: see --allow-host.")
        _require_same_site(headers, host, scope["path"])
        if self.token and needs_token(scope["path"]):
            self.require_word(address, given=self.token.is_given(headers))

    def may_ask(self, address: str) -> bool:
        """Take one from the allowance of requests of an address."""
        return self._requests.spend(address)

    def require_word(self, address: str, *, given: bool) -> None:
        """Raises RefusedError without the token.

        Too many wrong ones are told to wait. The right one always opens: behind a proxy all clients have one address.
        """
        if not given:
            if not self._wrong.spend(address):
                raise RefusedError(
                    429, "Too many wrong tokens. Try again in a minute.", {"Retry-After": "60"}
                )
            challenge = {"WWW-Authenticate": "Bearer"}
            raise RefusedError(401, "A token is needed: Authorization: Bearer TOKEN.", challenge)


def _require_same_site(headers: Headers, host: str, path: str) -> None:
    """Refuse what a page of another site had the browser send (CSRF)."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None and _authority(origin) != host.lower():
        raise RefusedError(403, "Requests from pages of other origins are refused.")
    if site in ("cross-site", "same-site") and path.startswith("/api/"):
        raise RefusedError(403, "Requests from pages of other sites are refused.")


def _authority(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _host_name(host: str) -> str:
    found = _HOST.fullmatch(host)
    return (found["address"] or found["name"]).lower() if found else ""


def _digest(word: str) -> bytes:
    return hashlib.sha256(word.encode("utf-8", "surrogateescape")).digest()
