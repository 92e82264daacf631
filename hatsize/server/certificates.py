"""The certificate that the port shows, replaced while the server runs."""

import logging
import ssl
from collections.abc import Callable
from pathlib import Path

from hatsize.server.listener import Listener
from hatsize.server.tls import CertificateError, CertificateFiles, build_context

log = logging.getLogger(__name__)


class Certificates:
    """Puts certificates on a listener, each followed by the relay's own (`appended`, PEM)."""

    def __init__(self, files: CertificateFiles, appended: bytes) -> None:
        self.files = files
        self._appended = appended
        self._listener: Listener | None = None
        self.elsewhere: Callable[[CertificateFiles], None] | None = None
        """Who else shows the certificate, and is told of another one."""

    def context(self, files: CertificateFiles) -> ssl.SSLContext:
        """The port's TLS settings with these files; raises CertificateError."""
        return build_context(files, self._appended)

    def serve_on(self, listener: Listener) -> None:
        """Put the certificate on a listener, now and whenever it is another one; raises CertificateError."""
        self._listener = listener
        self.install(self.files, self.context(self.files))

    def install(self, files: CertificateFiles, context: ssl.SSLContext) -> None:
        """Show this certificate to those who connect from now on."""
        self.files = files
        if self._listener is not None:
            self._listener.ssl_context = context
        if self.elsewhere is not None:
            self.elsewhere(files)

    def paths(self) -> list[Path]:
        """The files that are worth watching."""
        return [self.files.certificate, self.files.key]

    async def reload(self) -> None:
        """Read the files again; when they cannot be used the former certificate stays, and the log says why."""
        try:
            self.install(self.files, self.context(self.files))
        except CertificateError as error:
            log.error("the former certificate stays in use: %s", error)  # noqa: TRY400 - a fault of the files
        else:
            log.info("the certificate of %s is in use", self.files.certificate)
