"""An authority and two certificates: whoever holds one may run code on the nodes, so the files are their owner's alone."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ocr_worker.files.private import make_private

VALID_DAYS = 5 * 365
ONE_DAY = timedelta(days=1)
SIDES = ("scheduler", "node")
"""The node's is for the coordinator, too."""


def make_certificates(folder: Path) -> list[Path]:
    """Write `ca.pem`, and for each side `SIDE.pem` and `SIDE.key`; the authority's own key is kept nowhere.

    Raises:
        FileExistsError: some of them are there.
        OSError: the folder can't be written.
    """
    make_private(folder)
    names = ["ca.pem", *(f"{side}.{kind}" for side in SIDES for kind in ("pem", "key"))]
    if taken := [name for name in names if (folder / name).exists()]:
        raise FileExistsError(str(folder / taken[0]))
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("OCR Sidecar cluster", authority_key, None)
    written = [_write(folder / "ca.pem", authority.public_bytes(serialization.Encoding.PEM))]
    for side in SIDES:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(f"OCR Sidecar {side}", key, (authority, authority_key))
        written.append(_write(folder / f"{side}.pem", certificate.public_bytes(serialization.Encoding.PEM)))
        written.append(_write(folder / f"{side}.key", _private(key)))
    return written


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    signer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, signing_key = (subject, key) if signer is None else (signer[0].subject, signer[1])
    now = datetime.now(timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Clocks of machines differ.
        .not_valid_before(now - ONE_DAY)
        .not_valid_after(now + VALID_DAYS * ONE_DAY)
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False
        )
        .add_extension(_usage(is_authority=signer is None), critical=True)
    )
    if signer is not None:
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(both), critical=False)
    return builder.sign(signing_key, hashes.SHA256())


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(place: Path, content: bytes) -> Path:
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)
    return place
