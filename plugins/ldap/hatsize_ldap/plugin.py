"""Logging in with a directory's passwords, and following what becomes of its users."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import click

from hatsize.hooks import hookimpl
from hatsize.hooks.auth import PasswordProvider
from hatsize.hooks.lifecycle import Server
from hatsize.hooks.setup import Setup
from hatsize_ldap.commands import ldap
from hatsize_ldap.settings import Settings

if TYPE_CHECKING:
    from hatsize_ldap.provider import Asking


class LdapPlugin:
    """Logs people in with a directory's passwords, and follows what becomes of them there."""

    hatsize_api = "1.0"
    _settings: Settings
    _asking: "Asking | None" = None

    @hookimpl
    def hatsize_settings(self) -> type[Settings]:
        return Settings

    @hookimpl
    def hatsize_configured(self, setup: Setup) -> None:
        self._settings = setup.settings
        self._asking = None

    @hookimpl
    def hatsize_register_password_provider(self, setup: Setup) -> Sequence[PasswordProvider]:
        if not self._settings.servers:
            return []
        from hatsize_ldap.directory import Directory  # noqa: PLC0415 - ldap3 takes its time to import
        from hatsize_ldap.provider import Asking, LdapPasswords  # noqa: PLC0415

        self._asking = Asking(setup.name, Directory(self._settings))
        return [LdapPasswords(self._asking, self._settings.title)]

    @hookimpl
    def hatsize_commands(self) -> Sequence[click.Command]:
        return [ldap(lambda: self._settings)]

    @hookimpl
    def hatsize_running(self, server: Server) -> AbstractAsyncContextManager[None]:
        return self._running(server)

    @asynccontextmanager
    async def _running(self, server: Server) -> AsyncIterator[None]:
        if self._asking is None or not self._settings.follows_users:
            yield
            return
        from hatsize_ldap.sync import Sync  # noqa: PLC0415

        sync = Sync(self._asking, server, self._settings.suspend_at_most_percent)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sync.run, self._settings.sync_interval_seconds)
            yield
            tasks.cancel_scope.cancel()


plugin = LdapPlugin()
