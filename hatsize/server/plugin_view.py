"""The running server as plugins see it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from hatsize.control.registration import Registrar
from hatsize.hooks.auth import Deny, LoginIdentity
from hatsize.hooks.lifecycle import PluginStore
from hatsize.hooks.manager import Plugins
from hatsize.hooks.metrics import Figure
from hatsize.hooks.replicas import Replica
from hatsize.live.tailnet import LiveTailnet
from hatsize.server.derived_keys import derived_key
from hatsize.server.plugin_store import LiveStore
from hatsize.tailnet.commands.identities import Profile, note_login, suspend_user, sync_user, user_of
from hatsize.tailnet.commands.logins import approve_own_check
from hatsize.tailnet.commands.policy import save_policy
from hatsize.tailnet.errors import RefusedError
from hatsize.tailnet.model import Change, Identity, Node, User
from hatsize.tailnet.state import State
from hatsize.wire.keys import PrivateKey


class PluginView:
    """Implements `hatsize.hooks.lifecycle.Server`."""

    def __init__(
        self,
        live: LiveTailnet,
        registrar: Registrar,
        plugins: Plugins,
        url: str,
        data_dir: Path,
        *,
        noise_key: PrivateKey,
        replica: Replica,
    ) -> None:
        self._live = live
        self._registrar = registrar
        self._plugins = plugins
        self.url = url
        self.data_dir = data_dir
        self.replica = replica
        self._noise_key = noise_key

    @property
    def state(self) -> State:
        return self._live.state

    def settings_of(self, plugin: str) -> Any:
        return self._plugins.settings_of(plugin)

    def now(self) -> datetime:
        return self._live.clock()

    def is_online(self, node_id: int) -> bool:
        return self._live.is_online(node_id)

    def sees(self, viewer_id: int, node_id: int) -> bool:
        return self._live.netmap.sees(viewer_id, node_id)

    def is_ours(self, duty: str) -> bool:
        return self._live.services.replication.is_ours(duty)

    def derived_key(self, purpose: str) -> bytes:
        return derived_key(self._noise_key, purpose)

    def store(self, plugin: str) -> PluginStore:
        return LiveStore(self._live, plugin)

    async def run(self, command: Callable[[State], Change | None]) -> Change | None:
        return await self._live.run(command)

    async def log_in(self, auth_id: str, identity: LoginIdentity) -> Node:
        live = self._live
        told = await self._amended(identity)
        await live.run(lambda state: note_login(state, told.identity, _profile(told), live.clock()))
        user = user_of(live.state, told.identity)
        assert user is not None, "who has logged in is a user"
        return await self._registrar.log_in(auth_id, user, told.identity.provider, told.expires)

    async def approve_check(self, auth_id: str, identity: LoginIdentity) -> None:
        live = self._live
        told = await self._amended(identity)

        def command(state: State) -> Change:
            return approve_own_check(state, auth_id, user_of(state, told.identity), live.clock())

        await live.run(command)

    async def sync_user(self, identity: LoginIdentity) -> User | None:
        live = self._live
        told = await self._amended(identity)
        await live.run(lambda state: sync_user(state, told.identity, _profile(told), live.clock()))
        return user_of(live.state, told.identity)

    async def suspend(self, identity: Identity, reason: str) -> User | None:
        live = self._live

        def command(state: State) -> Change | None:
            user = user_of(state, identity)
            if user is None:
                return None
            return suspend_user(state, user.id, live.clock(), by=identity.provider, reason=reason)

        await live.run(command)
        return user_of(live.state, identity)

    async def _amended(self, identity: LoginIdentity) -> LoginIdentity:
        """Who it is, as the plugins amend it; RefusedError when one of them objects."""
        told = await self._plugins.login(self._live.state, identity)
        if isinstance(told, Deny):
            raise RefusedError(told.reason)
        return told

    async def save_policy(self, document: str, author: str) -> None:
        live = self._live
        await live.run(
            lambda state: save_policy(state, document, live.services.policy.check, live.clock(), author=author)
        )

    def figures(self) -> Sequence[Figure]:
        return self._plugins.figures(self)


def _profile(told: LoginIdentity) -> Profile:
    return Profile(
        name=told.name,
        email=told.email,
        display_name=told.display_name,
        picture_url=told.picture_url,
        groups=tuple(told.groups),
        link_email=told.link_email,
    )
