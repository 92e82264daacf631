"""Who is to be asked about soon, whichever replica has heard that something has happened to them."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from hatsize.hooks.lifecycle import PluginStore
from hatsize.tailnet.model import Identity
from hatsize_oidc.refresh_tokens import place_of

PREFIX = "ask/"
LIFETIME = timedelta(hours=1)
"""After which everybody will have been asked about anyhow."""


class Wishes:
    """Left by any replica, granted by the one that asks. Methods raise StorageError."""

    def __init__(self, store: PluginStore, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def add(self, identity: Identity) -> None:
        """Something has happened to somebody at their provider."""
        await self._store.swap(PREFIX + place_of(identity), None, b"", self._now() + LIFETIME)

    async def taken(self) -> Collection[str]:
        """The places of those who are wished for, once."""
        wished = self._store.items(PREFIX)
        for key in wished:
            await self._store.delete(key)
        return {key.removeprefix(PREFIX) for key in wished}
