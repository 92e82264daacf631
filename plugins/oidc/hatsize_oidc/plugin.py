"""Logging in through OpenID Connect providers, and following what they say of people afterwards."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import anyio
import click
from quart import Blueprint

from hatsize.hooks import hookimpl
from hatsize.hooks.auth import LoginProvider
from hatsize.hooks.lifecycle import Server
from hatsize.hooks.setup import Setup
from hatsize_oidc.button import button
from hatsize_oidc.commands import oidc
from hatsize_oidc.former_file import take_over
from hatsize_oidc.pages import Pages
from hatsize_oidc.provider import OidcProvider
from hatsize_oidc.refresh_tokens import RefreshTokens
from hatsize_oidc.settings import Settings
from hatsize_oidc.upkeep import Upkeep
from hatsize_oidc.wishes import Wishes


class OidcPlugin:
    """Logs people in at OpenID Connect providers, and follows what these say of them afterwards."""

    hatsize_api = "1.1"

    def __init__(self) -> None:
        self._providers: Mapping[str, OidcProvider] = {}
        self._tokens: RefreshTokens
        self._upkeep: Upkeep
        self._folder: Path

    @hookimpl
    def hatsize_settings(self) -> type[Settings]:
        return Settings

    @hookimpl
    def hatsize_configured(self, setup: Setup) -> None:
        settings: Settings = setup.settings
        self._providers = {each.name: OidcProvider(each, _now) for each in settings.providers}
        self._folder = setup.data_dir / setup.name

    @hookimpl
    def hatsize_register_login_provider(self) -> Sequence[LoginProvider]:
        return [button(provider.settings) for provider in self._providers.values()]

    @hookimpl
    def hatsize_blueprints(self, server: Server) -> Sequence[Blueprint]:
        store = server.store("oidc")
        self._tokens = RefreshTokens(store, server.derived_key("oidc:refresh-tokens"), server.now)
        self._upkeep = Upkeep(server, self._providers, self._tokens, Wishes(store, server.now))
        return [Pages(server, self._providers, self._tokens, self._upkeep).blueprint()]

    @hookimpl
    def hatsize_commands(self) -> Sequence[click.Command]:
        return [oidc(lambda: self._providers)]

    @hookimpl
    def hatsize_running(self) -> AbstractAsyncContextManager[None]:
        return self._running()

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._ask)
            yield
            tasks.cancel_scope.cancel()

    async def _ask(self) -> None:
        await take_over(self._folder, self._tokens)
        await self._upkeep.run()


def _now() -> datetime:
    return datetime.now(UTC)


plugin = OidcPlugin()
