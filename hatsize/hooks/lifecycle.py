"""Lifecycle: what a plugin adds to the program itself, and when it starts and stops."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Protocol

from hatsize.hooks import hookspec
from hatsize.tailnet.state import State

if TYPE_CHECKING:
    import click
    from pydantic import BaseModel
    from quart import Blueprint


class Server(Protocol):
    """The running server, as plugins see it."""

    state: State

    def settings_of(self, plugin: str) -> Any:
        """The plugin's validated settings section."""


@hookspec
def hatsize_settings() -> "type[BaseModel]":  # type: ignore[empty-body]
    """Supply the model of the plugin's own settings section, `[plugins.NAME]`. *All*, synchronous."""


@hookspec
def hatsize_blueprints(server: Server) -> "Sequence[Blueprint]":  # type: ignore[empty-body]
    """Supply web pages and HTTP interfaces, mounted on the public port. *All*, synchronous."""


@hookspec
def hatsize_commands() -> "Sequence[click.Command]":  # type: ignore[empty-body]
    """Supply verbs for the command line. *All*, synchronous."""


@hookspec
def hatsize_running(server: Server) -> "AbstractAsyncContextManager[None]":  # type: ignore[empty-body]
    """Supply a context the server runs in: entered before it takes connections, left after the last. *All*,
    synchronous."""
