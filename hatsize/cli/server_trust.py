"""How the command line knows a server over HTTPS: by the system's authorities, or by what a variable says instead.

`HATSIZE_SERVER_CA` names a PEM file of certificates to trust, an authority's or the server's own; `HATSIZE_SERVER_PIN`
is the SHA-256 fingerprint of the server's certificate; `HATSIZE_SERVER_INSECURE=1` asks whoever answers.
"""

import hashlib
import os
import re
import ssl
from collections.abc import Mapping
from hmac import compare_digest
from http.client import HTTPSConnection

import click

from hatsize.cli.failures import Failure

CA, PIN, INSECURE = "HATSIZE_SERVER_CA", "HATSIZE_SERVER_PIN", "HATSIZE_SERVER_INSECURE"
FINGERPRINT = re.compile(r"(?:sha256(?:-raw)?)?([0-9a-f]{64})")


class PinnedConnection(HTTPSConnection):
    """HTTPS with the one server whose certificate has the fingerprint; nothing is sent to any other."""

    def __init__(self, host: str, port: int | None, timeout: float, fingerprint: str) -> None:
        super().__init__(host, port, timeout=timeout, context=_unverified())
        self._fingerprint = fingerprint

    def connect(self) -> None:
        super().connect()
        assert isinstance(self.sock, ssl.SSLSocket)
        shown = hashlib.sha256(self.sock.getpeercert(binary_form=True) or b"").hexdigest()
        if not compare_digest(shown, self._fingerprint):
            self.close()
            raise Failure(f"{self.host} shows another certificate than {PIN} says: its fingerprint is sha256:{shown}")


def https_connection(
    host: str, port: int | None, timeout: float, environ: Mapping[str, str] = os.environ
) -> HTTPSConnection:
    """A connection that trusts as the variables say; raises Failure for variables that cannot be used."""
    given = [name for name in (CA, PIN, INSECURE) if environ.get(name, "").lower() not in {"", "0", "false"}]
    if len(given) > 1:
        raise Failure(f"{' and '.join(given)} are set, which contradict each other: keep one")
    if PIN in given:
        return PinnedConnection(host, port, timeout, _fingerprint(environ[PIN]))
    if INSECURE in given:
        click.echo(f"Warning: {INSECURE} is set, so whoever answers at {host} is sent the API key", err=True)
        return HTTPSConnection(host, port, timeout=timeout, context=_unverified())
    return HTTPSConnection(host, port, timeout=timeout, context=_trusting(environ[CA]) if CA in given else None)


def untrusted(where: str, host: str, port: int | None, timeout: float, error: ssl.SSLCertVerificationError) -> Failure:
    """Why a certificate was not taken, and how to trust it where it is the right one."""
    try:
        certificate = ssl.get_server_certificate((host, port or 443), timeout=timeout)
        shown = "sha256:" + hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest()
    except (OSError, ValueError):
        shown = "its fingerprint"
    return Failure(
        f"the certificate of {where} is not trusted: {error.verify_message}; set {CA} to a file with it or its "
        f"authority's, or, if that is the fingerprint it has on the server, {PIN}={shown}"
    )


def _fingerprint(text: str) -> str:
    """64 hexadecimal digits, from what DERP maps and openssl write too: `sha256-raw:…`, `AB:CD:…`."""
    found = FINGERPRINT.fullmatch(text.strip().lower().replace(":", ""))
    if found is None:
        raise Failure(f"{PIN} is no SHA-256 fingerprint: give 64 hexadecimal digits, as sha256:0123…")
    return found[1]


def _trusting(path: str) -> ssl.SSLContext:
    """A context that trusts what stands in the file alone, be it an authority or the server's own certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(path)
    except ssl.SSLError:
        raise Failure(f"{CA}={path} holds no certificates: give a PEM file") from None
    except OSError as error:
        raise Failure(f"{CA}={path} cannot be read: {error.strerror}") from error
    return context


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
