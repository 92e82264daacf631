"""The plugin's tables. Steps are only ever added, and only add: replicas of two releases work side by side."""

from collections.abc import Sequence

import psycopg

STEPS: Sequence[str] = (
    """
    CREATE TABLE cluster_replica (
        epoch bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id text NOT NULL,
        name text NOT NULL,
        version text NOT NULL,
        started timestamptz NOT NULL DEFAULT clock_timestamp(),
        until timestamptz NOT NULL,
        draining boolean NOT NULL DEFAULT false,
        serial bigint NOT NULL DEFAULT 0,
        told json NOT NULL DEFAULT '{}'
    );
    CREATE TABLE cluster_presence (
        epoch bigint NOT NULL REFERENCES cluster_replica ON DELETE CASCADE,
        node bigint NOT NULL,
        PRIMARY KEY (epoch, node)
    );
    CREATE TABLE cluster_letter (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        body bytea NOT NULL
    );
    """,
)
"""What each version of the schema adds to the one before.

An epoch is one membership of a replica, from joining until its lease is over. `serial` counts the changes of its
presence, `told` is what it tells the others of itself. Letters are too long for a notification.
"""
LOCK = 0x68617463
"""The advisory lock under which tables are made."""


def upgrade(connection: psycopg.Connection) -> None:
    """Make what is missing; tables of a newer release stay as they are, for they do all that this one asks of them."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        connection.execute("CREATE TABLE IF NOT EXISTS cluster_schema (version int NOT NULL)")
        row = connection.execute("SELECT version FROM cluster_schema").fetchone()
        version: int = row[0] if row else 0
        for step in STEPS[version:]:
            connection.execute(step.encode())
        if row is None:
            connection.execute("INSERT INTO cluster_schema VALUES (%s)", [len(STEPS)])
        elif version < len(STEPS):
            connection.execute("UPDATE cluster_schema SET version = %s", [len(STEPS)])
