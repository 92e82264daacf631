"""Logging in through OpenID Connect providers, and following what they say of people afterwards."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime

import anyio
import click
from quart import Blueprint

from hatsize.hooks import hookimpl
from hatsize.hooks.auth import LoginProvider
from hatsize.hooks.lifecycle import Server
from hatsize.hooks.setup import Setup
from hatsize.tailnet.model import Change
from hatsize.tailnet.state import State
from hatsize_oidc.button import button
from hatsize_oidc.commands import oidc
from hatsize_oidc.elsewhere import Elsewhere
from hatsize_oidc.pages import Pages
from hatsize_oidc.provider import OidcProvider
from hatsize_oidc.refresh_tokens import RefreshTokens
from hatsize_oidc.settings import Settings
from hatsize_oidc.upkeep import Upkeep


class OidcPlugin:
    """Logs people in at OpenID Connect providers, and follows what these say of them afterwards."""

    hatsize_api = "1.0"

    def __init__(self) -> None:
        self._providers: Mapping[str, OidcProvider] = {}
        self._tokens: RefreshTokens
        self._upkeep: Upkeep
        self._elsewhere: Elsewhere

    @hookimpl
    def hatsize_settings(self) -> type[Settings]:
        return Settings

    @hookimpl
    def hatsize_configured(self, setup: Setup) -> None:
        settings: Settings = setup.settings
        self._providers = {each.name: OidcProvider(each, _now) for each in settings.providers}
        self._tokens = RefreshTokens(setup.data_dir / setup.name)
        self._elsewhere = Elsewhere(self._providers.keys())

    @hookimpl
    def hatsize_register_login_provider(self) -> Sequence[LoginProvider]:
        return [button(provider.settings) for provider in self._providers.values()]

    @hookimpl
    def hatsize_blueprints(self, server: Server) -> Sequence[Blueprint]:
        self._upkeep = Upkeep(server, self._providers, self._tokens)
        return [Pages(server, self._providers, self._tokens, self._upkeep, self._elsewhere).blueprint()]

    @hookimpl
    def hatsize_commands(self) -> Sequence[click.Command]:
        return [oidc(lambda: self._providers)]

    @hookimpl
    async def hatsize_changed(self, state: State, change: Change) -> None:
        if (identity := self._elsewhere.who(state, change)) is not None:
            await self._tokens.forget(identity)

    @hookimpl
    def hatsize_running(self) -> AbstractAsyncContextManager[None]:
        return self._running()

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        self._tokens.load()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._upkeep.run)
            yield
            tasks.cancel_scope.cancel()


def _now() -> datetime:
    return datetime.now(UTC)


plugin = OidcPlugin()
