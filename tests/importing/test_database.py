"""Reading a foreign database: SQLite and PostgreSQL, and nothing that is not Headscale's."""

from datetime import UTC, datetime

import pytest
import sqlalchemy

from hatsize.importing.configuration import Configuration
from hatsize.importing.database import read_tables
from hatsize.importing.findings import ImportRefusedError
from hatsize.importing.plan import plan_of
from hatsize.importing.terms import Terms
from hatsize.testing.postgres import NoPostgresError, PostgresServer

NOW = datetime(2026, 3, 4, tzinfo=UTC)
TABLES = f"""
CREATE TABLE users (id bigint PRIMARY KEY, name text, created_at timestamptz, deleted_at timestamptz);
INSERT INTO users VALUES (1, 'anna', '2025-05-01 10:00:00+02', NULL);
CREATE TABLE pre_auth_keys (id bigint PRIMARY KEY, prefix text, hash bytea, user_id bigint, reusable boolean);
INSERT INTO pre_auth_keys VALUES (1, 'abcdefabcdef', '$2a$10$abc'::bytea, 1, true);
CREATE TABLE nodes (id bigint PRIMARY KEY, machine_key text, node_key text, given_name text, user_id bigint,
                    tags text, approved_routes text, expiry timestamptz);
INSERT INTO nodes VALUES (1, 'mkey:{"a" * 64}', 'nodekey:{"b" * 64}', 'laptop', 1, 'null', '["10.0.0.0/8"]', NULL);
"""


def test_a_database_without_headscales_tables_is_refused(planned):
    with pytest.raises(ImportRefusedError, match="holds no Headscale tables"):
        planned("no-headscale")


@pytest.mark.parametrize(
    ("where", "words"),
    [("/nowhere/db.sqlite", "is not there"), ("mysqlx://a/b", "there is SQLite"), ("://", "nor a URL")],
)
def test_what_is_no_database_is_refused_in_words(where, words):
    with pytest.raises(ImportRefusedError, match=words):
        read_tables(where)


def test_a_server_that_does_not_answer_is_refused_without_its_password():
    with pytest.raises(ImportRefusedError, match="cannot be read") as refused:
        read_tables("postgresql://hs:hush@127.0.0.1:1/hs")
    assert "hush" not in str(refused.value)


@pytest.mark.slow
@pytest.mark.postgres
def test_postgresql_gives_the_same_records(tmp_path):
    try:
        with PostgresServer() as server:
            url = server.new_database()
            engine = sqlalchemy.create_engine(str(url).replace("postgresql://", "postgresql+psycopg://"))
            with engine.begin() as connection:
                connection.exec_driver_sql(TABLES)
            engine.dispose()
            plan = plan_of(
                read_tables(url), Configuration({}, tmp_path / "c.yaml"), Terms(datetime(2026, 3, 4, tzinfo=UTC))
            )
    except NoPostgresError as error:
        pytest.skip(str(error))
    assert plan.users[0].created.hour == 8
    assert (plan.auth_keys[0].hash, plan.auth_keys[0].reusable) == ("bcrypt:$2a$10$abc", True)
    assert plan.nodes[0].approved_routes == ("10.0.0.0/8",)
