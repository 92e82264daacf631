"""Puts the policy of a folder in force whenever it changes."""

import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import anyio
from anyio import to_thread
from pydantic import BaseModel, Field

from hatsize.hooks import hookimpl
from hatsize.hooks.lifecycle import Server
from hatsize.hooks.setup import Setup
from hatsize.hooks.storage import StorageError
from hatsize.policy.errors import PolicyError
from hatsize.tailnet.model import PolicyVersion
from hatsize_policy_source.parts import PartsError, joined

log = logging.getLogger("hatsize.plugins.policy-source")
AUTHOR = "policy-source"


class Settings(BaseModel, extra="forbid"):
    """The section `[plugins.policy-source]`."""

    folder: Path = Path("/etc/hatsize/policy.d")
    every_seconds: float = Field(default=5.0, gt=0)


class PolicySourcePlugin:
    hatsize_api = "1.0"
    _settings: Settings

    @hookimpl
    def hatsize_settings(self) -> type[Settings]:
        return Settings

    @hookimpl
    def hatsize_configured(self, setup: Setup) -> None:
        self._settings = setup.settings

    @hookimpl
    def hatsize_running(self, server: Server) -> AbstractAsyncContextManager[None]:
        return watching(server, self._settings)


@asynccontextmanager
async def watching(server: Server, settings: Settings) -> AsyncIterator[None]:
    """Look at the folder once, and then again and again inside."""
    async with anyio.create_task_group() as tasks:
        refused = await look(server, settings.folder, None)
        tasks.start_soon(_watch, server, settings, refused)
        yield
        tasks.cancel_scope.cancel()


async def look(server: Server, folder: Path, refused: str | None) -> str | None:
    """Put the folder's policy in force if it is another one; a policy that was refused, so as not to try it again."""
    try:
        document = await to_thread.run_sync(joined, folder)
        if document in (refused, in_force(server)):
            return refused
        try:
            await server.save_policy(document, AUTHOR)
        except PolicyError as error:
            log.error("the policy in %s is refused, the old one stays: %s", folder, error)  # noqa: TRY400 - in words
            return document
        log.info("the policy in %s is in force", folder)
    except (PartsError, StorageError) as error:
        log.error("%s", error)  # noqa: TRY400 - told in words
    return None


def in_force(server: Server) -> str | None:
    """The policy in force as it was written."""
    newest = max(server.state.all(PolicyVersion), key=lambda version: version.id, default=None)
    return newest.document if newest else None


async def _watch(server: Server, settings: Settings, refused: str | None) -> None:
    while True:
        await anyio.sleep(settings.every_seconds)
        refused = await look(server, settings.folder, refused)


plugin = PolicySourcePlugin()
