"""Asking providers in the background whether those who logged in are still let in, by their refresh tokens.

Only a clear word counts: who is in no allowed group any more, or whose session the provider has ended, is shut out. A
provider that cannot be reached, or is set up wrongly, says nothing about anybody. One replica asks for all: many
providers end a session whose refresh token is used twice.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from time import monotonic

import anyio

from hatsize.hooks.lifecycle import Server
from hatsize.hooks.storage import StorageError
from hatsize.tailnet.commands.identities import suspend_user, user_of
from hatsize.tailnet.errors import RefusedError
from hatsize.tailnet.model import Change, Identity, User
from hatsize.tailnet.state import State
from hatsize_oidc.failures import GoneFailure, LoginFailure, NotAllowedFailure
from hatsize_oidc.provider import OidcProvider
from hatsize_oidc.refresh_tokens import Kept, RefreshTokens, place_of
from hatsize_oidc.wishes import Wishes

log = logging.getLogger("hatsize.oidc")

DUTY = "oidc:asking providers"
PAUSE = 5.0
"""Seconds between looks at whose turn it is."""
AT_ONCE = 4
"""How many questions a provider is asked at the same time."""
BECOMING = timedelta(minutes=10)
"""How long after their token was kept somebody may not be a user yet: it is kept before they are let in."""


class Upkeep:
    """Goes over everybody who has a refresh token, each as often as their provider's settings say."""

    def __init__(
        self, server: Server, providers: Mapping[str, OidcProvider], tokens: RefreshTokens, wishes: Wishes
    ) -> None:
        self._server = server
        self._providers = providers
        self._tokens = tokens
        self._wishes = wishes
        self._asked: dict[str, float] = {}

    async def run(self) -> None:
        """Go over them until cancelled."""
        while True:
            try:
                await self.round()
            except StorageError as error:
                log.warning("nobody is asked about now: %s", error)
            await anyio.sleep(PAUSE)

    async def round(self) -> None:
        """Where this is the replica to do it, ask about those of every provider whose time has come, and those whom
        something has happened to. Raises StorageError."""
        if not self._server.is_ours(DUTY):
            return
        wished = await self._wishes.taken()
        for name, provider in self._providers.items():
            due = self._is_due(provider)
            if due or wished:
                theirs = self._tokens.of(name)
                await self._ask_about_all(
                    provider, [each for each in theirs if due or place_of(each.identity) in wished]
                )

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
            if not self._server.is_ours(DUTY):
                return
            try:
                await self._ask_about(provider, kept)
            except LoginFailure as failure:
                log.warning("nothing new about users of %s: %s", provider.name, failure)
            except StorageError as error:
                log.warning("what %s says of a user is not stored: %s", provider.name, error)
            except RefusedError as error:
                log.warning("what %s says of a user is not taken over: %s", provider.name, error)
            except Exception:  # a mistake of ours about one person must not end the asking
                log.exception("unexpected error while asking %s about a user", provider.name)

    async def _ask_about(self, provider: OidcProvider, kept: Kept) -> None:
        if not self._tokens.is_newest(kept):
            return
        if user_of(self._server.state, kept.identity) is None:
            if self._tokens.is_older(kept, BECOMING):
                await self._tokens.forget(kept)
            return
        try:
            tokens = await provider.renewed(kept.token)
        except GoneFailure as failure:
            await self._shut_out(kept, str(failure))
            await self._tokens.forget(kept)
            return
        if tokens.refresh_token:
            kept = await self._tokens.renew(kept, tokens.refresh_token)
        try:
            told = await provider.still(kept.identity, tokens)
        except NotAllowedFailure as failure:
            await self._shut_out(kept, str(failure))
            return
        await self._server.sync_user(told)

    async def _shut_out(self, kept: Kept, reason: str) -> None:
        """Suspend whose token it is, unless they have logged in meanwhile, at whichever replica."""

        def command(state: State) -> Change | None:
            user = user_of(state, kept.identity)
            if user is None or not self._tokens.is_newest(kept):
                return None
            return suspend_user(state, user.id, self._server.now(), by=kept.identity.provider, reason=reason)

        change = await self._server.run(command)
        for user in change.puts if change else ():
            if isinstance(user, User):
                log.info("user %s is shut out: %s", user.name, reason)

    async def ask_soon(self, identity: Identity) -> None:
        """Something has happened to somebody at their provider: ask about them in the next round, at whichever replica
        that is. Raises StorageError."""
        await self._wishes.add(identity)
