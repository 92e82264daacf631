"""Refresh tokens, kept in the tailnet's state, sealed: any replica can ask about whoever logged in at another one."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from hatsize.hooks.lifecycle import PluginStore
from hatsize.tailnet.model import Identity
from hatsize_oidc.sealed import Seal

log = logging.getLogger("hatsize.oidc")

PREFIX = "token/"


def place_of(identity: Identity) -> str:
    """How keys name somebody. A subject may be longer than a key, and have any characters."""
    return f"{identity.provider}/{sha256(identity.subject.encode(errors='surrogatepass')).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Content:
    """What is sealed. Whose token it is goes with it, so that it is of no use in another one's place."""

    provider: str
    subject: str
    at: float
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """One person's token, as it was when it was read."""

    identity: Identity
    token: str = field(repr=False)
    at: float
    """When it was kept, in seconds since 1970."""
    sealed: bytes = field(repr=False)


class RefreshTokens:
    """The newest refresh token of everybody who has logged in. Methods that change something raise StorageError."""

    def __init__(self, store: PluginStore, key: bytes, now: Callable[[], datetime]) -> None:
        """`key` has 32 bytes."""
        self._store = store
        self._seal = Seal(key, Content)
        self._now = now

    def of(self, provider: str) -> list[Kept]:
        """Those of a provider's people."""
        sealed = self._store.items(f"{PREFIX}{provider}/")
        opened = [self._opened(key, each) for key, each in sealed.items()]
        found = [kept for kept in opened if kept is not None]
        if len(found) < len(opened):
            log.warning(
                "%d refresh tokens of %s were sealed with another key than this server has: whose they are is asked "
                "about again after their next login",
                len(opened) - len(found),
                provider,
            )
        return found

    def is_newest(self, kept: Kept) -> bool:
        """Whether it is still there; when it is not, somebody has logged in meanwhile, or is asked about no more."""
        return self._store.get(PREFIX + place_of(kept.identity)) == kept.sealed

    def is_older(self, kept: Kept, age: timedelta) -> bool:
        """Whether it was kept longer ago."""
        return self._now().timestamp() - kept.at > age.total_seconds()

    async def keep(self, identity: Identity, token: str) -> None:
        """Take over somebody's newest token, of a login."""
        made = self._made(identity, token)
        await self._store.put(PREFIX + place_of(identity), made.sealed)

    async def keep_first(self, identity: Identity, token: str) -> None:
        """Take over somebody's token unless there is one, which is newer."""
        made = self._made(identity, token)
        await self._store.swap(PREFIX + place_of(identity), None, made.sealed)

    async def renew(self, kept: Kept, token: str) -> Kept:
        """The provider has given another token for this one: what is kept of it, unless there is a newer one."""
        made = self._made(kept.identity, token)
        await self._store.swap(PREFIX + place_of(kept.identity), kept.sealed, made.sealed)
        return made

    async def forget(self, kept: Kept) -> None:
        """A token is of no more use; one that is newer stays."""
        await self._store.swap(PREFIX + place_of(kept.identity), kept.sealed, None)

    def _made(self, identity: Identity, token: str) -> Kept:
        content = Content(identity.provider, identity.subject, self._now().timestamp(), token)
        return Kept(identity, token, content.at, self._seal.closed(content).encode())

    def _opened(self, key: str, sealed: bytes) -> Kept | None:
        content = self._seal.opened(sealed.decode())
        if content is None:
            return None
        identity = Identity(content.provider, content.subject)
        return Kept(identity, content.token, content.at, sealed) if key == PREFIX + place_of(identity) else None
