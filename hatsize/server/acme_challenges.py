"""Answers to an ACME server's challenges: over HTTP (RFC 8555, 8.3), and in a TLS handshake (RFC 8737)."""

import hashlib
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hatsize.server.tls import CertificateFiles

ALPN = "acme-tls/1"
HTTP_PATH = "/.well-known/acme-challenge/"
IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")
"""The extension that carries the SHA-256 of the key authorization."""
_OCTET_STRING = bytes([0x04, 32])


class Challenges:
    """What is to be answered now. Written by the thread that orders a certificate, read by the event loop's."""

    def __init__(self) -> None:
        self.tokens: dict[str, str] = {}
        """By token, what is answered over HTTP."""
        self.contexts: dict[str, ssl.SSLContext] = {}
        """By domain, what is shown in TLS."""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        """For handshakes that ask for ALPN: goes over to the context of the name that is asked for."""
        self.context.set_alpn_protocols([ALPN])
        self.context.sni_callback = self._choose

    def show(self, domain: str, key_authorization: str) -> None:
        """Answer a challenge of a domain in TLS."""
        self.contexts[domain] = challenge_context(domain, key_authorization)

    def clear(self) -> None:
        """Nothing is asked any more."""
        self.tokens.clear()
        self.contexts.clear()

    def _choose(self, connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> int | None:
        context = self.contexts.get((name or "").lower())
        if context is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = context
        return None


def challenge_context(domain: str, key_authorization: str) -> ssl.SSLContext:
    """The TLS settings with the certificate that proves a domain (RFC 8737, 3)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "acme")])
    now = datetime.now(UTC)
    digest = hashlib.sha256(key_authorization.encode()).digest()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(domain)]), critical=False)
        .add_extension(x509.UnrecognizedExtension(IDENTIFIER, _OCTET_STRING + digest), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols([ALPN])
    with tempfile.TemporaryDirectory() as folder:
        files = CertificateFiles(Path(folder, "certificate.pem"), Path(folder, "key.pem"))
        files.certificate.write_bytes(certificate.public_bytes(pem))
        files.key.write_bytes(private)
        context.load_cert_chain(files.certificate, files.key)
    return context


def http_app(challenges: Challenges, url: str) -> Any:
    """The ASGI app of a port for http-01 alone: answers challenges, and sends everybody else to `url`."""

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        path = scope["path"]
        answer = challenges.tokens.get(path.removeprefix(HTTP_PATH)) if path.startswith(HTTP_PATH) else None
        if answer is not None:
            status, headers, body = 200, [(b"content-type", b"application/octet-stream")], answer.encode()
        else:
            status, headers, body = 308, [(b"location", (url + scope["raw_path"].decode("ascii")).encode())], b""
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app
