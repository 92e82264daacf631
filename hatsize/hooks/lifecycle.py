"""Lifecycle: what a plugin adds to the program itself, and when it starts and stops."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hatsize.hooks import hookspec
from hatsize.hooks.auth import LoginIdentity
from hatsize.hooks.metrics import Figure
from hatsize.hooks.replicas import Replica
from hatsize.hooks.setup import Setup
from hatsize.tailnet.model import Change, Identity, Node, User
from hatsize.tailnet.state import State

if TYPE_CHECKING:
    import click
    from pydantic import BaseModel
    from quart import Blueprint


class PluginStore(Protocol):
    """What a plugin keeps in the tailnet's state: durable, the same at all replicas, and moved and backed up with it.

    For what is small and must outlive this process: reads come from memory, each write is a commit of its own, which
    every replica hears of. Whoever has the database can read it, so seal secrets with a key of `Server.derived_key`.
    """

    def get(self, key: str) -> bytes | None:
        """The value of a key; None for what was never put, was deleted, or is over."""

    def items(self, prefix: str = "") -> Mapping[str, bytes]:
        """The values of all keys that begin so, in the order of the keys."""

    async def put(self, key: str, value: bytes, expires: datetime | None = None) -> None:
        """Keep a value, instead of what was there; durable when this returns. From `expires` on it is not given out.

        A key has 1 to 255 printable characters, a value 65,536 octets at most; else InvalidError (of
        `hatsize.tailnet.errors`). Raises StorageError, and then what was there before is there still.
        """

    async def delete(self, key: str) -> None:
        """Keep a key no longer, if it is there; durable when this returns. Raises StorageError."""

    async def swap(self, key: str, former: bytes | None, value: bytes | None, expires: datetime | None = None) -> bool:
        """Put a value, or delete the key for None, only where `former` is there still, or nothing for None.

        False where another replica or task was quicker, and nothing has changed. Raises as `put` does.
        """


class Server(Protocol):
    """The running server, as plugins see it. Belongs to the event loop's thread."""

    @property
    def state(self) -> State:
        """What is true of the tailnet now; only commands change it."""

    @property
    def url(self) -> str:
        """What clients and browsers reach the server by, without a slash at the end."""

    @property
    def data_dir(self) -> Path:
        """The server's data directory; a plugin keeps its files in a folder of its own name below it."""

    def settings_of(self, plugin: str) -> Any:
        """The plugin's validated settings section; None for a plugin without one."""

    def now(self) -> datetime:
        """The server's clock, in UTC."""

    def is_online(self, node_id: int) -> bool:
        """Whether the node counts as connected."""

    def sees(self, viewer_id: int, node_id: int) -> bool:
        """Whether the policy shows the one node to the other."""

    @property
    def replica(self) -> Replica:
        """This process, for whoever makes it one of several."""

    def is_ours(self, duty: str) -> bool:
        """Whether this process is the one to do, now, what must be done once, as sending a message or syncing.

        A duty is known by its name, which begins with the plugin's own and a colon. Ask before each time; where there
        are several replicas, the first answers may be no for all of them.
        """

    def derived_key(self, purpose: str) -> bytes:
        """32 secret bytes that all replicas of this server have, and nobody else; the same ones after a restart.

        Each purpose has others. It begins with the plugin's own name and a colon, as `door:visits`. What is sealed with
        it and given to a browser can be opened by whichever replica the browser comes back to.
        """

    def store(self, plugin: str) -> PluginStore:
        """What the plugin of this name, the caller's own, keeps in the tailnet's state."""

    async def run(self, command: Callable[[State], Change | None]) -> Change | None:
        """Change the state: the command computes the change from the state as it is, and may run twice.

        The change is durable when this returns. Raises what the command raises, and StorageError.
        """

    async def log_in(self, auth_id: str, identity: LoginIdentity) -> Node:
        """Complete a pending login for who has logged in, who becomes a user: the node it became.

        Whom this provider had suspended is let in again. Raises RefusedError with words for the page, and StorageError.
        """

    async def approve_check(self, auth_id: str, identity: LoginIdentity) -> None:
        """Let an SSH session that waits go on: whose it is has just logged in anew.

        Raises RefusedError with words for the page, and StorageError.
        """

    async def sync_user(self, identity: LoginIdentity) -> User | None:
        """Take over what a provider tells of somebody who is not there: profile, groups, and that one whom this
        provider had suspended may log in again. Their user; None where nobody has the identity.

        Raises RefusedError when a plugin objects, then nothing has changed, and StorageError.
        """

    async def suspend(self, identity: Identity, reason: str) -> User | None:
        """Shut out the user an identity belongs to, and expire the keys of the nodes they own, because its provider
        says so. Their user; None where nobody has the identity. Raises StorageError.
        """

    async def save_policy(self, document: str, author: str) -> None:
        """Put a policy in force; raises PolicyError when the engine refuses it, and StorageError."""

    def figures(self) -> Sequence[Figure]:
        """What the server and all plugins count, as it is now."""


