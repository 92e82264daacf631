"""A certificate that is ordered when there is none, and again in time."""

import logging
import random
from datetime import UTC, datetime
from pathlib import Path

import anyio
from anyio import to_thread
from cryptography import x509

from hatsize.server.acme_challenges import Challenges
from hatsize.server.certificates import Certificates
from hatsize.server.settings_sections import Acme
from hatsize.server.tls import CertificateError, CertificateFiles

log = logging.getLogger(__name__)

LOOK_EVERY = 3600.0
FIRST_RETRY = 60.0
LAST_RETRY = 6 * 3600.0


class Renewal:
    """Keeps the certificate of the configured domains in `folder`, and on the listener, valid."""

    def __init__(self, settings: Acme, folder: Path, certificates: Certificates, challenges: Challenges) -> None:
        self._settings = settings
        self._folder = folder
        self._certificates = certificates
        self.challenges = challenges
        self._usable = False
        self.files = ordered_files(folder)

    def resume(self) -> bool:
        """Use the certificate of a former run; whether there is one."""
        if not covers(self.files.certificate, self._settings.domains):
            return False
        try:
            self._install()
        except CertificateError as error:
            log.warning("the certificate of a former run is ordered anew: %s", error)
        return self._usable

    async def run(self) -> None:
        """Order certificates in time until cancelled; after a failure, again after a growing pause."""
        pause = FIRST_RETRY
        while True:
            good_for = until_due(self.files.certificate) if self._usable else 0.0
            if good_for > 0:
                await anyio.sleep(min(good_for, LOOK_EVERY))
            elif await self._renew():
                pause = FIRST_RETRY
            else:
                await anyio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads load, no secret
                pause = min(pause * 2, LAST_RETRY)

    def _install(self) -> None:
        """Show the certificate in the files; CertificateError when it is none, or not its key's."""
        self._certificates.install(self.files, self._certificates.context(self.files))
        self._usable = True

    async def _renew(self) -> bool:
        from hatsize.server.acme_order import OrderError, order  # noqa: PLC0415 - slow, and only for those who use it

        names = ", ".join(self._settings.domains)
        try:
            await to_thread.run_sync(order, self._settings, self._folder, self.files, self.challenges)
            self._install()
        except (OrderError, CertificateError) as error:
            log.error("no certificate for %s: %s", names, error)  # noqa: TRY400 - mostly a fault of the surroundings
            return False
        log.info("a new certificate for %s is in use", names)
        return True


def ordered_files(folder: Path) -> CertificateFiles:
    """Where the certificate of an ACME server is kept below the account's folder."""
    return CertificateFiles(folder / "certificate.pem", folder / "key.pem")


def covers(path: Path, domains: tuple[str, ...]) -> bool:
    """Whether a certificate is there and names the domains, and no others."""
    certificate = _read(path)
    if certificate is None:
        return False
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(names.get_values_for_type(x509.DNSName)) == set(domains)


def until_due(path: Path) -> float:
    """Seconds until a third of a certificate's life is left, none or fewer when it is due or not there."""
    certificate = _read(path)
    if certificate is None:
        return 0.0
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return (certificate.not_valid_after_utc - life / 3 - datetime.now(UTC)).total_seconds()


def _read(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None
