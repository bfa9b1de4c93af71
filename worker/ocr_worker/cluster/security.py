"""Which way to a scheduler is allowed: TLS with certificates of both sides, but for loopback and where nobody minds."""

from __future__ import annotations

import ipaddress

from ocr_worker.errors import ClusterInsecureError
from ocr_worker.settings import TlsFiles

TLS, PLAIN, IN_PROCESS = "tls", "tcp", "inproc"
PORT = 8786
"""Dask's own."""


def checked_address(address: str, tls: TlsFiles | None, *, insecure: bool) -> str:
    """The scheduler's address with its scheme; the port is Dask's own where none is given.

    Raises:
        ClusterInsecureError: the way there leaves this machine, and has no TLS.
    """
    scheme, _, rest = address.rpartition("://")
    scheme = scheme or (TLS if tls else PLAIN)
    if scheme == IN_PROCESS:
        return address
    host, _, port = rest.rpartition(":") if ":" in rest and not rest.endswith("]") else (rest, "", "")
    if scheme not in (TLS, PLAIN) or not host or not _is_port(port or str(PORT)):
        raise ClusterInsecureError(
            f"{address!r} is no address of a scheduler: write tls://HOST:{PORT}, or tcp://HOST:{PORT}"
        )
    if scheme == TLS and tls is None:
        raise ClusterInsecureError(
            f"{address} takes certificates: name those of the authority, of this side, and its key"
        )
    if scheme == PLAIN and not (insecure or _is_loopback(host)):
        raise ClusterInsecureError(
            f"{address} is reached without TLS, so anybody on the way could read pages and run code: use certificates, or"
            " say --insecure"
        )
    return f"{scheme}://{host}:{port or PORT}"


def is_secure(address: str) -> bool:
    """Whether nobody but a node reads what is sent."""
    return address.startswith((f"{TLS}://", f"{IN_PROCESS}://"))


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) < 65536


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