@hookspec
def hatsize_settings() -> "type[BaseModel]":  # type: ignore[empty-body]
    """Supply the model of the plugin's own settings section, `[plugins.NAME]`. *All*, synchronous.

    The section is checked at the start and by `hatsize configtest`; `HATSIZE_PLUGINS_NAME_KEY` sets a key too. Secrets
    are `SecretStr`. A model that forbids unknown keys (`extra="forbid"`) tells people of their misspellings.

    Example:

        @hookimpl
        def hatsize_settings(self):
            return Settings

        class Settings(BaseModel, extra="forbid"):
            url: str = "https://directory.example.com"
            token: SecretStr = SecretStr("")
    """


@hookspec
def hatsize_configured(setup: Setup) -> None:
    """Be told the plugin's own name and settings, once, before anything else is asked of it. Synchronous.

    Raise PluginError for what the model of the settings cannot see, as a file that is not there: it stops the start.

    Example:

        @hookimpl
        def hatsize_configured(self, setup):
            self.folder = setup.data_dir / setup.name
    """


@hookspec
def hatsize_blueprints(server: Server) -> "Sequence[Blueprint]":  # type: ignore[empty-body]
    """Supply web pages and HTTP interfaces, mounted on the public port. *All*, synchronous.

    The server's own paths go first; `/NAME/…` is the plugin's. Templates may extend `page.html`, the server's own page,
    and fill its blocks `title` and `main`; their names begin with the plugin's, as all templates are found together.

    Example:

        @hookimpl
        def hatsize_blueprints(self, server):
            pages = Blueprint("door", __name__, url_prefix="/door")

            @pages.get("/")
            async def door():
                return "It is open."

            return [pages]
    """


@hookspec
def hatsize_commands() -> "Sequence[click.Command]":  # type: ignore[empty-body]
    """Supply commands of `hatsize` on the command line. *All*, synchronous.

    Example:

        @hookimpl
        def hatsize_commands(self):
            @click.command("door")
            def door():
                click.echo("It is open.")

            return [door]
    """


@hookspec
def hatsize_running(server: Server) -> "AbstractAsyncContextManager[None]":  # type: ignore[empty-body]
    """Supply a context the server runs in: entered before it takes connections, left after the last. *All*,
    synchronous.

    Contexts are entered in the settings' order and left in the opposite one, each in a task of its own, so that it may
    hold a task group. Entering has 30 seconds, and a context that fails in it stops the start; one that fails later is
    logged and counted, and the server goes on without it. Leaving has 5 seconds.

    Example:

        @hookimpl
        def hatsize_running(self, server):
            return watching(server)

        @asynccontextmanager
        async def watching(server):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(anyio.sleep_forever)
                yield
                tasks.cancel_scope.cancel()
    """
