"""Connections of the plugin's own: one that holds the lease, one that listens, and those of the command line."""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from hatsize.hooks.errors import PluginError

SCHEMES = ("postgresql+psycopg://", "postgresql://")
CONNECT_SECONDS = 5
STATEMENT_SECONDS = 5
Row = tuple[Any, ...]


def conninfo(url: str) -> str:
    """The settings' `database.url` as libpq takes it; PluginError where it is no PostgreSQL."""
    scheme = next((scheme for scheme in SCHEMES if url.startswith(scheme)), None)
    if scheme is None:
        raise PluginError("replicas share a PostgreSQL: set database.url = postgresql://USER@HOST/NAME")
    try:
        given = conninfo_to_dict("postgresql://" + url.removeprefix(scheme))
    except psycopg.ProgrammingError as error:
        raise PluginError(f"database.url: {str(error).strip()}") from None
    return make_conninfo("", **{**_DEFAULTS, **given})


_DEFAULTS: Mapping[str, Any] = {
    "connect_timeout": CONNECT_SECONDS,
    "tcp_user_timeout": CONNECT_SECONDS * 1000,
    "target_session_attrs": "read-write",
    "application_name": "hatsize-cluster",
}
SESSION = f"""
SET statement_timeout = '{STATEMENT_SECONDS}s';
SET lock_timeout = '{STATEMENT_SECONDS}s';
SET synchronous_commit = off
"""
"""Presence is no promise: nothing of it has to outlive the loss of the database's machine."""


async def connected(info: str, idle: float = 0.0) -> AsyncConnection[Row]:
    """A connection, which the server ends when nothing was asked by it for `idle` seconds, 0 for never."""
    connection: AsyncConnection[Row] = await AsyncConnection.connect(info, autocommit=True)
    try:
        await connection.execute(SESSION.encode())
        await connection.execute("SELECT set_config('idle_session_timeout', %s, false)", [f"{idle * 1000:.0f}ms"])
    except BaseException:
        await connection.close()
        raise
    return connection


def connected_now(info: str) -> Connection[Row]:
    """A connection for whoever may wait, as the command line."""
    return Connection.connect(info, autocommit=True)
