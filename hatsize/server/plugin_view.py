"""The running server as plugins see it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from hatsize.control.registration import Registrar
from hatsize.hooks.auth import Deny, LoginIdentity
from hatsize.hooks.manager import Plugins
from hatsize.hooks.metrics import Figure
from hatsize.live.tailnet import LiveTailnet
from hatsize.tailnet.commands.identities import Profile, note_login, user_of
from hatsize.tailnet.commands.policy import save_policy
from hatsize.tailnet.errors import RefusedError
from hatsize.tailnet.model import Change, Node
from hatsize.tailnet.state import State


class PluginView:
    """Implements `hatsize.hooks.lifecycle.Server`."""

    def __init__(self, live: LiveTailnet, registrar: Registrar, plugins: Plugins, url: str, data_dir: Path) -> None:
        self._live = live
        self._registrar = registrar
        self._plugins = plugins
        self.url = url
        self.data_dir = data_dir

    @property
    def state(self) -> State:
        return self._live.state

    def settings_of(self, plugin: str) -> Any:
        return self._plugins.settings_of(plugin)

    def now(self) -> datetime:
        return self._live.clock()

    def is_online(self, node_id: int) -> bool:
        return self._live.is_online(node_id)

    async def run(self, command: Callable[[State], Change | None]) -> Change | None:
        return await self._live.run(command)

    async def log_in(self, auth_id: str, identity: LoginIdentity) -> Node:
        live = self._live
        told = await self._plugins.login(live.state, identity)
        if isinstance(told, Deny):
            raise RefusedError(told.reason)
        profile = Profile(told.name, told.email, told.display_name, told.picture_url, tuple(told.groups))
        await live.run(lambda state: note_login(state, told.identity, profile, live.clock()))
        user = user_of(live.state, told.identity)
        assert user is not None, "who has logged in is a user"
        return await self._registrar.log_in(auth_id, user, told.identity.provider, told.expires)

    async def save_policy(self, document: str, author: str) -> None:
        live = self._live
        await live.run(
            lambda state: save_policy(state, document, live.services.policy.check, live.clock(), author=author)
        )

    def figures(self) -> Sequence[Figure]:
        return self._plugins.figures(self)
