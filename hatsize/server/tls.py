"""Certificates: a self-signed one made and kept, its pin, and the TLS settings of the port.

A certificate can be replaced while the server runs: build a new context and assign it to the listener.
"""

import ipaddress
import os
import ssl
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=3650)
_RENEW_BEFORE = timedelta(days=30)
_DERP_VERSION = 2


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """A certificate chain and its private key, each a PEM file."""

    certificate: Path
    key: Path


class CertificateError(Exception):
    """Certificate files cannot be used; the message names the file."""


def self_signed(directory: Path, names: Sequence[str]) -> CertificateFiles:
    """The self-signed certificate kept in `directory` for these DNS names and addresses; made when there is none.

    A kept one is replaced when it is for other names, or about to expire. Its key is readable by its owner only.
    """
    files = CertificateFiles(directory / "self-signed.crt", directory / "self-signed.key")
    if not _keep(files, names):
        directory.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        write_whole(files.key, _key_pem(key), 0o600)
        certificate = _certificate(key, names[0], LIFETIME, x509.random_serial_number(), names)
        write_whole(files.certificate, _pem(certificate), 0o644)
    return files


def pin(certificate: Path) -> str:
    """The `CertName` that pins the first certificate of a PEM file in a DERP map: `sha256-raw:<hex>`."""
    return "sha256-raw:" + _load(certificate).fingerprint(hashes.SHA256()).hex()


def meta_certificate(relay: bytes) -> bytes:
    """The PEM certificate that tells a relay's 32-byte public key in the TLS handshake (common name `derpkey<hex>`).

    Clients on TLS 1.3 that see it need no round trip to learn the key. Nobody checks its signature.
    """
    key = ed25519.Ed25519PrivateKey.generate()
    return _pem(_certificate(key, "derpkey" + relay.hex(), LIFETIME, _DERP_VERSION, ()))


def build_context(files: CertificateFiles, appended: bytes = b"") -> ssl.SSLContext:
    """The TLS settings of the port: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1; `appended` is PEM behind the chain.

    Raises CertificateError when the files are missing, no PEM, or no pair.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    # A client knows which cipher its processor is fast at, and all that are left are good ones.
    context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    # Tailscale clients resume no sessions, and tickets for it are a sixth of what a connection to the relay costs.
    context.num_tickets = 0
    context.set_alpn_protocols(["h2", "http/1.1"])
    try:
        with tempfile.NamedTemporaryFile(suffix=".pem") as chain:
            chain.write(files.certificate.read_bytes().rstrip() + b"\n" + appended)
            chain.flush()
            context.load_cert_chain(chain.name, files.key)
    except FileNotFoundError as error:
        raise CertificateError(f"{error.filename or files.key} does not exist") from None
    except (OSError, ssl.SSLError) as error:
        raise CertificateError(f"{files.certificate} and {files.key} are no certificate and its key: {error}") from None
    return context


def _keep(files: CertificateFiles, names: Sequence[str]) -> bool:
    try:
        certificate = _load(files.certificate)
    except CertificateError:
        return False
    held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    fresh = certificate.not_valid_after_utc > datetime.now(UTC) + _RENEW_BEFORE
    return fresh and set(held) == set(map(_general_name, names)) and files.key.exists()


def _load(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        raise CertificateError(f"{path} is no PEM certificate") from None


def _certificate(
    key: CertificateIssuerPrivateKeyTypes, common_name: str, lifetime: timedelta, serial: int, names: Sequence[str]
) -> x509.Certificate:
    subject = _subject(common_name)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + lifetime)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(map(_general_name, names)), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def _subject(common_name: str) -> x509.Name:
    """A name of any length: a relay's has 71 characters, against the 64 of X.520."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name, _validate=False)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write_whole(path: Path, content: bytes, mode: int) -> None:
    """Write a file whole or not at all, with its mode from the first byte."""
    part = path.with_suffix(path.suffix + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    part.replace(path)
