"""Asking providers in the background whether those who logged in are still let in, by their refresh tokens.

Only a clear word counts: who is in no allowed group any more, or whose session the provider has ended, is shut out. A
provider that cannot be reached, or is set up wrongly, says nothing about anybody.
"""

import logging
from collections.abc import Mapping, Sequence
from time import monotonic

import anyio

from hatsize.hooks.lifecycle import Server
from hatsize.hooks.storage import StorageError
from hatsize.tailnet.errors import RefusedError
from hatsize.tailnet.model import Identity
from hatsize_oidc.failures import GoneFailure, LoginFailure, NotAllowedFailure
from hatsize_oidc.provider import OidcProvider
from hatsize_oidc.refresh_tokens import Kept, RefreshTokens

log = logging.getLogger("hatsize.oidc")

PAUSE = 5.0
"""Seconds between looks at whose turn it is."""
AT_ONCE = 4
"""How many questions a provider is asked at the same time."""


class Upkeep:
    """Goes over everybody who has a refresh token, each as often as their provider's settings say."""

    def __init__(self, server: Server, providers: Mapping[str, OidcProvider], tokens: RefreshTokens) -> None:
        self._server = server
        self._providers = providers
        self._tokens = tokens
        self._asked: dict[str, float] = {}
        self._wanted: set[Identity] = set()

    def ask_soon(self, identity: Identity) -> None:
        """Something has happened to somebody at their provider: ask about them in the next round."""
        self._wanted.add(identity)

    async def run(self) -> None:
        """Go over them until cancelled."""
        while True:
            await self.round()
            await anyio.sleep(PAUSE)

    async def round(self) -> None:
        """Ask about those of every provider whose time has come, and those whom something has happened to."""
        wanted, self._wanted = self._wanted, set()
        for name, provider in self._providers.items():
            theirs = [kept for kept in self._tokens if kept.provider == name]
            due = self._is_due(provider)
            await self._ask_about_all(provider, [kept for kept in theirs if due or kept.identity in wanted])

    def _is_due(self, provider: OidcProvider) -> bool:
        pause = provider.settings.refresh_minutes * 60
        due = bool(pause) and monotonic() - self._asked.get(provider.name, -pause) >= pause
        if due:
            self._asked[provider.name] = monotonic()
        return due

    async def _ask_about_all(self, provider: OidcProvider, everybody: Sequence[Kept]) -> None:
        limit = anyio.CapacityLimiter(AT_ONCE)
        async with anyio.create_task_group() as tasks:
            for kept in everybody:
                tasks.start_soon(self._in_turn, limit, provider, kept)

    async def _in_turn(self, limit: anyio.CapacityLimiter, provider: OidcProvider, kept: Kept) -> None:
        async with limit:
            try:
                await self._ask_about(provider, kept)
            except LoginFailure as failure:
                log.warning("nothing new about users of %s: %s", provider.name, failure)
            except (StorageError, OSError) as error:
                log.warning("what %s says of a user is not stored: %s", provider.name, error)
            except RefusedError as error:
                log.warning("what %s says of a user is not taken over: %s", provider.name, error)
            except Exception:  # a mistake of ours about one person must not end the asking
                log.exception("unexpected error while asking %s about a user", provider.name)

    async def _ask_about(self, provider: OidcProvider, kept: Kept) -> None:
        identity = kept.identity
        if (identity.provider, identity.subject) not in self._server.state.index.user_by_identity:
            await self._tokens.forget(identity)
            return
        try:
            tokens = await provider.renewed(kept.token)
        except GoneFailure as failure:
            if self._tokens.get(identity) == kept.token:  # else they have logged in meanwhile
                await self._shut_out(kept, str(failure))
                await self._tokens.forget(identity)
            return
        if tokens.refresh_token and self._tokens.get(identity) == kept.token:
            await self._tokens.keep(identity, tokens.refresh_token)
        try:
            told = await provider.still(identity, tokens)
        except NotAllowedFailure as failure:
            await self._shut_out(kept, str(failure))
            return
        await self._server.sync_user(told)

    async def _shut_out(self, kept: Kept, reason: str) -> None:
        user = await self._server.suspend(kept.identity, reason)
        if user is not None:
            log.info("user %s is shut out: %s", user.name, reason)
