"""The certificate of a relay on its own: from files, by ACME, or self-made. Another one is shown without a restart."""

from collections.abc import Sequence
from pathlib import Path

from quart import Quart

from hatsize.derp.settings import RelayAcme, RelaySettings
from hatsize.server.acme import Renewal, covers, ordered_files
from hatsize.server.acme_challenges import HTTP_PATH, Challenges
from hatsize.server.certificates import Certificates
from hatsize.server.listener import Listener
from hatsize.server.settings_sections import Acme
from hatsize.server.tls import CertificateFiles, self_signed
from hatsize.server.watched_files import watch

ACME_FOLDER = "acme"
"""In the data directory: the account, the certificate and its key."""


class RelayCertificate:
    """Shows a certificate on a listener. `run` beside it.

    Of several processes on one port the first one orders certificates, and the others see the files change.
    """

    def __init__(self, settings: RelaySettings, appended: bytes, *, first: bool = True) -> None:
        """`appended` follows each certificate, PEM. Raises CertificateError."""
        self.certificates = Certificates(_files(settings), appended)
        self.challenges = Challenges()
        self._acme = settings.acme
        self._folder = settings.data_dir / ACME_FOLDER
        self._given = settings.certificate is not None
        self._orders = first

    def show_on(self, listener: Listener) -> None:
        """Put the certificate on a listener; raises CertificateError."""
        self.certificates.serve_on(listener)
        if self._acme is not None and self._acme.challenge == "tls-alpn-01":
            listener.challenge_context = self.challenges.context

    def answer_on(self, app: Quart) -> None:
        """Answer an ACME server's http-01 challenges (RFC 8555, 8.3)."""
        tokens = self.challenges.tokens

        @app.get(HTTP_PATH + "<token>")
        async def challenge(token: str) -> tuple[str, int]:
            return (tokens[token], 200) if token in tokens else ("this is asked by nobody now\n", 404)

    def written(self) -> list[Path]:
        """What whoever the process becomes has to be able to write: the folder of an ACME account, made if missing."""
        if self._acme is None or not self._orders:
            return []
        import hatsize.server.acme_order  # noqa: F401, PLC0415 - the user may not be able to read where it is installed

        self._folder.mkdir(mode=0o700, exist_ok=True)
        return [self._folder, *self._folder.iterdir()]

    async def run(self) -> None:
        """Keep the certificate valid, or follow its files, until cancelled."""
        if self._acme is not None and self._orders:
            renewal = Renewal(_section(self._acme), self._folder, self.certificates, self.challenges)
            renewal.resume()
            await renewal.run()
        elif self._acme is not None or self._given:
            await watch(self._paths, self._changed)

    def _paths(self) -> Sequence[Path]:
        ordered = ordered_files(self._folder)
        return self.certificates.paths() if self._acme is None else [ordered.certificate, ordered.key]

    async def _changed(self) -> None:
        if self._acme is not None:
            self.certificates.files = ordered_files(self._folder)
        await self.certificates.reload()


def _files(settings: RelaySettings) -> CertificateFiles:
    if settings.certificate and settings.certificate_key:
        return CertificateFiles(settings.certificate, settings.certificate_key)
    ordered = ordered_files(settings.data_dir / ACME_FOLDER)
    if settings.acme is not None and covers(ordered.certificate, settings.acme.domains):
        return ordered
    names = settings.acme.domains if settings.acme is not None else settings.host_names
    return self_signed(settings.data_dir, names)


def _section(acme: RelayAcme) -> Acme:
    given = {name: getattr(acme, name) for name in ("domains", "email", "challenge", "ca_file")}
    return Acme.model_validate(given | ({"url": acme.url} if acme.url else {}))
