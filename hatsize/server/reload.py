"""Settings read again while the server runs: all that can take effect does, or nothing when something is wrong."""

import logging
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import anyio
from anyio import to_thread
from anyio.abc import TaskGroup

from hatsize.builtin.magicdns import MagicDNS
from hatsize.derp.map import DERPMapError
from hatsize.server.assemble import Parts, records_file, terms
from hatsize.server.logs import configure_logs
from hatsize.server.plugins import dns_defaults
from hatsize.server.records_file import RecordsFileError
from hatsize.server.run_time_settings import tell_changed
from hatsize.server.settings import Settings, SettingsError
from hatsize.server.settings_changes import taking_effect
from hatsize.server.tls import CertificateError, CertificateFiles
from hatsize.server.watched_files import watch

log = logging.getLogger(__name__)


class Reloader:
    """Brings a running server to the settings as they are now; `read` reads them and raises SettingsError."""

    def __init__(self, parts: Parts, read: Callable[[], Settings]) -> None:
        self._parts = parts
        self._read = read

    def start(self, tasks: TaskGroup) -> None:
        """Begin to follow SIGHUP, and the files that are watched; ends with the task group."""
        tasks.start_soon(self._on_hangup)
        tasks.start_soon(watch, self._certificate_paths, self._parts.certificates.reload)
        tasks.start_soon(watch, self._records_paths, self._reload_records)

    async def reload(self) -> None:
        """Read the settings and put them in force, all or none; what is wrong is logged."""
        try:
            read = await to_thread.run_sync(self._read)
            settings, waiting = taking_effect(self._parts.settings, read)
            await self._put_in_force(settings)
        except SettingsError as error:
            for problem in error.problems:
                log.error("the former settings stay in force: %s", problem)  # noqa: TRY400 - a fault of the file
        except (CertificateError, DERPMapError, RecordsFileError) as error:
            log.error("the former settings stay in force: %s", error)  # noqa: TRY400 - a fault of a file
        else:
            log.info("the settings were read again")
            tell_changed(self._parts.live)
            if waiting:
                log.warning("these settings take effect at the next start: %s", ", ".join(waiting))

    async def _put_in_force(self, settings: Settings) -> None:
        """Everything that may fail comes first."""
        parts = self._parts
        files = _certificate_files(settings) or parts.certificates.files
        context = parts.certificates.context(files)
        sources = await parts.relay_map.prepare(settings.derp)
        records = records_file(settings, parts.live)
        if records is not None:
            await records.load()
        if settings.log != parts.settings.log:
            configure_logs(settings.log.level, settings.log.format)
        parts.settings = settings
        parts.records = records
        parts.certificates.install(files, context)
        parts.relay_map.use(settings.derp, sources)
        parts.listener.proxies.believe(settings.trusted_proxies)
        parts.api.settings = settings.api
        magic_dns = next(each for each in parts.live.services.dns if isinstance(each, MagicDNS))
        magic_dns.defaults = dns_defaults(settings)
        if records is None:
            magic_dns.watched = ()
        parts.live.go_by(terms(settings))

    async def _on_hangup(self) -> None:
        with anyio.open_signal_receiver(signal.SIGHUP) as signals:
            async for _ in signals:
                await self.reload()
                if self._parts.policy_file is not None:
                    await self._parts.policy_file.reload()

    def _certificate_paths(self) -> Sequence[Path]:
        """Only those that somebody else writes."""
        return self._parts.certificates.paths() if self._parts.settings.tls.cert_file else ()

    def _records_paths(self) -> Sequence[Path]:
        return [self._parts.records.path] if self._parts.records else ()

    async def _reload_records(self) -> None:
        if self._parts.records is not None:
            await self._parts.records.reload()


def _certificate_files(settings: Settings) -> CertificateFiles | None:
    tls = settings.tls
    return CertificateFiles(tls.cert_file, tls.key_file) if tls.cert_file and tls.key_file else None
